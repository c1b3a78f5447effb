//! A decision on the path of the search, and the step that followed it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use fixedbitset::FixedBitSet;
use ports::Timestamp;

use super::independence::{Coupling, Footprint};
use crate::call::Call;
use crate::scheduler::interface::SchedulingPoint;

/// A decision on the path.
pub(super) struct Node {
    pub(super) now: Timestamp,
    pub(super) quiescent_count: u64,
    /// The numbers of the pending calls, oldest first.
    pub(super) pending: Vec<u64>,
    /// The calling instance of each.
    callers: Vec<u32>,
    /// The calls that were explored from here or were asleep on arrival, with the footprint of
    /// the step that each would take.
    pub(super) sleep: BTreeMap<u64, Arc<Footprint>>,
    /// The calls to explore from here, explored or not.
    pub(super) backtrack: BTreeSet<u64>,
    pub(super) chosen: u64,
    /// The footprint of the step, once it is known.
    pub(super) footprint: Option<Arc<Footprint>>,
    /// The steps since the last quiescence that happened before this one, by their distance
    /// from the first of them.
    pub(super) past: FixedBitSet,
    pub(super) born_asleep: usize,
}

impl Node {
    /// A decision with these calls asleep; `None` where every pending call sleeps. Without
    /// `reduces`, every pending call is to be explored.
    pub(super) fn new(
        point: &SchedulingPoint<'_>,
        sleep: BTreeMap<u64, Arc<Footprint>>,
        reduces: bool,
    ) -> Option<Self> {
        let number = |call: &Call| call.number;
        let chosen = point.pending.iter().map(number).find(|n| !sleep.contains_key(n))?;
        let pending: Vec<u64> = point.pending.iter().map(number).collect();
        let backtrack =
            if reduces { BTreeSet::from([chosen]) } else { pending.iter().copied().collect() };
        Some(Self {
            now: point.now,
            quiescent_count: point.quiescent_count,
            callers: point.pending.iter().map(|call| call.instance).collect(),
            pending,
            born_asleep: sleep.len(),
            sleep,
            backtrack,
            chosen,
            footprint: None,
            past: FixedBitSet::new(),
        })
    }

    /// The position of the chosen call among the pending calls.
    pub(super) fn position(&self) -> usize {
        let position = self.pending.iter().position(|&number| number == self.chosen);
        position.expect("the chosen call was pending")
    }

    /// The instance that took the step.
    pub(super) fn caller(&self) -> u32 {
        self.callers[self.position()]
    }

    /// The calls that still sleep after the step: those that are independent of it.
    pub(super) fn still_asleep(&self, coupling: Coupling) -> BTreeMap<u64, Arc<Footprint>> {
        let step = self.footprint.as_ref().expect("the step has run");
        let asleep = |&(number, other): &(&u64, &Arc<Footprint>)| {
            *number != self.chosen && !other.depends_on(step, coupling)
        };
        let sleeping = self.sleep.iter().filter(asleep);
        sleeping.map(|(&number, other)| (number, Arc::clone(other))).collect()
    }
}
