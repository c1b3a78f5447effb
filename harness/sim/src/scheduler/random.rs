//! Uniformly random, by seed.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::{Scheduler, SchedulingPoint};

/// Picks among the parked calls uniformly.
#[derive(Debug, Clone)]
pub struct Random {
    rng: ChaCha8Rng,
    /// In how many of a thousand decisions time passes although calls are parked.
    hurry: u32,
}

impl Random {
    /// The run of this seed, in which calls take no time.
    pub fn new(seed: u64) -> Self {
        Self::with_hurry(seed, 0)
    }

    /// The run of this seed, in which time passes in `hurry` of a thousand decisions although
    /// calls are parked: calls take their time.
    pub fn with_hurry(seed: u64, hurry: u32) -> Self {
        Self { rng: ChaCha8Rng::seed_from_u64(seed), hurry }
    }
}

impl Scheduler for Random {
    fn choose(&mut self, moment: &SchedulingPoint<'_>) -> usize {
        let parked = moment.parked.len();
        if self.hurry > 0 && moment.timer.is_some() && self.rng.random_ratio(self.hurry, 1000) {
            return parked;
        }
        if parked == 1 { 0 } else { self.rng.random_range(0..parked) }
    }
}
