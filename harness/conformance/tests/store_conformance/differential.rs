//! Random calls have the same replies on the simulated store and on a real one.

use adapters::mongo::Mongo;
use conformance::differential::store;
use libtest_mimic::Failed;
use tokio::runtime::Runtime;

use crate::worlds::unique;

/// The number of cases, unless `REHEARSAL_CASES` is set.
const CASES: u32 = 300;
/// Any seed will do; this one, so that a failure occurs again.
const SEED: u64 = 1;

/// Runs random cases on both stores.
pub(super) fn random_calls(runtime: &Runtime, client: &mongodb::Client) -> Result<(), Failed> {
    let number = |name| std::env::var(name).ok().and_then(|text| text.parse().ok());
    let cases = number("REHEARSAL_CASES").map_or(CASES, |cases: u64| cases as u32);
    let seed = number("REHEARSAL_SEED").unwrap_or(SEED);
    let real = Mongo::with_client(client, &unique("differential"));
    let report = runtime.block_on(store::run(cases, seed, &real, |_| {}));
    runtime.block_on(real.drop_database())?;
    if report.differing > 0 { Err(report.to_string().into()) } else { Ok(()) }
}
