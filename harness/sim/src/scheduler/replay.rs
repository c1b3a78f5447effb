//! A recorded run.

use std::collections::BTreeMap;

use super::{Scheduler, SchedulingPoint};

/// Repeats recorded decisions; where none is recorded, the call that has waited longest goes
/// on.
#[derive(Debug, Clone, Default)]
pub struct Replay {
    deviations: BTreeMap<u32, u32>,
    decided: u32,
}

impl Replay {
    /// A run in the polite order but for these decisions: their number in the run, from 0,
    /// and the position chosen.
    pub fn new(deviations: impl IntoIterator<Item = (u32, u32)>) -> Self {
        Self { deviations: deviations.into_iter().collect(), decided: 0 }
    }

    /// Where recorded decisions deviate from the polite order.
    pub fn deviations(decisions: &[u32]) -> Vec<(u32, u32)> {
        (0..).zip(decisions.iter().copied()).filter(|(_, chosen)| *chosen != 0).collect()
    }
}

impl Scheduler for Replay {
    fn choose(&mut self, moment: &SchedulingPoint<'_>) -> usize {
        let chosen = self.deviations.get(&self.decided).copied().unwrap_or_default();
        self.decided += 1;
        let options = moment.parked.len() + usize::from(moment.timer.is_some());
        // A shrunk run may have fewer calls to choose from than the recorded one had.
        usize::try_from(chosen).map_or(0, |chosen| chosen.min(options - 1))
    }
}
