//! Where a run stands when the whole system is at rest.
//!
//! At rest no handler is under way and every task waits for its time, so nothing is kept in
//! the middle of any code: what can come is decided by what lies in the stores, in the broker,
//! outside, in memory, and by when each task looked last. All of this is a function of the
//! lasting changes of each thing, in their order. What people were answered is among them.
//!
//! What a run did on the way there and left no trace of is not: a promise that is judged by
//! the record alone is judged on one of the ways, from here on.

use std::collections::BTreeMap;

use ports::Timestamp;

use super::tree::Node;
use crate::access::digest;

/// The digest of where the path has led to.
pub(super) fn key(path: &[Node], now: Timestamp) -> u64 {
    let mut changes: BTreeMap<u64, u64> = BTreeMap::new();
    let mut looks: BTreeMap<u64, i128> = BTreeMap::new();
    for node in path {
        let print = node.print.as_ref().expect("every step of the path was made");
        for &(thing, value) in print.lasting() {
            let history = changes.entry(thing.number()).or_default();
            *history = digest((*history, value));
        }
        for look in print.looks() {
            looks.insert(look, node.now.as_nanosecond());
        }
    }
    digest((changes, looks, now.as_nanosecond()))
}
