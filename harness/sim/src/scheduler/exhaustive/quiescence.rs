//! The identity of a quiescent state.
//!
//! In a quiescent state no handler is running and every task waits for a time, so no code holds
//! intermediate state: the stores, the broker, the external services, memory, and the time of
//! each task's last search determine everything that can follow. All of these are functions of
//! the durable changes of each resource, in their order. The replies to clients are among them.
//!
//! An effect that left no durable change is not part of the key: an invariant that is judged by
//! the trace alone is judged on one of the ways into the state.

use std::collections::BTreeMap;

use ports::Timestamp;

use super::node::Node;
use crate::digest::Digest;

/// The digest of the quiescent state at the end of the path. States are compared by it alone;
/// see "Hash compaction" in [`crate::scheduler::exhaustive`].
pub(super) fn key(path: &[Node], now: Timestamp) -> u64 {
    let mut changes: BTreeMap<u64, Digest> = BTreeMap::new();
    let mut searches: BTreeMap<u64, Timestamp> = BTreeMap::new();
    for node in path {
        let footprint = node.footprint.as_ref().expect("every step of the path has run");
        for &(resource, value) in footprint.durable() {
            let history = changes.entry(resource.number());
            let history = history.or_insert_with(|| Digest::new("history"));
            *history = history.number(value);
        }
        for search in footprint.background_searches() {
            searches.insert(search, node.now);
        }
    }
    let mut state = Digest::new("quiescence").time(now).number(changes.len() as u64);
    for (resource, history) in changes {
        state = state.number(resource).number(history.finish());
    }
    for (search, last) in searches {
        state = state.number(search).time(last);
    }
    state.finish()
}
