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
use crate::access::digest;

/// The digest of the quiescent state at the end of the path. States are compared by it alone;
/// see "Hash compaction" in [`crate::scheduler::exhaustive`].
pub(super) fn key(path: &[Node], now: Timestamp) -> u64 {
    let mut changes: BTreeMap<u64, u64> = BTreeMap::new();
    let mut searches: BTreeMap<u64, i128> = BTreeMap::new();
    for node in path {
        let footprint = node.footprint.as_ref().expect("every step of the path has run");
        for &(resource, value) in footprint.durable() {
            let history = changes.entry(resource.number()).or_default();
            *history = digest((*history, value));
        }
        for search in footprint.background_searches() {
            searches.insert(search, node.now.as_nanosecond());
        }
    }
    digest((changes, searches, now.as_nanosecond()))
}
