//! `rehearse merge`: one report of several explorations, such as the shards of one.

use std::fs;
use std::path::PathBuf;

use super::conclude::{FILE, conclude};
use super::{CommandError, Verdict};
use crate::explore::Exploration;

/// What to join.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The folders that explorations were written to
    #[arg(value_name = "FOLDER", required = true)]
    folders: Vec<PathBuf>,
    /// Fails where fewer of the possible fault points were reached, in percent
    #[arg(long, value_name = "PERCENT")]
    min_coverage: Option<f64>,
    /// Where the report goes
    #[arg(long, value_name = "FOLDER", default_value = "target/rehearsal/merged")]
    out: PathBuf,
}

/// Joins explorations.
///
/// # Errors
///
/// When a folder holds none, or the report cannot be written.
pub fn merge(args: &Args) -> Result<Verdict, CommandError> {
    let mut all = Exploration::default();
    for folder in &args.folders {
        let path = folder.join(FILE);
        let text = fs::read(&path);
        let text = text.map_err(|e| CommandError::Use(format!("{}: {e}", path.display())))?;
        let one = serde_json::from_slice(&text);
        all.merge(one.map_err(|e| CommandError::Use(format!("{}: {e}", path.display())))?);
    }
    conclude("Merged explorations".to_owned(), &all, &args.out, args.min_coverage)
}
