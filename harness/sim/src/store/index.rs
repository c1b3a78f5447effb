//! Indexes: which documents may not be together in a collection.
//!
//! They make nothing faster and answer no query: collections under simulation are small.

use bson::{Bson, Document};
use ports::store::Index;

use super::Refusal;
use super::filter::Filter;
use super::keys::{Key, compare_keys, keys};
use super::path::position;

/// An index of a collection.
#[derive(Debug, Clone)]
pub(super) struct Kept {
    index: Index,
    /// For a unique index, in order of the key: which document has it.
    entries: Vec<(Vec<Bson>, usize)>,
}

/// The keys of one document.
pub(super) type Keys = Vec<Vec<Bson>>;

/// What an index would have to do for a write that it allows.
#[derive(Debug, Default)]
pub(super) struct Entry {
    gone: Keys,
    new: Keys,
}

/// Why a document cannot be filed.
#[derive(Debug)]
pub(super) enum Obstacle {
    /// Another document has the key, in the index of this name.
    Taken(&'static str),
    /// It has no key in this index.
    Refused(Refusal),
}

impl From<Refusal> for Obstacle {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl Kept {
    /// A new and empty index.
    pub(super) fn new(index: &Index) -> Result<Self, Refusal> {
        let refuse = |why: &str| Err(Refusal(format!("index {}: {why}", index.name)));
        if index.name.is_empty() || index.name == "_id_" {
            return refuse("it needs a name of its own");
        }
        let bad =
            |path: &&str| path.split('.').any(|part| part.is_empty() || part.starts_with('$'));
        if index.keys.is_empty() || index.keys.iter().any(bad) {
            return refuse("it needs paths");
        }
        if index.keys.iter().any(|path| path.split('.').any(|part| position(part).is_some())) {
            return refuse("positions in arrays are not simulated");
        }
        if let Some(partial) = &index.partial
            && !Filter::read(partial)?.is_plain()
        {
            return refuse("partial: only equality and $exists: true");
        }
        Ok(Self { index: index.clone(), entries: Vec::new() })
    }

    /// Whether this is the index asked for; refused where it is another of the same name, or
    /// the same by another name.
    pub(super) fn is(&self, index: &Index) -> Result<bool, Refusal> {
        let own = &self.index;
        let twins =
            (own.keys, own.unique, &own.partial) == (index.keys, index.unique, &index.partial);
        match (own.name == index.name, twins) {
            (true, true) => Ok(true),
            (false, false) => Ok(false),
            (true, false) => {
                Err(Refusal(format!("index {} exists with other options", index.name)))
            }
            (false, true) => Err(Refusal(format!("index {} exists as {}", index.name, own.name))),
        }
    }

    /// Whether the document can have keys here at all.
    pub(super) fn admits(&self, document: &Document) -> Result<(), Refusal> {
        self.keys(document).map(drop)
    }

    /// Under which keys a document of the collection is filed.
    pub(super) fn filed(&self, document: &Document) -> Result<Keys, Refusal> {
        if self.index.unique { Ok(owned(self.keys(document)?)) } else { Ok(Keys::new()) }
    }

    /// What a write of the document at this position, which was filed under `old`, would
    /// change here.
    pub(super) fn check(&self, at: usize, old: Keys, new: &Document) -> Result<Entry, Obstacle> {
        if !self.index.unique && self.index.keys.len() == 1 {
            return Ok(Entry::default());
        }
        let new = self.keys(new)?;
        let equal = |(old, new): (&Vec<Bson>, &Key<'_>)| old.iter().eq(new.iter().copied());
        if !self.index.unique || (old.len() == new.len() && old.iter().zip(&new).all(equal)) {
            return Ok(Entry::default());
        }
        for key in &new {
            if let Ok(found) = self.find(key)
                && self.entries[found].1 != at
            {
                return Err(Obstacle::Taken(self.index.name));
            }
        }
        Ok(Entry { gone: old, new: owned(new) })
    }

    /// Does what [`Kept::check`] allowed.
    pub(super) fn file(&mut self, at: usize, entry: Entry) {
        for key in entry.gone {
            if let Ok(found) = self.find(&key) {
                self.entries.remove(found);
            }
        }
        for key in entry.new {
            if let Err(place) = self.find(&key) {
                self.entries.insert(place, (key, at));
            }
        }
    }

    /// The keys of a document in this index; none where it is not in it.
    fn keys<'a>(&self, document: &'a Document) -> Result<Vec<Key<'a>>, Refusal> {
        if let Some(partial) = &self.index.partial
            && !Filter::read(partial)?.matches(document)
        {
            return Ok(Vec::new());
        }
        keys(document, self.index.keys)
    }

    fn find<B: std::borrow::Borrow<Bson>>(&self, key: &[B]) -> Result<usize, usize> {
        self.entries.binary_search_by(|(filed, _)| compare_keys(filed, key))
    }
}

fn owned(keys: Vec<Key<'_>>) -> Keys {
    keys.into_iter().map(|key| key.into_iter().cloned().collect()).collect()
}
