//! `merge`: one report of several explorations, such as the shards of one run.

use std::fs;
use std::path::PathBuf;

use super::explore::{End, FILE, conclude};
use super::{CommandError, Program, Verdict};
use crate::case::RawCase;
use crate::faults::FaultKind;
use crate::search::explore::Exploration;
use crate::subject::AnySubject;

/// The arguments of `merge`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The report folders of the explorations
    #[arg(value_name = "FOLDER", required = true)]
    folders: Vec<PathBuf>,
    /// Fails if less than this percentage of the possible fault points was reached
    #[arg(long, value_name = "PERCENT")]
    min_coverage: Option<f64>,
    /// The folder of the report
    #[arg(long, value_name = "FOLDER", default_value = "target/rehearsal/merged")]
    out: PathBuf,
    /// Prints the summary as JSON instead of text
    #[arg(long)]
    json: bool,
}

/// Merges explorations.
pub(super) fn run(
    subject: &AnySubject,
    args: &Args,
    program: &Program,
) -> Result<Verdict, CommandError> {
    let mut all = Exploration::default();
    for folder in &args.folders {
        let path = folder.join(FILE);
        let unusable = |why: &dyn std::fmt::Display| {
            CommandError::input(format!(
                "{} cannot be read as an exploration: {why}",
                path.display()
            ))
        };
        let text = fs::read(&path).map_err(|why| unusable(&why))?;
        let one: Exploration<RawCase> =
            serde_json::from_slice(&text).map_err(|why| unusable(&why))?;
        all.merge(one.read(subject).map_err(|why| unusable(&why))?);
    }
    let title = "Merged explorations".to_owned();
    let (out, min_coverage, json) = (args.out.as_path(), args.min_coverage, args.json);
    let faults = FaultKind::ALL;
    let end = End { title, name: "merged", faults, out, min_coverage, json };
    conclude(subject, all, &end, program)
}
