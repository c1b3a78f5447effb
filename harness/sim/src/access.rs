//! What a step of the simulation touched: noted by whoever carries a call out, and only where
//! somebody wants to know.
//!
//! A step is what happens between two decisions: a call has its effect, and its caller goes on
//! up to its next call. Whether two steps can be swapped is decided from their touches alone,
//! in [`super::scheduler::exhaustive`].

use std::hash::{Hash, Hasher};

use bson::Document;

/// Something that steps may share, known by the hash of its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Resource(u64);

impl Resource {
    /// The thing of this kind and name.
    pub fn new(kind: &str, name: impl Hash) -> Self {
        Self(digest((kind, name)))
    }

    /// The collection of a database.
    pub fn collection(database: &str, collection: &str) -> Self {
        Self::new("collection", (database, collection))
    }

    /// What an instance keeps in memory of the broadcasts that it has heard.
    pub fn memory(instance: u32) -> Self {
        Self::new("memory", instance)
    }

    /// Its number.
    pub fn number(self) -> u64 {
        self.0
    }
}

/// The hash of a value, the same in every run and for every compiler: FNV-1a, well mixed.
pub fn digest(value: impl Hash) -> u64 {
    let mut hasher = Fnv(0xcbf2_9ce4_8422_2325);
    value.hash(&mut hasher);
    hasher.finish()
}

struct Fnv(u64);

impl Hasher for Fnv {
    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }

    fn finish(&self) -> u64 {
        let mixed = (self.0 ^ (self.0 >> 31)).wrapping_mul(0x7fb5_d329_728e_a185);
        mixed ^ (mixed >> 27)
    }
}

/// One thing that a step touched.
#[derive(Debug, Clone, PartialEq)]
pub enum Access {
    /// Looked at it.
    Read(Resource),
    /// Changed it, in a way that nothing depends on once the world is at rest.
    Write(Resource),
    /// Changed it for good, to what has this digest.
    DurableWrite(Resource, u64),
    /// Looked at all documents of a collection that match.
    Find {
        /// The collection.
        collection: Resource,
        /// Which documents.
        filter: Document,
        /// The instance whose background work looked, which looks again and again; `None`
        /// where a request or an event caused it.
        task: Option<u32>,
    },
    /// Changed a document.
    Wrote {
        /// The collection.
        collection: Resource,
        /// What it was; `None` for a new one.
        before: Option<Document>,
        /// What it is.
        after: Document,
        /// The instance, where this may have woken a task of it.
        wakes: Option<u32>,
    },
}
