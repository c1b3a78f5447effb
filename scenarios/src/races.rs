//! Races: a workload under a random schedule, in simulation, by seed.

use std::time::Duration;

use futures::FutureExt;
use harness::sim::Simulated;
use harness::sim::chooser::Random;
use platform::run::Policy;
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use crate::perform::{PerformError, Performance, perform};
use crate::provider::Provider;
use crate::script::Script;
use crate::system::system;

/// The script that this seed draws from a workload.
pub fn draw(workload: &impl Strategy<Value = Script>, seed: u64) -> Script {
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
    let provider = Provider::new(&ticketing::Settings::rehearsal().provider.key);
    let system = system(&provider, Duration::from_secs(15 * 60), Policy::default());
    let mut world = Simulated::start(system, seed, Box::new(Random::new(seed)));
    let performance = perform(script, &mut world, &provider, true).now_or_never();
    let performance = performance.expect("a simulated world never waits for anything outside")?;
    Ok((performance, world))
}
