//! Probabilistic concurrency testing, after Burckhardt, Kothari, Musuvathi and Nagarakatte,
//! "A randomized scheduler with probabilistic guarantees of finding bugs" (ASPLOS 2010).
//!
//! Each causal chain has a random priority, and the call of the highest one runs; at `depth - 1`
//! random decisions the running chain drops below all others. For a bug that needs `d` such
//! orderings among `n` chains and `k` decisions, the probability of finding it in one run is at
//! least 1/(n k^(d-1)).

use std::cmp::Reverse;
use std::collections::BTreeMap;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::decision::Decision;
use super::interface::{Scheduler, SchedulingPoint};

/// Runs the call of the causal chain with the highest priority.
#[derive(Debug, Clone)]
pub struct Pct {
    rng: ChaCha8Rng,
    /// The numbers of the decisions at which the running chain drops, ascending.
    drops: Vec<u32>,
    priorities: BTreeMap<u64, i64>,
    decided: u32,
    /// A priority below all that are in use.
    bottom: i64,
}

impl Pct {
    /// The schedule of this seed, for bugs that need `depth` orderings in runs of about
    /// `length` decisions.
    pub fn new(seed: u64, depth: u32, length: u32) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let drops = 1..depth.max(1);
        let mut drops: Vec<u32> = drops.map(|_| rng.random_range(0..length.max(1))).collect();
        drops.sort_unstable();
        Self { rng, drops, priorities: BTreeMap::new(), decided: 0, bottom: -1 }
    }

    /// The position of the call with the highest priority; of several, the oldest.
    fn highest(&self, point: &SchedulingPoint<'_>) -> usize {
        let order = |at: &usize| (self.priorities[&point.pending[*at].causal_chain], Reverse(*at));
        (0..point.pending.len()).max_by_key(order).expect("at least one call is pending")
    }
}

impl Scheduler for Pct {
    fn decide(&mut self, point: &SchedulingPoint<'_>) -> Decision {
        for call in point.pending {
            let random = || self.rng.random_range(0..i64::MAX);
            self.priorities.entry(call.causal_chain).or_insert_with(random);
        }
        let mut chosen = self.highest(point);
        while self.drops.first().is_some_and(|&at| at <= self.decided) {
            self.drops.remove(0);
            self.priorities.insert(point.pending[chosen].causal_chain, self.bottom);
            self.bottom -= 1;
            chosen = self.highest(point);
        }
        self.decided += 1;
        Decision::run(chosen)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::call::{Call, Operation, Port};

    #[test]
    fn a_chain_runs_until_its_priority_drops() {
        let call = |causal_chain| Call {
            causal_chain,
            ..Call::new(1, Port::Store, Operation::Get, String::new())
        };
        let pending = [call(1), call(2)];
        let point = SchedulingPoint::new(&pending);
        let mut steady = Pct::new(7, 1, 100);
        let first = steady.decide(&point);
        assert!((0..50).all(|_| steady.decide(&point) == first));
        let mut changing = Pct::new(7, 2, 20);
        let decisions: Vec<_> = (0..40).map(|_| changing.decide(&point)).collect();
        let changes = decisions.windows(2).filter(|pair| pair[0] != pair[1]).count();
        assert_eq!(changes, 1, "{decisions:?}");
    }
}
