//! Renewals: events that are published again, days later, before they leave the stream.

use std::collections::BTreeMap;
use std::time::Duration;

use ports::Timestamp;
use ports::clock::after;

/// The time after which another message of the same version is a renewal.
const AGE: Duration = Duration::from_secs(24 * 60 * 60);

/// The first publish of each version, by a key that names it.
#[derive(Debug)]
pub struct Renewals<K>(BTreeMap<K, Timestamp>);

impl<K: Ord> Renewals<K> {
    /// Reads a publish of a version, in the order of the trace. Returns true if it is a renewal.
    pub fn has(&mut self, version: K, at: Timestamp) -> bool {
        at >= after(*self.0.entry(version).or_insert(at), AGE)
    }
}

impl<K> Default for Renewals<K> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}
