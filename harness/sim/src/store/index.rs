//! Unique indexes: the documents that exclude each other in a collection.
//!
//! Indexes speed up no query: simulated collections are small.

use bson::{Bson, DateTime, Document};
use ports::store::{Index, WriteError};

use super::filter::Filter;
use super::keys::{Key, compare_keys, keys};
use super::path::{position, split};
use super::rejected::Rejected;
use super::update::Change;
use super::value::add_to_digest;
use crate::digest::Digest;

/// An index of a collection.
#[derive(Debug, Clone)]
pub(super) struct StoredIndex {
    index: Index,
    /// For a unique index, the position of each key's document, in order of the keys.
    entries: Vec<(Vec<Bson>, usize)>,
}

/// The keys of one document.
pub(super) type Keys = Vec<Vec<Bson>>;

/// The keys that a write removes from an index and adds to it.
#[derive(Debug, Default)]
pub(super) struct Transition {
    old: Keys,
    new: Keys,
}

/// The keys of a unique index that an update may change.
pub(super) enum Affected {
    Nothing,
    /// These, under every schedule.
    Keys {
        freed: Keys,
        taken: Keys,
    },
    /// Keys that depend on the previous document.
    Everything,
}

/// The reason for which a write is refused.
#[derive(Debug)]
pub(super) enum Refused {
    /// Another document has the same key in the index of this name.
    Duplicate(&'static str),
    /// The store does not accept the write, whatever it contains.
    Rejected(Rejected),
}

impl From<Rejected> for Refused {
    fn from(rejected: Rejected) -> Self {
        Self::Rejected(rejected)
    }
}

impl From<Refused> for WriteError {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Duplicate(index) => Self::Duplicate { index: index.to_owned() },
            Refused::Rejected(Rejected(reason)) => Self::Rejected(reason),
        }
    }
}

impl StoredIndex {
    /// An empty index.
    pub(super) fn new(index: &Index) -> Result<Self, Rejected> {
        let reject = |reason: &str| Err(Rejected(format!("index {}: {reason}", index.name)));
        if index.keys.iter().any(|path| path.split('.').any(|part| position(part).is_some())) {
            return reject("array positions are not simulated");
        }
        if let Some(partial) = &index.partial
            && !Filter::read(partial)?.is_plain()
        {
            return reject("a partial filter may only use equality and $exists: true");
        }
        Ok(Self { index: index.clone(), entries: Vec::new() })
    }

