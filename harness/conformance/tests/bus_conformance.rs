//! The bus contract, on the simulated broker and on a real server; random scripts, which must
//! have the same outcome on both; and what a kill loses.

#[path = "bus_conformance/kill.rs"]
mod kill;
mod worlds;

use std::sync::Arc;

use adapters::jetstream::JetStream;
use adapters::system::SystemClock;
use conformance::bus::{Case, Fixture, cases};
use conformance::differential;
use libtest_mimic::Failed;
use ports::Timestamp;
use ports::bus::{Bus, StreamLimits};
use sim::bus::{SimBroker, SimBus};
use sim::clock::SimClock;
use sim::kernel::{Kernel, drive};
use sim::scheduler::{Decision, Fifo, Random, Scheduler};

use worlds::{RUNTIME, both, unique};

/// The number of random schedules of each simulated case.
const SEEDS: u64 = 16;
/// The number of concurrent cases: those on a server mostly wait.
const THREADS: usize = 16;
/// The number of random scripts, unless `CASES` is set.
const SCRIPTS: u32 = 150;

fn main() {
    let trials = cases().into_iter().flat_map(|case| {
        both(case.name, move || simulated(case), move || RUNTIME.block_on(real(case)))
    });
    let random = worlds::real("random_scripts_have_the_same_outcome_on_both_brokers", || {
        RUNTIME.block_on(random_scripts())
    });
    let killed =
        both("a_kill_loses_the_acknowledgements_confirmed_just_before", kill::simulated, || {
            RUNTIME.block_on(kill::real())
        });
    worlds::run(trials.chain([random]).chain(killed).collect(), Some(THREADS));
}

/// Plays random scripts on both brokers: `CASES` of them, from the seed `SEED`.
async fn random_scripts() -> Result<(), Failed> {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse().ok());
    let cases = number("CASES").unwrap_or(SCRIPTS);
    let seed = number("SEED").map_or(1, u64::from);
    let (nats_url, _, _) = worlds::servers().await?;
    let report = differential::bus::run(cases, seed, nats_url, |_| {}).await?;
    println!("{report}");
    if report.differences.is_empty() { Ok(()) } else { Err(report.to_string().into()) }
}

async fn real(case: Case) -> Result<(), Failed> {
    let namespace = unique("conformance");
    let (nats_url, _, replicas) = worlds::servers().await?;
    let connect = || async {
        let bus = JetStream::connect(nats_url, &namespace).await?;
        Ok::<_, Failed>(bus.deduplicating_within(case.window).replicated(*replicas))
    };
    let (bus, other) = (connect().await?, connect().await?);
    let base = bus.clone();
    let limited = move |limits| -> Arc<dyn Bus> {
        Arc::new(base.clone().keeping(limits, StreamLimits::default()))
    };
    let fixture = Fixture {
        bus: Arc::new(bus.clone()),
        other: Arc::new(other),
        limited: Box::new(limited),
        clock: Arc::new(SystemClock),
    };
    let outcome = case.run(fixture).await;
    bus.delete_streams().await?;
    Ok(outcome?)
}

fn simulated(case: Case) -> Result<(), Failed> {
    run(case, Box::new(Fifo)).map_err(|why| format!("FIFO: {why}"))?;
    for seed in 0..SEEDS {
        let once = run(case, Box::new(Random::new(seed)));
        let decisions = once.map_err(|why| format!("seed {seed}: {why}"))?;
        let again = run(case, Box::new(Random::new(seed)))?;
        if decisions != again {
            return Err(format!("seed {seed}: a second run decides differently").into());
        }
    }
    Ok(())
}

/// Runs a case under one schedule and returns the decisions.
fn run(case: Case, scheduler: Box<dyn Scheduler>) -> Result<Vec<Decision>, String> {
    let start = Timestamp::from_second(1_767_225_600).expect("2026 is in range");
    let kernel = Kernel::new(start, scheduler);
    let broker = SimBroker::new(case.window);
    let bus = |instance| SimBus::new(kernel.clone(), instance, broker.clone());
    let clock = Arc::new(SimClock(kernel.clone()));
    let base = bus(3);
    let limited = move |limits| -> Arc<dyn Bus> {
        Arc::new(base.clone().keeping(limits, StreamLimits::default()))
    };
    let (bus, other) = (Arc::new(bus(1)), Arc::new(bus(2)));
    let fixture = Fixture { bus, other, limited: Box::new(limited), clock };
    drive(&kernel, case.run(fixture)).map_err(|why| why.to_string())?;
    Ok(kernel.decisions())
}
