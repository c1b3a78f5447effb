//! Renewals: events that are published again, much later, before they leave the stream.

use std::collections::BTreeMap;
use std::time::Duration;

use ports::Timestamp;
use ports::clock::after;

/// The first publish of each version, by a key that names it.
#[derive(Debug)]
pub struct Renewals<K> {
    first: BTreeMap<K, Timestamp>,
    /// The time after which another message of the same version is a renewal; `None` where there
    /// are none.
    after: Option<Duration>,
}

impl<K: Ord> Renewals<K> {
    /// Reads a publish of a version, in the order of the trace. Returns true if it is a renewal.
    pub fn has(&mut self, version: K, at: Timestamp) -> bool {
        let first = *self.first.entry(version).or_insert(at);
        self.after.is_some_and(|age| at >= after(first, age))
    }
}

impl<K: Ord> Renewals<K> {
    /// No publish yet, where documents are renewed when their newest event has this age. That event
    /// may have been published late, so half of the age is enough.
    pub fn at(age: Option<Duration>) -> Self {
        Self { first: BTreeMap::new(), after: age.map(|age| age / 2) }
    }
}
