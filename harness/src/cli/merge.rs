//! `merge`: one report of several explorations, such as the shards of one.

use std::fs;
use std::path::PathBuf;

use super::explore::{End, FILE, conclude};
use super::{CommandError, Program, Verdict};
use crate::case::RawCase;
use crate::search::explore::Exploration;
use crate::subject::AnySubject;

/// What to join.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The folders that explorations were written to
    #[arg(value_name = "FOLDER", required = true)]
    folders: Vec<PathBuf>,
    /// Fails where fewer of the possible fault points were reached, in percent
    #[arg(long, value_name = "PERCENT")]
    min_coverage: Option<f64>,
    /// Where the report goes
    #[arg(long, value_name = "FOLDER", default_value = "target/rehearsal/merged")]
    out: PathBuf,
    /// Prints the summary as JSON instead of text
    #[arg(long)]
    json: bool,
}

/// Joins explorations.
pub(super) fn run(
    subject: &AnySubject,
    args: &Args,
    program: &Program,
) -> Result<Verdict, CommandError> {
    let mut all = Exploration::default();
    for folder in &args.folders {
        let path = folder.join(FILE);
        let unusable = |why: &dyn std::fmt::Display| {
            CommandError::input(format!("{} holds no exploration: {why}", path.display()))
        };
        let text = fs::read(&path).map_err(|why| unusable(&why))?;
        let one: Exploration<RawCase> =
            serde_json::from_slice(&text).map_err(|why| unusable(&why))?;
        all.merge(one.read(subject).map_err(|why| unusable(&why))?);
    }
    let title = "Merged explorations".to_owned();
    let (out, min_coverage, json) = (args.out.as_path(), args.min_coverage, args.json);
    conclude(subject, all, &End { title, name: "merged", out, min_coverage, json }, program)
}
