//! How an exploration ends: what failed is shrunk and handed back, and all is written down so
//! that explorations can be joined.

use std::fs;
use std::path::Path;

use super::{CommandError, Verdict};
use crate::explore::Exploration;
use crate::report::{self, Progress};
use crate::shrink::shrink;

/// The file that holds an exploration, for `rehearse merge`.
pub(super) const FILE: &str = "exploration.json";

/// How many failures are shrunk; the others are counted.
const SHRUNK: usize = 5;

/// Shrinks what failed, prints and writes the report, and says how it ended.
pub(super) fn conclude(
    explored: &Exploration,
    out: &Path,
    min_coverage: Option<f64>,
) -> Result<Verdict, CommandError> {
    fs::create_dir_all(out)?;
    let json = serde_json::to_vec_pretty(explored).map_err(std::io::Error::from)?;
    fs::write(out.join(FILE), json)?;
    report::explored(explored);
    let progress = Progress::begin("shrunk");
    for failure in explored.failures.values().take(SHRUNK) {
        let shrunk = shrink(&failure.case, &failure.invariant);
        let shrunk = shrunk.map_err(|why| CommandError::Harness(why.to_string()))?;
        progress.one();
        report::failure(failure, shrunk.as_ref());
    }
    progress.end();
    let _ = min_coverage;
    Ok(if explored.failures.is_empty() { Verdict::Held } else { Verdict::Finding })
}
