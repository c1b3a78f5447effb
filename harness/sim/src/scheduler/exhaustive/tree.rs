//! The path of the run under way, and what is left to try along it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use ports::Timestamp;

use super::Counts;
use super::independence::{Coupling, Footprint};
use super::races::Past;
use super::rest;
use crate::access::Access;
use crate::scheduler::SchedulingPoint;

/// A decision on the path, and the step that it led to.
pub(super) struct Node {
    pub(super) now: Timestamp,
    pub(super) rests: u64,
    /// The calls to choose from, by number, as they were parked.
    pub(super) parked: Vec<u64>,
    /// What was seen from here, and what came here asleep, each with what it would do.
    pub(super) sleep: BTreeMap<u64, Arc<Footprint>>,
    /// What is to be tried, tried or not.
    pub(super) backtrack: BTreeSet<u64>,
    pub(super) chosen: u64,
    /// Which instance each of these calls is from.
    callers: Vec<u32>,
    /// What the step did, once it is known.
    pub(super) print: Option<Arc<Footprint>>,
    /// The steps since the last rest that happened before this one.
    pub(super) past: Past,
    born_asleep: usize,
}

/// The search's state.
pub(super) struct Tree {
    coupling: Coupling,
    reduces: bool,
    pub(super) path: Vec<Node>,
    /// How many decisions of the run under way were made.
    depth: usize,
    /// Whether what comes is not branched on, because it was before.
    joined: bool,
    given_up: bool,
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

    /// A run begins.
    pub(super) fn begin(&mut self) {
        (self.depth, self.joined, self.given_up) = (0, false, false);
    }

    /// Which call goes on, by position; `None` to give the run up.
    pub(super) fn choose(&mut self, moment: &SchedulingPoint<'_>) -> Option<usize> {
        let at = self.depth;
        self.depth += 1;
        if self.joined {
            return Some(0);
        }
        if let Some(node) = self.path.get(at) {
            let same = node.parked.iter().eq(moment.parked.iter().map(|call| &call.number));
            assert!(same, "decision {at} is another one than in the run before: {moment:?}");
            return self.path[at].position();
        }
        self.learn(at, moment.accesses);
        let before = at.checked_sub(1).map(|before| &self.path[before]);
        if self.reduces
            && moment.settled
            && before.is_none_or(|before| before.rests < moment.rests)
            && !self.known.insert(rest::key(&self.path, moment.now))
        {
            self.joined = true;
            self.counts.joined += 1;
            return Some(0);
        }
        let Some(node) = self.node(moment) else {
            self.given_up = true;
            return None;
        };
        let position = node.position();
        self.path.push(node);
        self.counts.states += 1;
        position
    }

    /// The decision at the end of the path; `None` where all that is parked sleeps.
    fn node(&self, moment: &SchedulingPoint<'_>) -> Option<Node> {
        let parked: Vec<u64> = moment.parked.iter().map(|call| call.number).collect();
        let sleep = match self.path.last() {
            Some(before) if self.reduces && before.rests == moment.rests => {
                before.still_asleep(self.coupling)
            }
            _ => BTreeMap::new(),
        };
        let at = parked.iter().position(|number| !sleep.contains_key(number))?;
        let chosen = parked[at];
        let backtrack =
            if self.reduces { BTreeSet::from([chosen]) } else { parked.iter().copied().collect() };
        Some(Node {
            now: moment.now,
            rests: moment.rests,
            parked,
            born_asleep: sleep.len(),
            sleep,
            backtrack,
            chosen,
            callers: moment.parked.iter().map(|call| call.instance).collect(),
            print: None,
            past: Past::default(),
        })
    }

    /// The run has ended; returns whether it was seen to its end.
    pub(super) fn end(&mut self, take_accesses: &[Access]) -> bool {
        if !self.joined && !self.given_up {
            self.learn(self.depth, take_accesses);
        }
        self.counts.longest = self.counts.longest.max(self.depth);
        let counter =
            if self.given_up { &mut self.counts.given_up } else { &mut self.counts.visited };
        *counter += 1;
        !self.given_up
    }

    /// Takes in what the step before the decision of this number did, and what it races with.
    fn learn(&mut self, at: usize, accesses: &[Access]) {
        let Some(step) = at.checked_sub(1).filter(|&step| self.path[step].print.is_none()) else {
            return;
        };
        let node = &self.path[step];
        let caller = node.position().map_or(0, |at| node.callers[at]);
        let print = Footprint::new(caller, accesses);
        self.path[step].print = Some(Arc::new(print));
        if self.reduces {
            super::races::find(&mut self.path, step, self.coupling);
        }
    }

    pub(super) fn go_back(&mut self) -> bool {
        while let Some(node) = self.path.last_mut() {
            let print = node.print.take().expect("the step was made");
            node.sleep.insert(node.chosen, print);
            let sleep = &node.sleep;
            let next = node.parked.iter().copied();
            let next = next
                .into_iter()
                .find(|number| node.backtrack.contains(number) && !sleep.contains_key(number));
            if let Some(next) = next {
                node.chosen = next;
                node.past = Past::default();
                return true;
            }
            self.counts.asleep += node.born_asleep as u64;
            self.counts.raceless += (node.parked.len() - node.sleep.len()) as u64;
            self.path.pop();
        }
        false
    }
}

impl Node {
    fn position(&self) -> Option<usize> {
        self.parked.iter().position(|&number| number == self.chosen)
    }

    /// What sleeps after the step: whatever slept before it and is independent of it.
    fn still_asleep(&self, coupling: Coupling) -> BTreeMap<u64, Arc<Footprint>> {
        let print = self.print.as_ref().expect("the step was made");
        let sleeping = self.sleep.iter().filter(|(number, other)| {
            **number != self.chosen && !other.depends_on(print, coupling)
        });
        sleeping.map(|(&number, other)| (number, Arc::clone(other))).collect()
    }
}
