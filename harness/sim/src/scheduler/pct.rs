//! Probabilistic concurrency testing, after Burckhardt, Kothari, Musuvathi and Nagarakatte,
//! «A randomized scheduler with probabilistic guarantees of finding bugs» (ASPLOS 2010).
//!
//! Each lane has a random priority and the highest goes on; at `depth - 1` random moments the
//! running lane drops below all others. A bug that needs `d` such orderings among `n` lanes
//! and `k` decisions is found with a probability of at least 1/(n k^(d-1)).

use std::collections::BTreeMap;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::{Scheduler, SchedulingPoint};

/// Picks the lane of highest priority.
#[derive(Debug, Clone)]
pub struct Pct {
    rng: ChaCha8Rng,
    /// Decisions at which the running lane drops, ascending.
    drops: Vec<u32>,
    priorities: BTreeMap<u64, i64>,
    decided: u32,
    /// The next priority below all others.
    bottom: i64,
}

impl Pct {
    /// The run of this seed, for bugs of this depth in runs of about `length` decisions.
    pub fn new(seed: u64, depth: u32, length: u32) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let drops = 1..depth.max(1);
        let mut drops: Vec<u32> = drops.map(|_| rng.random_range(0..length.max(1))).collect();
        drops.sort_unstable();
        Self { rng, drops, priorities: BTreeMap::new(), decided: 0, bottom: -1 }
    }
}

impl Scheduler for Pct {
    fn choose(&mut self, moment: &SchedulingPoint<'_>) -> usize {
        for call in moment.parked {
            let rng = &mut self.rng;
            self.priorities.entry(call.lane).or_insert_with(|| rng.random_range(0..i64::MAX));
        }
        let highest = |priorities: &BTreeMap<u64, i64>| {
            let order = |at: &usize| (priorities[&moment.parked[*at].lane], usize::MAX - at);
            (0..moment.parked.len()).max_by_key(order).expect("a call is parked")
        };
        let mut chosen = highest(&self.priorities);
        while self.drops.first().is_some_and(|&at| at <= self.decided) {
            self.drops.remove(0);
            self.priorities.insert(moment.parked[chosen].lane, self.bottom);
            self.bottom -= 1;
            chosen = highest(&self.priorities);
        }
        self.decided += 1;
        chosen
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::{Call, Port};

    #[test]
    fn a_lane_goes_on_until_it_drops() {
        let call = |lane| Call { lane, ..Call::new(1, Port::Store, "get", String::new()) };
        let (one, two) = (call(1), call(2));
        let parked = [&one, &two];
        let moment = SchedulingPoint::new(&parked);
        let mut steady = Pct::new(7, 1, 100);
        let first = steady.choose(&moment);
        assert!((0..50).all(|_| steady.choose(&moment) == first));
        let mut changing = Pct::new(7, 2, 20);
        let choices: Vec<_> = (0..40).map(|_| changing.choose(&moment)).collect();
        let changes = choices.windows(2).filter(|pair| pair[0] != pair[1]).count();
        assert_eq!(changes, 1, "{choices:?}");
    }
}
