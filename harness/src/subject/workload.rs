//! Workloads: generators of scripts; and scopes: small scripts whose schedules are exhausted.

use proptest::strategy::{BoxedStrategy, Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use crate::script::Script;

/// A workload: a generator of scripts.
#[derive(Debug, Clone, Copy)]
pub struct Workload<O> {
    /// Its name, as on the command line.
    pub name: &'static str,
    /// A sentence about it.
    pub about: &'static str,
    /// The scripts that it draws.
    pub scripts: fn() -> BoxedStrategy<Script<O>>,
}

/// A small script whose schedules are explored exhaustively.
#[derive(Debug, Clone, Copy)]
pub struct Scope<O> {
    /// Its name, as on the command line.
    pub name: &'static str,
    /// A sentence about it.
    pub about: &'static str,
    /// The script.
    pub script: fn() -> Script<O>,
    /// The number of its rounds that run first in FIFO order, unexplored.
    pub lead: usize,
}

/// A sale that `load` repeats at a fixed rate, without chance. Sales run side by side, so an
/// operation that comes too early is not sent again.
#[derive(Debug, Clone, Copy)]
pub struct Sale<O> {
    /// The things for sale, as a plural: also the name of the argument with their number.
    pub things: &'static str,
    /// The script in which these many buyers compete for these many things, and those that get one
    /// go on.
    pub script: fn(usize, usize) -> Script<O>,
}

/// Draws one script: the same seed, the same script.
///
/// # Panics
///
/// When the strategy rejects.
pub fn draw<O: std::fmt::Debug>(strategy: &BoxedStrategy<Script<O>>, seed: u64) -> Script<O> {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    let tree = strategy.new_tree(&mut runner).expect("a workload rejects nothing");
    tree.current()
}
