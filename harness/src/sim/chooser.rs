//! Who decides: a chooser picks one of the calls that could go on next.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::kernel::Call;

/// Makes the decisions of a run.
pub trait Chooser: Send {
    /// Which of these parked calls (never none, oldest first) goes on next.
    fn choose(&mut self, parked: &[&Call]) -> usize;
}

/// Uniformly random, by seed.
#[derive(Debug, Clone)]
pub struct Random(ChaCha8Rng);

impl Random {
    /// The run of this seed.
    pub fn new(seed: u64) -> Self {
        Self(ChaCha8Rng::seed_from_u64(seed))
    }
}

impl Chooser for Random {
    fn choose(&mut self, parked: &[&Call]) -> usize {
        self.0.random_range(0..parked.len())
    }
}

/// Always the call that has waited longest: the polite order.
#[derive(Debug, Clone, Copy, Default)]
pub struct InOrder;

impl Chooser for InOrder {
    fn choose(&mut self, _parked: &[&Call]) -> usize {
        0
    }
}
