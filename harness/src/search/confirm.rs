//! Confirmation of a fix: runs the neighborhood of a failure and counts how often an invariant
//! is violated.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use super::neighborhood::neighbor;
use super::threads::{self, on_threads};
use crate::case::Case;
use crate::invariants::Violation;
use crate::run;
use crate::session::RunError;
use crate::subject::AnySubject;

/// The outcome of a neighborhood.
#[derive(Debug)]
pub struct Neighborhood {
    /// The number of runs; the first one is the failure itself.
    pub runs: u64,
    /// The failures, by number of the neighbor.
    pub failed: BTreeMap<u64, (Violation, Case)>,
}

/// Runs this many neighbors of a case, or as many as fit into the time; `on_run` is called after
/// each.
///
/// # Errors
///
/// When the harness fails.
pub fn confirm(
    subject: &AnySubject,
    case: &Case,
    runs: u64,
    time: Option<Duration>,
    on_run: impl Fn() + Sync,
) -> Result<Neighborhood, RunError> {
    let began = Instant::now();
    let (next, ran) = (AtomicU64::new(0), AtomicU64::new(0));
    let failed = Mutex::new(BTreeMap::new());
    on_threads(threads::available(), || {
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= runs || time.is_some_and(|time| began.elapsed() >= time) {
                return Ok::<_, RunError>(());
            }
            let like = match number.checked_sub(1) {
                None => case.clone(),
                Some(number) => neighbor(case, number),
            };
            let run = run::judge(subject, &like)?;
            ran.fetch_add(1, Ordering::Relaxed);
            if let Some(violation) = run.violation() {
                failed.lock().insert(number, (violation.clone(), run.exact.clone()));
            }
            on_run();
        }
    })?;
    Ok(Neighborhood { runs: ran.into_inner(), failed: failed.into_inner() })
}
