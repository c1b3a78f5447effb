//! Every promise of the bus, against the simulated broker and against a real server.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use adapters::jetstream::JetStream;
use adapters::system::SystemClock;
use conformance::bus::{Case, Stage, cases};
use libtest_mimic::{Arguments, Failed, Trial};
use ports::Timestamp;
use sim::bus::{SimBroker, SimBus};
use sim::clock::SimClock;
use sim::kernel::{Kernel, drive};
use sim::scheduler::{Decision, Fifo, Random, Scheduler};

/// How many random schedules of each case are tried.
const SEEDS: u64 = 16;
/// Cases against a server mostly wait.
const THREADS: usize = 16;

fn main() {
    let mut arguments = Arguments::from_args();
    arguments.test_threads.get_or_insert(THREADS);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime needs nothing but threads");
    let runtime = Arc::new(runtime);
    // Ignored tests are counted in the summary.
    let skips = servers::are_unwanted();
    let mut trials = Vec::new();
    for case in cases() {
        trials.push(Trial::test(format!("simulated::{}", case.name), move || simulated(case)));
        let runtime = Arc::clone(&runtime);
        let real = move || runtime.block_on(real(case));
        let real = Trial::test(format!("real::{}", case.name), real);
        trials.push(real.with_ignored_flag(skips));
    }
    libtest_mimic::run(&arguments, trials).exit();
}

async fn real(case: Case) -> Result<(), Failed> {
    static WORLDS: AtomicU32 = AtomicU32::new(0);
    let world = WORLDS.fetch_add(1, Ordering::Relaxed);
    let namespace = format!("conformance-{}-{world}", std::process::id());
    let servers = servers::shared().await?;
    let connect = || async {
        let bus = JetStream::connect(&servers.nats_url, &namespace).await?;
        Ok::<_, Failed>(bus.deduplicating_within(case.window))
    };
    let (bus, other) = (connect().await?, connect().await?);
    let stage =
        Stage { bus: Arc::new(bus.clone()), other: Arc::new(other), clock: Arc::new(SystemClock) };
    let result = case.run(stage).await;
    bus.delete_streams().await?;
    result.map_err(|why| format!("{why:#}").into())
}

fn simulated(case: Case) -> Result<(), Failed> {
    run(case, Box::new(Fifo)).map_err(|why| format!("in order: {why}"))?;
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

/// One schedule of a case, and its decisions.
fn run(case: Case, scheduler: Box<dyn Scheduler>) -> Result<Vec<Decision>, String> {
    let start = Timestamp::from_second(1_767_225_600).expect("a date of this century");
    let kernel = Kernel::new(start, scheduler);
    let broker = SimBroker::new(case.window);
    let bus = |instance| Arc::new(SimBus::new(kernel.clone(), instance, broker.clone()));
    let clock = Arc::new(SimClock(kernel.clone()));
    let stage = Stage { bus: bus(1), other: bus(2), clock };
    drive(&kernel, case.run(stage)).map_err(|why| format!("{why:#}"))?;
    Ok(kernel.decisions())
}
