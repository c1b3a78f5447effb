//! Uniformly random order, from a seed.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::decision::Decision;
use super::interface::{Scheduler, SchedulingPoint};

/// Picks uniformly among the pending calls.
#[derive(Debug, Clone)]
pub struct Random {
    rng: ChaCha8Rng,
    /// Per mille.
    hurry: u32,
}

impl Random {
    /// The schedule of this seed, in which calls take no time.
    pub fn new(seed: u64) -> Self {
        Self::with_hurry(seed, 0)
    }

    /// The schedule of this seed, in which `hurry` of a thousand decisions advance time
    /// although calls are pending, so that calls appear slow.
    pub fn with_hurry(seed: u64, hurry: u32) -> Self {
        Self { rng: ChaCha8Rng::seed_from_u64(seed), hurry }
    }
}

impl Scheduler for Random {
    fn decide(&mut self, point: &SchedulingPoint<'_>) -> Decision {
        if self.hurry > 0 && point.timer.is_some() && self.rng.random_ratio(self.hurry, 1000) {
            return Decision::AdvanceTime;
        }
        let pending = point.pending.len();
        Decision::run(if pending == 1 { 0 } else { self.rng.random_range(0..pending) })
    }
}
