//! The path of the current run, and the alternatives left to try along it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use fixedbitset::FixedBitSet;

use super::counts::Counts;
use super::independence::{Coupling, Footprint};
use super::node::Node;
use super::{quiescence, races};
use crate::access::Access;
use crate::call::Call;
use crate::scheduler::interface::SchedulingPoint;

/// The state of a search.
pub(super) struct Tree {
    coupling: Coupling,
    pub(super) reduces: bool,
    path: Vec<Node>,
    /// The number of decisions of the current run so far.
    depth: usize,
    /// Whether the current run has reached a known quiescent state.
    joined: bool,
    given_up: bool,
    /// The keys of the quiescent states reached so far.
    known: BTreeSet<u64>,
    pub(super) counts: Counts,
}

impl Tree {
    pub(super) fn new(coupling: Coupling, reduces: bool) -> Self {
        Self {
            coupling,
            reduces,
            path: Vec::new(),
            depth: 0,
            joined: false,
            given_up: false,
            known: BTreeSet::new(),
            counts: Counts::default(),
        }
    }

    /// Begins a run.
    pub(super) fn begin(&mut self) {
        (self.depth, self.joined, self.given_up) = (0, false, false);
    }

    /// The position of the next call; `None` to stop the run.
    pub(super) fn choose(&mut self, point: &SchedulingPoint<'_>) -> Option<usize> {
        let at = self.depth;
        self.depth += 1;
        if self.joined {
            return Some(0);
        }
        if let Some(node) = self.path.get(at) {
            let same = node.pending.iter().eq(point.pending.iter().map(|call| &call.number));
            assert!(same, "decision {at} differs from the previous run: {}", listed(point.pending));
            return Some(node.position());
        }
        self.learn(at, point.accesses);
        let before = at.checked_sub(1).map(|before| &self.path[before]);
        if self.reduces
            && point.is_quiescent
            && before.is_none_or(|before| before.quiescent_count < point.quiescent_count)
            && !self.known.insert(quiescence::key(&self.path, point.now))
        {
            self.joined = true;
            self.counts.joined += 1;
            return Some(0);
        }
        let sleep = match before {
            Some(before) if self.reduces && before.quiescent_count == point.quiescent_count => {
                before.still_asleep(self.coupling)
            }
            _ => BTreeMap::new(),
        };
        let Some(node) = Node::new(point, sleep, self.reduces) else {
            self.given_up = true;
            return None;
        };
        let position = node.position();
        self.path.push(node);
        self.counts.states += 1;
        Some(position)
    }

    /// Ends the run; returns whether it reached its end.
    pub(super) fn end(&mut self, accesses: &[Access]) -> bool {
        if !self.joined && !self.given_up {
            self.learn(self.depth, accesses);
        }
        self.counts.longest = self.counts.longest.max(self.depth);
        let counter =
            if self.given_up { &mut self.counts.given_up } else { &mut self.counts.visited };
        *counter += 1;
        !self.given_up
    }

    /// Records the footprint of the step before this decision, and its races.
    fn learn(&mut self, decision: usize, accesses: &[Access]) {
        let Some(step) = decision.checked_sub(1) else { return };
        let node = &mut self.path[step];
        if node.footprint.is_some() {
            return;
        }
        node.footprint = Some(Arc::new(Footprint::new(node.caller(), accesses)));
        if self.reduces {
            races::find(&mut self.path, step, self.coupling);
        }
    }

    pub(super) fn go_back(&mut self) -> bool {
        while let Some(node) = self.path.last_mut() {
            let footprint = node.footprint.take().expect("the step has run");
            node.sleep.insert(node.chosen, footprint);
            let untried =
                |number: &&u64| node.backtrack.contains(number) && !node.sleep.contains_key(number);
            if let Some(&next) = node.pending.iter().find(untried) {
                node.chosen = next;
                node.past = FixedBitSet::new();
                return true;
            }
            self.counts.asleep += node.born_asleep as u64;
            self.counts.raceless += (node.pending.len() - node.sleep.len()) as u64;
            self.path.pop();
        }
        false
    }
}

fn listed(calls: &[Call]) -> String {
    calls.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}