    pub(super) fn name(&self) -> &'static str {
        self.index.name
    }

    pub(super) fn is_unique(&self) -> bool {
        self.index.unique
    }

    /// The indexed paths, in order.
    pub(super) fn key_paths(&self) -> &'static [&'static str] {
        self.index.keys
    }

    /// Whether the server may use the index for a query with this filter and this first field to
    /// sort by. For a filter with `$or` it might even where this says no.
    pub(super) fn serves(&self, filter: &Filter<'_>, sort: Option<(&String, &Bson)>) -> bool {
        let Some(&first) = self.index.keys.first() else { return false };
        let covers = match self.index.partial.as_ref().map(Filter::read) {
            None => true,
            Some(Ok(partial)) => filter.implies(&partial),
            Some(Err(_)) => false,
        };
        covers && (filter.constrains(first) || sort.is_some_and(|(path, _)| path == first))
    }

    /// Whether some document has this key.
    pub(super) fn is_taken(&self, key: &[Bson]) -> bool {
        self.find(key).is_ok()
    }

    /// Adds a key of this index to a digest.
    pub(super) fn add_key(&self, digest: Digest, key: &[Bson]) -> Digest {
        key.iter().fold(digest.text(self.index.name), add_to_digest)
    }

    /// The keys that a change of this document frees and takes, where `known` are the top-level
    /// fields that it sets whatever the document.
    pub(super) fn affected(
        &self,
        current: &Document,
        change: &Change,
        known: &Document,
    ) -> Affected {
        let partial = self.index.partial.iter().flat_map(Document::keys).map(String::as_str);
        if !self.index.keys.iter().copied().chain(partial).any(|path| change.touches(path)) {
            return Affected::Nothing;
        }
        let included = match self.index.partial.as_ref().map(Filter::read) {
            None => Some(true),
            Some(Ok(partial)) => partial.decide(known),
            Some(Err(_)) => None,
        };
        let is_known = |path: &&str| known.contains_key(split(path).0);
        let new = match included {
            Some(false) => Keys::new(),
            Some(true) if self.index.keys.iter().all(is_known) => {
                keys(known, self.index.keys).map(owned).unwrap_or_default()
            }
            _ => return Affected::Everything,
        };
        let old = self.unique_keys(current).unwrap_or_default();
        let without = |keys: &Keys, others: &Keys| {
            let is_in =
                |key: &&Vec<Bson>| others.iter().any(|other| compare_keys(key, other).is_eq());
            keys.iter().filter(|key| !is_in(key)).cloned().collect()
        };
        Affected::Keys { freed: without(&old, &new), taken: without(&new, &old) }
    }

    /// True if it removes documents by their dates.
    pub(super) fn expires(&self) -> bool {
        self.index.expires
    }

    /// The earliest date among the keys of a document, at which it expires.
    pub(super) fn expiry(&self, document: &Document) -> Option<DateTime> {
        // A document that cannot be indexed was refused.
        let keys = self.keys(document).unwrap_or_default();
        keys.iter().flatten().filter_map(|key| key.as_datetime().copied()).min()
    }

    /// Forgets the document at this position, and moves those behind it up.
    pub(super) fn remove(&mut self, position: usize) {
        self.entries.retain(|(_, at)| *at != position);
        for (_, at) in &mut self.entries {
            *at -= usize::from(*at > position);
        }
    }

    /// Whether this is the given index; rejected where it is a different index of the same
    /// name, or the same index under a different name. Whether it removes documents does not make
    /// it another index.
    pub(super) fn is(&self, index: &Index) -> Result<bool, Rejected> {
        let own = &self.index;
        let twins =
            (own.keys, own.unique, &own.partial) == (index.keys, index.unique, &index.partial);
        match (own.name == index.name, twins) {
            (true, true) if own.expires == index.expires => Ok(true),
            // The server reports a duplicate by its fields.
            (false, false) if own.unique && index.unique && own.keys == index.keys => {
                Err(Rejected(format!(
                    "index {}: {} is unique on the same fields",
                    index.name, own.name
                )))
            }
            (false, false) => Ok(false),
            (true, _) => {
                Err(Rejected(format!("index {} exists with different options", index.name)))
            }
            (false, true) => Err(Rejected(format!("index {} exists as {}", index.name, own.name))),
        }
    }

    /// Checks that the document can be indexed, regardless of other documents.
    pub(super) fn admits(&self, document: &Document) -> Result<(), Rejected> {
        self.keys(document).map(drop)
    }

    /// The keys of a document; none where the index is not unique.
    pub(super) fn unique_keys(&self, document: &Document) -> Result<Keys, Rejected> {
        if self.index.unique { Ok(owned(self.keys(document)?)) } else { Ok(Keys::new()) }
    }

    /// The transition for a write that gives this content to the document at this position,
    /// which has the keys `old` so far.
    pub(super) fn check(
        &self,
        at: usize,
        old: Keys,
        new: &Document,
    ) -> Result<Transition, Refused> {
        // Only an index over several paths can meet two arrays, which it rejects.
        if !self.index.unique && self.index.keys.len() == 1 {
            return Ok(Transition::default());
        }
        let new = self.keys(new)?;
        let equal = |(old, new): (&Vec<Bson>, &Key<'_>)| old.iter().eq(new.iter().copied());
        if !self.index.unique || (old.len() == new.len() && old.iter().zip(&new).all(equal)) {
            return Ok(Transition::default());
        }
        for key in &new {
            if let Ok(found) = self.find(key)
                && self.entries[found].1 != at
            {
                return Err(Refused::Duplicate(self.index.name));
            }
        }
        Ok(Transition { old, new: owned(new) })
    }

    /// Applies the transition that [`StoredIndex::check`] allowed.
    pub(super) fn apply(&mut self, at: usize, transition: Transition) {
        for key in transition.old {
            if let Ok(found) = self.find(&key) {
                self.entries.remove(found);
            }
        }
        for key in transition.new {
            if let Err(place) = self.find(&key) {
                self.entries.insert(place, (key, at));
            }
        }
    }

    /// The keys of a document; none where the partial filter excludes it.
    fn keys<'a>(&self, document: &'a Document) -> Result<Vec<Key<'a>>, Rejected> {
        if let Some(partial) = &self.index.partial
            && !Filter::read(partial)?.matches(document)
        {
            return Ok(Vec::new());
        }
        keys(document, self.index.keys)
    }

    fn find<B: std::borrow::Borrow<Bson>>(&self, key: &[B]) -> Result<usize, usize> {
        self.entries.binary_search_by(|(entry, _)| compare_keys(entry, key))
    }
}

fn owned(keys: Vec<Key<'_>>) -> Keys {
    keys.into_iter().map(|key| key.into_iter().cloned().collect()).collect()
}
