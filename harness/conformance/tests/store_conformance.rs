//! The store contract, on the simulated store and on a real MongoDB; and random calls,
//! which must have the same replies on both.

#[path = "store_conformance/commands.rs"]
mod commands;
#[path = "store_conformance/differential.rs"]
mod differential;
mod worlds;

use std::sync::{Arc, LazyLock};

use adapters::mongo::Mongo;
use adapters::system::SystemClock;
use conformance::store::{Case, cases};
use libtest_mimic::{Failed, Trial};
use ports::Timestamp;
use sim::clock::SimClock;
use sim::kernel::{Kernel, drive};
use sim::scheduler::Random;
use sim::store::{SimDatabase, SimStore};

use worlds::{RUNTIME, both, unique};

/// The number of random schedules of each simulated case.
const SEEDS: u64 = 25;

fn main() {
    let trials = cases().into_iter().flat_map(|case| {
        let (name, case) = (case.name, Arc::new(case));
        let again = Arc::clone(&case);
        both(name, move || simulated(&case), move || real(&again))
    });
    let mut trials: Vec<Trial> = trials.collect();
    let differential = || differential::random_calls(&RUNTIME, &client()?);
    let name = "random calls have the same replies as in simulation";
    trials.push(worlds::real(name, differential));
    let commands = || RUNTIME.block_on(commands::each_call_is_one(&client()?));
    trials.push(worlds::real("each call is one command on the server", commands));
    worlds::run(trials, None);
}

fn simulated(case: &Arc<Case>) -> Result<(), Failed> {
    for seed in 0..SEEDS {
        let kernel = Kernel::new(Timestamp::UNIX_EPOCH, Box::new(Random::new(seed)));
        let store = SimStore::new(kernel.clone(), 1, "contract", SimDatabase::new());
        let (case, clock) = (Arc::clone(case), SimClock(kernel.clone()));
        let run = async move { case.run(Arc::new(store), Arc::new(clock)).await };
        let outcome = drive(&kernel, run);
        outcome.map_err(|why| format!("seed {seed}: {why}"))?;
    }
    Ok(())
}

fn real(case: &Case) -> Result<(), Failed> {
    let client = client()?;
    RUNTIME.block_on(async {
        let store = Mongo::with_client(&client, &unique("contract"));
        let outcome = case.run(Arc::new(store.clone()), Arc::new(SystemClock)).await;
        store.drop_database().await?;
        Ok(outcome?)
    })
}

/// The client that all real cases share.
fn client() -> Result<mongodb::Client, String> {
    static CLIENT: LazyLock<Result<mongodb::Client, String>> = LazyLock::new(|| {
        let (_, mongo_url, _) =
            RUNTIME.block_on(worlds::servers()).map_err(|why| why.to_string())?;
        RUNTIME.block_on(Mongo::client(mongo_url)).map_err(|why| why.to_string())
    });
    CLIENT.clone()
}
