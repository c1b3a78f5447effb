//! Races in the run as it happened, and where to come back for them.
//!
//! A step happens before another if it caused it, by parking its call, or if the two depend on
//! each other and it came first; and so on through others.

use std::collections::BTreeSet;

use super::independence::Coupling;
use super::tree::Node;

/// The steps since the last rest that happened before one, by their distance from the first
/// of these.
#[derive(Debug, Clone, Default)]
pub(super) struct Past(Vec<u64>);

impl Past {
    fn holds(&self, step: usize) -> bool {
        self.0.get(step / 64).is_some_and(|word| word >> (step % 64) & 1 == 1)
    }

    fn add(&mut self, step: usize) {
        if self.0.len() <= step / 64 {
            self.0.resize(step / 64 + 1, 0);
        }
        self.0[step / 64] |= 1 << (step % 64);
    }

    fn add_all(&mut self, other: &Self) {
        if self.0.len() < other.0.len() {
            self.0.resize(other.0.len(), 0);
        }
        self.0.iter_mut().zip(&other.0).for_each(|(word, other)| *word |= other);
    }
}

/// Finds what this step, the newest, happened after, and marks at the decision of each step
/// that it races with what is to be tried there instead.
pub(super) fn find(path: &mut [Node], step: usize, coupling: Coupling) {
    let rests = path[step].rests;
    let first = path[..step].iter().rposition(|node| node.rests != rests).map_or(0, |at| at + 1);
    let mut past = Past::default();
    if let Some(cause) = cause(path, first, step) {
        past.add(cause - first);
        past.add_all(&path[cause].past.clone());
    }
    let print = path[step].print.clone().expect("the step was just made");
    for earlier in (first..step).rev() {
        if past.holds(earlier - first) {
            continue;
        }
        let node = &path[earlier];
        if !node.print.as_ref().is_some_and(|other| other.depends_on(&print, coupling)) {
            continue;
        }
        // Everything between that happened after it is in the past already or independent.
        reverse(path, first, earlier, step, &past);
        past.add_all(&path[earlier].past.clone());
        past.add(earlier - first);
    }
    path[step].past = past;
}

/// The step in which the call of this one was parked, if that was after the last rest.
fn cause(path: &[Node], first: usize, step: usize) -> Option<usize> {
    let number = path[step].chosen;
    // It was parked at the first decision that could have chosen it.
    let seen = path[first..=step].partition_point(|node| !node.parked.contains(&number));
    (first + seen).checked_sub(1).filter(|&cause| cause >= first)
}

/// Marks that `step` is to come before `earlier`: any step that can begin the way there will
/// do, unless one is to be tried or was seen already.
fn reverse(path: &mut [Node], first: usize, earlier: usize, step: usize, past: &Past) {
    let mut firsts = BTreeSet::new();
    let mut way = Past::default();
    for (at, node) in path.iter().enumerate().take(step + 1).skip(earlier + 1) {
        let own = if at == step { past } else { &node.past };
        if at < step && own.holds(earlier - first) {
            continue;
        }
        let is_first = !(earlier + 1..at).any(|on| way.holds(on - first) && own.holds(on - first));
        if is_first {
            firsts.insert(node.chosen);
        }
        way.add(at - first);
    }
    let node = &mut path[earlier];
    if firsts.iter().any(|call| node.backtrack.contains(call) || node.sleep.contains_key(call)) {
        return;
    }
    // Whatever can begin the way there was parked at that decision.
    let next = node.parked.iter().copied().find(|call| firsts.contains(call));
    match next {
        Some(next) => drop(node.backtrack.insert(next)),
        None => node.backtrack.extend(node.parked.iter().copied()),
    }
}
