//! `catalog`: the events and the routes of the subject, for people and for other tools.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use anstream::println;
use serde_json::Value;

use super::{CommandError, Verdict};
use crate::catalog::{Catalog, Event, asyncapi, changes, openapi, routes, text};
use crate::report::counted;
use crate::report::terminal::{BAD, DIM};
use crate::subject::AnySubject;

/// The file in which `--check` reads the events.
const FILE: &str = "catalog.json";

/// The file in which `--check` reads the routes.
const ROUTES: &str = "openapi.json";

/// The arguments of `catalog`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The folder for the catalog
    #[arg(long, value_name = "FOLDER", default_value = "target/catalog")]
    out: PathBuf,
    /// Compares with the catalog in this folder, and fails where a reader of its events or a
    /// client of its routes would break
    #[arg(long, value_name = "FOLDER")]
    check: Option<PathBuf>,
}

/// Writes the catalog, and compares it.
pub(super) fn run(subject: &AnySubject, args: &Args) -> Result<Verdict, CommandError> {
    let catalog = Catalog::of(subject.name(), subject.events());
    let undeclared = catalog.undeclared(subject.topology());
    // Before anything is written: the old catalog may be in the same folder.
    let old = args.check.as_deref().map(|folder| read(folder, &catalog)).transpose()?;
    let old_routes = args.check.as_deref().map(read_routes).transpose()?.flatten();
    let interfaces = subject.interfaces();
    let version = env!("CARGO_PKG_VERSION");
    let document = openapi::document(subject.name(), &interfaces, version);
    write(&catalog, &document, &args.out)?;
    let count: usize = interfaces.iter().map(|interface| interface.endpoints.len()).sum();
    println!("The catalog of {}", subject.name());
    println!("  events     {}", counted(catalog.events.len() as u64, "event"));
    println!("  routes     {}", counted(count as u64, "route"));
    for (name, about) in [
        ("catalog.md", "for people: the map and the fields of each event"),
        ("asyncapi.json", "AsyncAPI 3.0"),
        (ROUTES, "OpenAPI 3.1, and for --check"),
        ("schemas/", "a JSON Schema for each payload"),
        (FILE, "for --check"),
    ] {
        println!("  {DIM}{about:<50}{DIM:#} {}", args.out.join(name).display());
    }
    undeclared.iter().for_each(|wrong| println!("  {BAD}undeclared{BAD:#} {wrong}"));
    let broken = old.map(|old| changes::breaking(&old, &catalog)).unwrap_or_default();
    for one in &broken {
        let readers = match &one.readers[..] {
            [] => "nobody reads it".to_owned(),
            [reader] => format!("{reader} reads it"),
            readers => format!("{} read it", readers.join(", ")),
        };
        println!("  {BAD}breaking{BAD:#}   {} {}; {readers}", one.place, one.change);
    }
    let refused = old_routes.map(|old| routes::breaking(&old, &document)).unwrap_or_default();
    for one in &refused {
        let service = one.readers.join(", ");
        println!("  {BAD}breaking{BAD:#}   {} {}; {service} has it", one.place, one.change);
    }
    let is_compatible = broken.is_empty() && refused.is_empty();
    if args.check.is_some() && is_compatible {
        println!("  check      no reader and no client breaks");
    }
    Ok(Verdict::of(undeclared.is_empty() && is_compatible))
}

fn write(catalog: &Catalog, routes: &Value, folder: &Path) -> io::Result<()> {
    let schemas = folder.join("schemas");
    // An event that is gone must not stay behind.
    match fs::remove_dir_all(&schemas) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    fs::create_dir_all(&schemas)?;
    let pretty = |value: &Value| format!("{value:#}\n");
    for event in &catalog.events {
        fs::write(schemas.join(format!("{}.json", event.name)), pretty(&event.schema))?;
    }
    let version = env!("CARGO_PKG_VERSION");
    fs::write(folder.join("asyncapi.json"), pretty(&asyncapi::document(catalog, version)))?;
    fs::write(folder.join(ROUTES), pretty(routes))?;
    fs::write(folder.join("catalog.md"), text::markdown(catalog))?;
    let events = serde_json::to_value(&catalog.events).map_err(io::Error::other)?;
    fs::write(folder.join(FILE), pretty(&events))
}

/// The older catalog in a folder.
fn read(folder: &Path, newer: &Catalog) -> Result<Catalog, CommandError> {
    let path = folder.join(FILE);
    let usage = |why: String| {
        CommandError::Usage(format!("--check {}: {why}; `catalog` writes it", path.display()))
    };
    let text = fs::read_to_string(&path).map_err(|error| usage(error.to_string()))?;
    let events: Vec<Event> =
        serde_json::from_str(&text).map_err(|error| usage(error.to_string()))?;
    Ok(Catalog { subject: newer.subject, events })
}

/// The older routes in a folder; `None` where its catalog was written without them.
fn read_routes(folder: &Path) -> Result<Option<Value>, CommandError> {
    let path = folder.join(ROUTES);
    let usage = |why: String| CommandError::Usage(format!("--check {}: {why}", path.display()));
    match fs::read(&path) {
        Ok(text) => {
            serde_json::from_slice(&text).map(Some).map_err(|error| usage(error.to_string()))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(usage(error.to_string())),
    }
}
