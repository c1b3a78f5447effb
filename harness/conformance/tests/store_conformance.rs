//! The store's rules, on the simulation and on a real MongoDB; and random operations, which
//! must come to the same on both.

#[path = "store_conformance/differential.rs"]
mod differential;

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, LazyLock};

use adapters::mongo::Mongo;
use conformance::store::{Case, cases};
use libtest_mimic::{Arguments, Failed, Trial};
use ports::Timestamp;
use sim::kernel::{Kernel, drive};
use sim::scheduler::Random;
use sim::store::{SimDatabase, SimStore};
use tokio::runtime::Runtime;

/// How many schedules each case is tried under in the simulation.
const SEEDS: u64 = 25;

fn main() {
    let arguments = Arguments::from_args();
    let mut trials = Vec::new();
    for case in cases() {
        let case = Arc::new(case);
        let simulated = Arc::clone(&case);
        trials.push(Trial::test(format!("simulated::{}", case.name), move || on_sim(&simulated)));
        trials.push(Trial::test(format!("real::{}", case.name), move || on_real(&case)));
    }
    let differential = || differential::random_operations(&RUNTIME, &client()?);
    trials.push(Trial::test("real::random operations come to the same on both", differential));
    libtest_mimic::run(&arguments, real_only_where_wanted(trials)).exit();
}

/// Marks the real ones ignored where `REHEARSAL_REAL` is `skip`: the summary counts them.
fn real_only_where_wanted(trials: Vec<Trial>) -> Vec<Trial> {
    let skips = servers::are_unwanted();
    let mark = |trial: Trial| {
        let real = trial.name().starts_with("real::");
        trial.with_ignored_flag(skips && real)
    };
    trials.into_iter().map(mark).collect()
}

fn on_sim(case: &Case) -> Result<(), Failed> {
    for seed in 0..SEEDS {
        let kernel = Kernel::new(Timestamp::UNIX_EPOCH, Box::new(Random::new(seed)));
        let store = SimStore::new(kernel.clone(), 1, "rules", SimDatabase::new());
        let outcome = drive(&kernel, case.run(Arc::new(store)));
        outcome.map_err(|failure| format!("seed {seed}: {failure}"))?;
    }
    Ok(())
}

fn on_real(case: &Case) -> Result<(), Failed> {
    static CASES: AtomicU32 = AtomicU32::new(0);
    let client = client()?;
    let number = CASES.fetch_add(1, Ordering::Relaxed);
    RUNTIME.block_on(async {
        let name = format!("rules_{}_{number}", std::process::id());
        let store = Mongo::with_client(&client, &name);
        let outcome = case.run(Arc::new(store.clone())).await;
        store.drop_database().await?;
        Ok(outcome?)
    })
}

/// One runtime for all, because a client belongs to the runtime that it began on.
static RUNTIME: LazyLock<Runtime> =
    LazyLock::new(|| Runtime::new().expect("the system gives threads"));

/// The client that all real cases share.
fn client() -> Result<mongodb::Client, String> {
    static CLIENT: LazyLock<Result<mongodb::Client, String>> = LazyLock::new(|| {
        let url = server()?;
        RUNTIME.block_on(Mongo::client(&url)).map_err(|e| e.to_string())
    });
    CLIENT.clone()
}

/// Where the real server is.
fn server() -> Result<String, String> {
    let servers = RUNTIME.block_on(servers::shared());
    servers.map(|servers| servers.mongo_url.clone()).map_err(|why| why.to_string())
}
