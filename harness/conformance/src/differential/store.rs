//! Random calls on the simulated store and on a real one.
//!
//! A case is a sequence of calls on a collection of its own. Its ids, paths and values are few,
//! so that the calls conflict; the values have all types. [`run`] compares the replies: exactly,
//! where a call runs alone, and otherwise against all replies that the port allows, see `race`.
//! A case that differs is shrunk.

mod case;
mod documents;
mod operation;
mod race;
mod report;
mod shrink;

use std::sync::atomic::{AtomicU32, Ordering};

use futures::StreamExt;
use ports::store::Store;

use case::Case;
use operation::Operation;
pub use report::{Difference, Report};

/// The number of cases that run on the real store at the same time.
const CONCURRENT: usize = 8;
/// The number of differences that are shrunk; further ones are counted.
const SHRUNK: usize = 5;

/// Runs this many random cases of the seed on the simulated store and on `real`, whose database
/// must be the caller's own, and reports where their replies differ. `progress` is called with
/// the number of finished cases.
///
/// Must not be called from within a futures executor, because the simulation runs in one.
pub async fn run(cases: u32, seed: u64, real: &dyn Store, mut progress: impl FnMut(u32)) -> Report {
    let mut report = Report { cases, seed, differing: 0, differences: Vec::new() };
    let calls = case::calls();
    let collections = Collections::default();
    let results = futures::stream::iter(0..cases).map(|number| {
        let (calls, collection) = (&calls, collections.next());
        async move {
            let case = Case::random(calls, seed, number);
            let differs = first_difference(case.operations(), real, &collection).await.is_some();
            differs.then_some(case)
        }
    });
    let mut results = results.buffer_unordered(CONCURRENT);
    let mut differing = Vec::new();
    let mut finished = 0;
    while let Some(result) = results.next().await {
        differing.extend(result);
        finished += 1;
        progress(finished);
    }
    differing.sort_by_key(Case::number);
    report.differing = differing.len();
    for case in differing.into_iter().take(SHRUNK) {
        report.differences.push(shrink::shrunk(case, real, &collections).await);
    }
    report
}

/// The names of the collections of one run: one for each attempt at a case.
#[derive(Default)]
struct Collections(AtomicU32);

impl Collections {
    fn next(&self) -> String {
        format!("case-{}", self.0.fetch_add(1, Ordering::Relaxed))
    }
}

/// The first call whose replies differ: its position, and both replies.
async fn first_difference(
    operations: &[Operation],
    real: &dyn Store,
    collection: &str,
) -> Option<(usize, String, String)> {
    for (at, step) in race::simulated(operations).into_iter().enumerate() {
        if !step.performed {
            continue;
        }
        let reply = operation::perform(real, collection, &operations[at]).await;
        if !step.allowed.contains(&step.reply) || !step.allowed.contains(&reply) {
            return Some((at, step.reply.to_string(), reply.to_string()));
        }
    }
    None
}
