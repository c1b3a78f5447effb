//! One collection: its documents in order of insertion, by `_id`, and its indexes.
//!
//! Every call is atomic: it takes full effect or none. It never waits, and knows neither the
//! kernel nor the port's errors.

use std::collections::BTreeMap;

use bson::{Bson, DateTime, Document};
use ports::store::limits::{self, MAX_INDEXES};
use ports::store::{Find, Index, Update};

use super::filter::Filter;
use super::index::{Keys, Refused, StoredIndex, Transition};
use super::path::is_prefix;
use super::rejected::Rejected;
use super::scan::{Scan, arranged};
use super::sort::Sort;
use super::target::place;
use super::undo::Undo;
use super::update::Change;
use super::value::admissible;

/// The name of the primary key's index.
pub(super) const PRIMARY: &str = "_id_";

/// A collection. A document keeps its position until one before it expires.
#[derive(Debug, Clone, Default)]
pub(super) struct Collection {
    documents: Vec<Document>,
    /// The number of each document in order of insertion, which it keeps.
    ordinals: Vec<usize>,
    /// The number of documents inserted so far.
    inserted: usize,
    positions: BTreeMap<String, usize>,
    indexes: Vec<StoredIndex>,
    /// The number of documents written or removed so far.
    writes: u64,
    /// No document expires before this date; `None` where none does at all.
    expiry: Option<DateTime>,
}

/// The result of the first step of a find.
pub(super) enum Found {
    All(Vec<Document>),
    Half(Scan),
}

impl Collection {
    /// The documents in order of insertion.
    pub(super) fn documents(&self) -> &[Document] {
        &self.documents
    }

    /// The document with this id.
    pub(super) fn get(&self, id: &str) -> Option<&Document> {
        self.positions.get(id).map(|&at| &self.documents[at])
    }

    /// Creates the missing indexes, all or none.
    pub(super) fn ensure(&mut self, indexes: &[Index]) -> Result<(), Refused> {
        let mut added: Vec<StoredIndex> = Vec::new();
        for index in indexes {
            let stored = StoredIndex::new(index)?;
            let mut others = self.indexes.iter().chain(&added);
            if !others
                .try_fold(false, |found, other| Ok::<_, Rejected>(found | other.is(index)?))?
            {
                added.push(stored);
            }
        }
        if self.indexes.len() + added.len() > MAX_INDEXES {
            return Err(Rejected(format!("more than {MAX_INDEXES} indexes")).into());
        }
        // As in MongoDB, a document that cannot be indexed is reported before a duplicate key.
        for document in &self.documents {
            added.iter().try_for_each(|index| index.admits(document))?;
        }
        for index in &mut added {
            for (at, document) in self.documents.iter().enumerate() {
                let transition = index.check(at, Keys::new(), document)?;
                index.apply(at, transition);
            }
        }
        self.indexes.append(&mut added);
        self.expiry = self.earliest_expiry();
        Ok(())
    }

    /// Removes the documents that have expired, and returns them in order of insertion.
    pub(super) fn expire(&mut self, now: DateTime) -> Vec<Document> {
        let mut expired = Vec::new();
        if self.expiry.is_none_or(|expiry| expiry > now) {
            return expired;
        }
        let mut at = 0;
        while at < self.documents.len() {
            if self.expiry_of(&self.documents[at]).is_some_and(|expiry| expiry <= now) {
                expired.push(self.remove(at));
            } else {
                at += 1;
            }
        }
        self.expiry = self.earliest_expiry();
        expired
    }

    fn remove(&mut self, at: usize) -> Document {
        self.writes += 1;
        self.indexes.iter_mut().for_each(|index| index.remove(at));
        self.positions.retain(|_, position| *position != at);
        self.positions.values_mut().for_each(|position| *position -= usize::from(*position > at));
        self.ordinals.remove(at);
        self.documents.remove(at)
    }

    fn earliest_expiry(&self) -> Option<DateTime> {
        self.documents.iter().filter_map(|document| self.expiry_of(document)).min()
    }

    /// The date at which this document expires.
    fn expiry_of(&self, document: &Document) -> Option<DateTime> {
        let expiring = self.indexes.iter().filter(|index| index.expires());
        expiring.filter_map(|index| index.expiry(document)).min()
    }

    fn note_expiry(&mut self, at: usize) {
        let expiry = self.expiry_of(&self.documents[at]);
        self.expiry = self.expiry.into_iter().chain(expiry).min();
    }

    /// Adds a document.
    pub(super) fn insert(&mut self, document: Document) -> Result<(), Refused> {
        let document = checked(document)?;
        self.add_document(document)?;
        Ok(())
    }

    fn add_document(&mut self, document: Document) -> Result<&Document, Refused> {
        let Some(Bson::String(id)) = document.get("_id") else {
            return Err(Rejected("a document needs a string as its _id".to_owned()).into());
        };
        if self.positions.contains_key(id) {
            return Err(Refused::Duplicate(PRIMARY));
        }
        let at = self.documents.len();
        let checks = self.indexes.iter().map(|index| index.check(at, Keys::new(), &document));
        let transitions = checks.collect::<Result<Vec<_>, _>>()?;
        self.apply(at, transitions);
        self.positions.insert(id.clone(), at);
        self.ordinals.push(self.inserted);
        self.inserted += 1;
        self.documents.push(document);
        self.note_expiry(at);
        Ok(&self.documents[at])
    }

