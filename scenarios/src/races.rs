//! Races: a workload under a schedule, by seed, in either world.
//!
//! In simulation the seed determines the script, the schedule and every id; on real servers
//! the script only.

use std::convert::identity;
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::FutureExt;
use harness::real::{Real, servers};
use harness::sim::Simulated;
use harness::sim::chooser::Random;
use harness::system::System;
use harness::trace::Record;
use harness::world::{World, WorldError};
use platform::run::Policy;
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use ticketing::Settings;

use crate::invariants::Evidence;
use crate::perform::{PerformError, Performance, perform, play};
use crate::provider::Provider;
use crate::script::Script;
use crate::system::system;
use crate::workloads::race;
use crate::workloads::trouble::Trouble;

/// How long an order holds its ticket.
const WINDOW: Duration = Duration::from_secs(15 * 60);

/// A race in which a promise was broken.
#[derive(Debug, Clone)]
pub struct Finding {
    /// Which race.
    pub seed: u64,
    /// What was broken, a sentence each.
    pub how: Vec<String>,
    /// The record.
    pub trace: Arc<Vec<Record>>,
}

/// What this seed draws from a workload.
pub fn draw<T>(workload: &impl Strategy<Value = T>, seed: u64) -> T {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    let tree = workload.new_tree(&mut runner).expect("a workload rejects nothing");
    tree.current()
}

/// Carries out a script in simulation, under this seed's schedule. The world comes back with
/// its trace, whatever came of it.
pub fn simulate(script: &Script, seed: u64) -> (Result<Performance, PerformError>, Simulated) {
    let (evidence, world) = simulate_in(script, seed, identity, &Trouble::default());
    (evidence.map(|evidence| Performance::of(&evidence)), world)
}

/// The same in a system that `alter` makes of ours, with this trouble, and unjudged.
pub fn simulate_in(
    script: &Script,
    seed: u64,
    alter: fn(System) -> System,
    trouble: &Trouble,
) -> (Result<Evidence, PerformError>, Simulated) {
    let provider = provider();
    let system = alter(system(&provider, WINDOW, Policy::default()));
    let mut world = Simulated::start(system, seed, Box::new(Random::new(seed)));
    trouble.rules.iter().for_each(|rule| world.faults().add(rule.clone()));
    provider.lose_next_answers(trouble.lost_answers);
    let evidence = play(script, &mut world, &provider, true).now_or_never();
    let evidence = evidence.expect("a simulated world never waits for anything outside");
    (evidence, world)
}

/// Runs the races of these seeds in simulation, on all cores, and returns the findings by
/// seed.
///
/// # Errors
///
/// When the harness fails.
pub fn simulate_all(
    buyers: u8,
    seeds: Range<u64>,
    done: impl Fn() + Sync,
) -> Result<Vec<Finding>, WorldError> {
    let next = AtomicU64::new(seeds.start);
    let found = Mutex::new(Vec::new());
    let work = || -> Result<(), WorldError> {
        let workload = race::script(buyers);
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= seeds.end {
                return Ok(());
            }
            let (performance, world) = simulate(&draw(&workload, seed), seed);
            let how = broken(performance)?;
            if !how.is_empty() {
                let trace = world.trace().records();
                let mut found = found.lock().expect("no panic holds this lock");
                found.push(Finding { seed, how, trace });
            }
            done();
        }
    };
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        let mut ended = workers.into_iter().map(std::thread::ScopedJoinHandle::join);
        ended.try_for_each(|end| end.unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
    })?;
    let mut found = found.into_inner().expect("no panic holds this lock");
    found.sort_by_key(|finding| finding.seed);
    Ok(found)
}

/// Runs the races of these seeds on real servers, one after the other.
///
/// # Errors
///
/// When servers cannot be had or the harness fails.
pub async fn run_all_for_real(
    buyers: u8,
    seeds: Range<u64>,
    done: impl Fn(),
) -> Result<Vec<Finding>, WorldError> {
    let servers = servers::shared().await.map_err(|why| WorldError(why.to_string()))?;
    let workload = race::script_without_time(buyers);
    let mut found = Vec::new();
    for seed in seeds {
        let provider = provider();
        let system = system(&provider, WINDOW, Policy::default());
        let mut world = Real::start(system, servers).await?;
        let performance = perform(&draw(&workload, seed), &mut world, &provider, false).await;
        let how = broken(performance)?;
        if !how.is_empty() {
            found.push(Finding { seed, how, trace: world.trace().records() });
        }
        world.end().await;
        done();
    }
    Ok(found)
}

fn broken(performance: Result<Performance, PerformError>) -> Result<Vec<String>, WorldError> {
    match performance {
        Ok(performance) => Ok(performance.violations.iter().map(ToString::to_string).collect()),
        Err(PerformError::Stuck(stuck)) => Ok(vec![stuck.to_string()]),
        Err(PerformError::World(error)) => Err(error),
    }
}

fn provider() -> Provider {
    Provider::new(&Settings::rehearsal().provider.key)
}
