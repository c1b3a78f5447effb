//! `watch`: runs again whenever sources change, the last failure first.
//!
//! The services are compiled into this program, so it has cargo rebuild and run the program.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::mpsc;
use std::time::Duration;

use notify::{RecursiveMode, Watcher};

use super::again::cargo_run;
use super::{CommandError, Verdict};
use crate::report::terminal::{BAD, DIM, GOOD};

/// The arguments of `watch`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The folders to watch
    #[arg(value_name = "FOLDER", default_value = ".")]
    folders: Vec<PathBuf>,
    /// The arguments of the command to run, after --
    #[arg(last = true, value_name = "ARGUMENTS")]
    arguments: Vec<String>,
}

/// Changes within this time of one another count as one.
const DEBOUNCE: Duration = Duration::from_millis(150);

/// Runs until the program is interrupted.
pub(super) fn run(args: &Args) -> Result<Verdict, CommandError> {
    let (changed, changes) = mpsc::channel();
    let mut watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
        let is_source = |path: &Path| {
            let extension = path.extension().and_then(|extension| extension.to_str());
            let is_build = path.components().any(|part| part.as_os_str() == "target");
            matches!(extension, Some("rs" | "toml" | "feature")) && !is_build
        };
        if let Ok(event) = event
            && !event.kind.is_access()
            && event.paths.iter().any(|path| is_source(path))
        {
            // The receiver lives as long as the watcher.
            _ = changed.send(());
        }
    })
    .map_err(CommandError::harness)?;
    for folder in &args.folders {
        watcher.watch(folder, RecursiveMode::Recursive).map_err(CommandError::input)?;
    }
    let mut last_failure: Option<String> = None;
    loop {
        rehearse(&args.arguments, &mut last_failure)?;
        anstream::println!("{DIM}waiting for a change{DIM:#}");
        if changes.recv().is_err() {
            return Ok(Verdict::Held);
        }
        while changes.recv_timeout(DEBOUNCE).is_ok() {}
    }
}

/// Replays the last failure, if there is one, and then runs the command.
fn rehearse(arguments: &[String], last_failure: &mut Option<String>) -> Result<(), CommandError> {
    if let Some(token) = last_failure.clone() {
        let replay = ["replay".to_owned(), token];
        match execute(&replay)? {
            Some(0) => anstream::println!("{GOOD}the last failure no longer occurs{GOOD:#}"),
            Some(1) => {
                anstream::println!("{BAD}the last failure still occurs{BAD:#}");
                return Ok(());
            }
            // Cargo or the program has printed why it cannot run.
            _ => return Ok(()),
        }
        *last_failure = None;
    }
    if execute(arguments)? == Some(1) {
        *last_failure = token_of_last_report(arguments);
    }
    Ok(())
}

/// Builds and runs this program with these arguments.
fn execute(arguments: &[String]) -> Result<Option<i32>, CommandError> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    // Cargo sets these for the program that it runs. Build scripts that read them would run
    // again, and half of the dependencies would be compiled again with them.
    let of_this_run = |name: &str| {
        ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_", "OUT_DIR"]
            .iter()
            .any(|set| name.starts_with(set))
    };
    for (name, _) in std::env::vars_os() {
        if name.to_str().is_some_and(of_this_run) {
            command.env_remove(name);
        }
    }
    let path = std::env::current_exe()?;
    let name = path.file_stem().unwrap_or_default();
    if name == "rehearse" {
        command.arg("rehearse");
    } else {
        command.args(cargo_run(&path, &name.to_string_lossy())).arg("--");
    }
    Ok(command.args(arguments).status()?.code())
}

/// The token of the first finding in the report of the last run.
fn token_of_last_report(arguments: &[String]) -> Option<String> {
    let out = arguments.iter().position(|argument| argument == "--out");
    let out = out.and_then(|at| arguments.get(at + 1));
    let folder = out.map_or("target/rehearsal", String::as_str);
    let text = std::fs::read_to_string(Path::new(folder).join("summary.json")).ok()?;
    let summary: serde_json::Value = serde_json::from_str(&text).ok()?;
    summary["findings"][0]["token"].as_str().map(str::to_owned)
}
