//! A recorded run.

use std::collections::BTreeMap;

use super::decision::Decision;
use super::interface::{Scheduler, SchedulingPoint};

/// Repeats recorded decisions, and schedules FIFO where none is recorded.
#[derive(Debug, Clone, Default)]
pub struct Replay {
    deviations: BTreeMap<u32, Decision>,
    decided: u32,
}

impl Replay {
    /// A FIFO schedule with these deviations, each with its number among the decisions of the
    /// run, from 0.
    pub fn new(deviations: impl IntoIterator<Item = (u32, Decision)>) -> Self {
        Self { deviations: deviations.into_iter().collect(), decided: 0 }
    }

    /// The recorded decisions that deviate from FIFO, each with its number.
    pub fn deviations(decisions: &[Decision]) -> Vec<(u32, Decision)> {
        let numbered = (0..).zip(decisions.iter().copied());
        numbered.filter(|(_, decision)| *decision != Decision::FIFO).collect()
    }
}

impl Scheduler for Replay {
    fn decide(&mut self, point: &SchedulingPoint<'_>) -> Decision {
        let recorded = self.deviations.get(&self.decided).copied();
        self.decided += 1;
        // A shrunk run may offer fewer options than the recorded run did.
        match recorded.unwrap_or(Decision::FIFO) {
            Decision::Run(position) => {
                let last = point.pending.len() - 1;
                Decision::run(last.min(position as usize))
            }
            Decision::AdvanceTime if point.timer.is_none() => Decision::FIFO,
            other => other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::call::{Call, Operation, Port};

    #[test]
    fn a_deviation_is_bounded_by_the_options_of_the_replayed_run() {
        let call = || Call::new(1, Port::Store, Operation::Get, String::new());
        let pending = [call(), call()];
        let point = SchedulingPoint::new(&pending);
        let recorded = [(1, Decision::Run(7)), (2, Decision::AdvanceTime), (3, Decision::Run(1))];
        let mut replay = Replay::new(recorded);
        let replayed: Vec<Decision> = (0..5).map(|_| replay.decide(&point)).collect();
        assert_eq!(replayed, [0, 1, 0, 1, 0].map(Decision::Run));
        assert_eq!(Replay::deviations(&replayed), [(1, Decision::Run(1)), (3, Decision::Run(1))]);
    }
}
