//! Schedules as delays: while decisions deviate from FIFO one after the other, one and the same
//! call waits. A schedule of few delays is easier to read than one of many, however many calls
//! run during each.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::case::Decision;

/// A decision that deviates from FIFO, with its number.
pub(super) type Deviation = (u32, Decision);

/// The maximum number of calls that run during a random delay.
const LONGEST: u32 = 48;

/// The deviations, delay by delay. A FIFO decision between two deviations runs the call that
/// waited, so the numbers of one delay have no gap.
pub(super) fn delays(deviations: &[Deviation]) -> Vec<Vec<Deviation>> {
    let delays = deviations.chunk_by(|(one, _), (next, _)| one + 1 == *next);
    delays.map(<[Deviation]>::to_vec).collect()
}

/// The number of delays, then that of deviations: the smaller, the simpler the schedule.
pub(super) fn size(deviations: &[Deviation]) -> (usize, usize) {
    (delays(deviations).len(), deviations.len())
}

/// A random schedule of this many delays in a run of about `length` decisions: the same seed, the
/// same schedule. During a delay the other calls run in FIFO order.
pub(super) fn sparse(seed: u64, delays: usize, length: u32) -> Vec<Deviation> {
    let mut chance = ChaCha8Rng::seed_from_u64(seed);
    let mut deviations = std::collections::BTreeMap::new();
    for _ in 0..delays {
        let from = chance.random_range(0..length.max(1));
        let decision = Decision::Run(if chance.random_bool(0.75) { 1 } else { 2 });
        let calls = if chance.random_bool(0.5) { 1 } else { chance.random_range(2..=LONGEST) };
        deviations.extend((from..from + calls).map(|number| (number, decision)));
    }
    deviations.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const OTHER: Decision = Decision::Run(1);

    #[test]
    fn a_gap_ends_a_delay() {
        let deviations = [3, 4, 5, 9, 11].map(|number| (number, OTHER));
        let lengths: Vec<usize> = delays(&deviations).iter().map(Vec::len).collect();
        assert_eq!(lengths, [3, 1, 1]);
        assert_eq!(size(&deviations), (3, 5));
        assert_eq!(delays(&deviations).concat(), deviations);
    }

    #[test]
    fn a_sparse_schedule_has_few_delays_and_depends_on_its_seed_alone() {
        for seed in 0..200 {
            let schedule = sparse(seed, 2, 100);
            assert!((1..=2).contains(&size(&schedule).0), "{schedule:?}");
            assert_eq!(schedule, sparse(seed, 2, 100));
        }
    }
}
