//! Races: a workload under a random schedule, in simulation, by seed.

use std::time::Duration;

use futures::FutureExt;
use harness::sim::Simulated;
use harness::sim::chooser::Random;
use harness::system::System;
use harness::world::World;
use platform::run::Policy;
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use crate::invariants::Evidence;
use crate::perform::{self, PerformError, Performance};
use crate::provider::Provider;
use crate::script::Script;
use crate::system::system;
use crate::workloads::trouble::Trouble;

/// What this seed draws from a workload.
pub fn draw<T>(workload: &impl Strategy<Value = T>, seed: u64) -> T {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    let tree = workload.new_tree(&mut runner).expect("a workload rejects nothing");
    tree.current()
}

/// Carries out a script in simulation, under this seed's schedule.
///
/// # Errors
///
/// When the system does not come to rest.
pub fn simulate(script: &Script, seed: u64) -> Result<(Performance, Simulated), PerformError> {
    let (evidence, world) = simulate_in(script, seed, std::convert::identity, &Trouble::default())?;
    Ok((Performance::of(&evidence), world))
}

/// Carries out a script in simulation, under this seed's schedule, in a system that `alter`
/// makes of ours, with this trouble.
///
/// # Errors
///
/// When the system does not come to rest.
pub fn simulate_in(
    script: &Script,
    seed: u64,
    alter: fn(System) -> System,
    trouble: &Trouble,
) -> Result<(Evidence, Simulated), PerformError> {
    let provider = Provider::new(&ticketing::Settings::rehearsal().provider.key);
    let system = alter(system(&provider, Duration::from_secs(15 * 60), Policy::default()));
    let mut world = Simulated::start(system, seed, Box::new(Random::new(seed)));
    trouble.rules.iter().for_each(|rule| world.faults().add(rule.clone()));
    provider.lose_next_answers(trouble.lost_answers);
    let evidence = perform::play(script, &mut world, &provider, true).now_or_never();
    let evidence = evidence.expect("a simulated world never waits for anything outside")?;
    Ok((evidence, world))
}
