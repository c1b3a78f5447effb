//! `watch`: runs again whenever sources change, the last failure first.
//!
//! The services are compiled into this program, so it has cargo rebuild and run the program.

use std::path::{Path, PathBuf};

use super::again::{cargo, cargo_target};
use super::{CommandError, Verdict};
use crate::report::terminal::{BAD, DIM, GOOD};
use crate::sources::Sources;

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

/// Runs until the program is interrupted.
pub(super) fn run(args: &Args) -> Result<Verdict, CommandError> {
    let changes = Sources::watch(&args.folders).map_err(CommandError::input)?;
    let mut last_failure: Option<String> = None;
    loop {
        rehearse(&args.arguments, &mut last_failure)?;
        anstream::println!("{DIM}waiting for a change{DIM:#}");
        changes.wait();
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
    let mut command = cargo();
    let path = std::env::current_exe()?;
    let name = path.file_stem().unwrap_or_default();
    if name == "rehearse" {
        command.arg("rehearse");
    } else {
        command.arg("run").args(cargo_target(&path, &name.to_string_lossy())).arg("--");
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
