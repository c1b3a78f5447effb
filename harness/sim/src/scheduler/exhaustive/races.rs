//! Races in an executed run, and the decisions to return to because of them.
//!
//! A step happens before another if it caused it, by making its call pending, or if the two are
//! dependent and it ran first; and transitively.

use std::collections::BTreeSet;
use std::sync::Arc;

use fixedbitset::FixedBitSet;

use super::independence::Coupling;
use super::node::Node;

/// Determines the past of this step, the newest, and adds an alternative to the decision of
/// each step that it races with.
pub(super) fn find(path: &mut [Node], step: usize, coupling: Coupling) {
    let count = path[step].quiescent_count;
    let before = path[..step].iter().rposition(|node| node.quiescent_count != count);
    let first = before.map_or(0, |at| at + 1);
    let mut past = FixedBitSet::with_capacity(step - first);
    if let Some(cause) = cause(path, first, step) {
        past.insert(cause - first);
        past.union_with(&path[cause].past);
    }
    let own = Arc::clone(path[step].footprint.as_ref().expect("the step has run"));
    for earlier in (first..step).rev() {
        if past.contains(earlier - first) {
            continue;
        }
        let other = path[earlier].footprint.as_ref().expect("the step has run");
        if !other.depends_on(&own, coupling) {
            continue;
        }
        // Every step between the two that happened after the earlier one is in the past already,
        // or independent of this step.
        reverse(path, first, earlier, step, &past);
        past.union_with(&path[earlier].past);
        past.insert(earlier - first);
    }
    path[step].past = past;
}

/// The step that made the call of this one pending, if that was after the last quiescence.
fn cause(path: &[Node], first: usize, step: usize) -> Option<usize> {
    let number = path[step].chosen;
    // The call was made pending right before the first decision that could have chosen it.
    let seen = path[first..=step].partition_point(|node| !node.pending.contains(&number));
    (first + seen).checked_sub(1).filter(|&cause| cause >= first)
}

/// Makes `step` run before `earlier` in some later run: adds a first step of that reversal to
/// the decision of `earlier`, unless one is to be explored there or was explored before.
fn reverse(path: &mut [Node], first: usize, earlier: usize, step: usize, past: &FixedBitSet) {
    let mut firsts = BTreeSet::new();
    let mut way = FixedBitSet::with_capacity(step + 1 - first);
    for (at, node) in path.iter().enumerate().take(step + 1).skip(earlier + 1) {
        let own = if at == step { past } else { &node.past };
        if at < step && own.contains(earlier - first) {
            continue;
        }
        if way.is_disjoint(own) {
            firsts.insert(node.chosen);
        }
        way.insert(at - first);
    }
    let node = &mut path[earlier];
    if firsts.iter().any(|call| node.backtrack.contains(call) || node.sleep.contains_key(call)) {
        return;
    }
    // A first step of the reversal was pending at that decision, unless a step between made it
    // so; then all calls are alternatives.
    match node.pending.iter().copied().find(|call| firsts.contains(call)) {
        Some(next) => drop(node.backtrack.insert(next)),
        None => node.backtrack.extend(node.pending.iter().copied()),
    }
}