    /// The first step of a find, or all of it.
    pub(super) fn find(&self, find: &Find) -> Result<Found, Rejected> {
        let filter = Filter::read(&find.filter)?;
        if let Some(id) = filter.id() {
            Sort::read(&find.sort)?;
            let found = self.get(id).filter(|document| filter.matches(document));
            return Ok(Found::All(found.into_iter().cloned().collect()));
        }
        let matching = self.matching(&filter);
        let found = matching.iter().map(|&(_, document)| document).collect();
        let found: Vec<Document> = arranged(found, find)?.into_iter().cloned().collect();
        Ok(match Scan::begin(&matching, self.writes, find, &found) {
            Some(scan) => Found::Half(scan),
            None => Found::All(found),
        })
    }

    /// The second step of a find.
    pub(super) fn finish(&self, scan: Scan, find: &Find) -> Result<Vec<Document>, Rejected> {
        if scan.writes == self.writes {
            return Ok(scan.unchanged);
        }
        scan.end(&self.matching(&Filter::read(&find.filter)?), &self.indexes, find)
    }

    /// The matching documents and their numbers.
    fn matching(&self, filter: &Filter<'_>) -> Vec<(usize, &Document)> {
        let all = self.ordinals.iter().copied().zip(&self.documents);
        all.filter(|(_, document)| filter.matches(document)).collect()
    }

    pub(super) fn unique_indexes(&self) -> impl Iterator<Item = &StoredIndex> {
        self.indexes.iter().filter(|index| index.is_unique())
    }

    /// Updates or upserts one document and returns it, and whether it is new; `None` where none
    /// matches.
    pub(super) fn update(&mut self, update: Update) -> Result<Option<(&Document, bool)>, Refused> {
        let Update { filter, change, upsert } = update;
        let filter = Filter::read(&filter)?;
        let change = Change::read(change)?;
        if upsert && filter.id().is_none() && !change.sets_id() {
            return Err(Rejected("an upsert must specify the _id".to_owned()).into());
        }
        if let Some(at) = self.position(&filter) {
            return self.change(at, change).map(|document| Some((document, false)));
        }
        if !upsert {
            return Ok(None);
        }
        self.add_document(Self::upserted(&filter, change)?).map(|document| Some((document, true)))
    }

    /// The document that an upsert inserts where none matches.
    pub(super) fn upserted(filter: &Filter<'_>, change: Change) -> Result<Document, Rejected> {
        let mut document = start(filter)?;
        let id = document.get("_id").cloned();
        change.apply(&mut document, true, &mut Undo::default())?;
        if id.is_some() && id.as_ref() != document.get("_id") {
            return Err(Rejected("the _id cannot be changed".to_owned()));
        }
        within_limits(&document)?;
        Ok(id_first(document))
    }

    fn position(&self, filter: &Filter<'_>) -> Option<usize> {
        match filter.id() {
            Some(id) => {
                let at = *self.positions.get(id)?;
                filter.matches(&self.documents[at]).then_some(at)
            }
            None => self.documents.iter().position(|document| filter.matches(document)),
        }
    }

    /// Changes the document at this position, or leaves the collection unchanged.
    fn change(&mut self, at: usize, change: Change) -> Result<&Document, Refused> {
        let keys = self.indexes.iter().map(|index| index.unique_keys(&self.documents[at]));
        let keys = keys.collect::<Result<Vec<_>, _>>()?;
        let mut undo = Undo::default();
        let document = &mut self.documents[at];
        let applied = change.apply(document, false, &mut undo).map_err(Refused::from);
        let checked = applied.and_then(|()| {
            within_limits(document)?;
            let id = document.get_str("_id").unwrap_or_default();
            if self.positions.get(id) != Some(&at) {
                return Err(Rejected("the _id cannot be changed".to_owned()).into());
            }
            let checks = self.indexes.iter().zip(keys);
            checks.map(|(index, old)| index.check(at, old, document)).collect()
        });
        match checked {
            Ok(transitions) => {
                self.apply(at, transitions);
                self.note_expiry(at);
            }
            Err(refused) => {
                undo.revert(document);
                return Err(refused);
            }
        }
        Ok(&self.documents[at])
    }

    fn apply(&mut self, at: usize, transitions: Vec<Transition>) {
        self.writes += 1;
        for (index, transition) in self.indexes.iter_mut().zip(transitions) {
            index.apply(at, transition);
        }
    }
}

/// Rejects an updated document that is too large or too deep.
fn within_limits(document: &Document) -> Result<(), Rejected> {
    limits::document(document).map_err(|exceeded| Rejected(exceeded.to_string()))
}

/// The document that an upsert starts from: the equalities of the filter.
fn start(filter: &Filter<'_>) -> Result<Document, Rejected> {
    let mut equalities = filter.equalities();
    equalities.sort_by_key(|(path, _)| *path);
    let mut document = Document::new();
    for (at, &(path, value)) in equalities.iter().enumerate() {
        if path.is_empty() {
            return Err(Rejected("an upsert cannot set a field without a name".to_owned()));
        }
        if equalities[..at].iter().any(|(before, _)| is_prefix(before, path)) {
            return Err(Rejected(format!("the filter specifies {path} twice")));
        }
        *place(&mut document, path)? = value.clone();
    }
    Ok(document)
}

fn checked(document: Document) -> Result<Document, Rejected> {
    document.values().try_for_each(admissible)?;
    Ok(id_first(document))
}

/// Moves the `_id` to the front, as MongoDB does.
fn id_first(mut document: Document) -> Document {
    if document.keys().next().is_none_or(|first| first == "_id") {
        return document;
    }
    let Some(id) = document.remove("_id") else { return document };
    let mut ordered = Document::from_iter([("_id".to_owned(), id)]);
    ordered.extend(document);
    ordered
}
