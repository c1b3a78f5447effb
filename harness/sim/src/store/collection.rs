//! One collection: its documents in order of insertion, by `_id`, and its indexes.
//!
//! Every call is one step: it has its whole effect or none. It never waits, and knows neither
//! the kernel nor the port's errors.

use std::collections::BTreeMap;

use bson::{Bson, Document};
use ports::store::{Find, Index, Update};

use super::Refusal;
use super::filter::Filter;
use super::index::{Entry, Kept, Keys, Obstacle};
use super::path::leads_to;
use super::sort::Sort;
use super::target::place;
use super::undo::Undo;
use super::update::{Change, storable};
use super::value::admissible;
use crate::access::digest;

/// The name of the primary key's index.
pub(super) const PRIMARY: &str = "_id_";

/// A collection. Nothing is ever deleted, so a document keeps its position.
#[derive(Debug, Default)]
pub(super) struct Collection {
    documents: Vec<Document>,
    positions: BTreeMap<String, usize>,
    indexes: Vec<Kept>,
}

impl Collection {
    /// The documents in order of insertion.
    pub(super) fn documents(&self) -> &[Document] {
        &self.documents
    }

    /// The document of this id.
    pub(super) fn get(&self, id: &str) -> Option<&Document> {
        self.positions.get(id).map(|&at| &self.documents[at])
    }

    /// Adds the indexes that are missing, all or none.
    pub(super) fn ensure(&mut self, indexes: &[Index]) -> Result<(), Obstacle> {
        let mut added: Vec<Kept> = Vec::new();
        for index in indexes {
            let kept = Kept::new(index)?;
            let mut others = self.indexes.iter().chain(&added);
            if !others.try_fold(false, |found, other| Ok::<_, Refusal>(found | other.is(index)?))? {
                added.push(kept);
            }
        }
        // A document without a key is found before two with the same.
        for document in &self.documents {
            added.iter().try_for_each(|kept| kept.admits(document))?;
        }
        for kept in &mut added {
            for (at, document) in self.documents.iter().enumerate() {
                let entry = kept.check(at, Keys::new(), document)?;
                kept.file(at, entry);
            }
        }
        self.indexes.append(&mut added);
        Ok(())
    }

    /// Adds a document.
    pub(super) fn insert(&mut self, document: Document) -> Result<(), Obstacle> {
        let document = checked(document)?;
        self.add_document(document)?;
        Ok(())
    }

    fn add_document(&mut self, document: Document) -> Result<&Document, Obstacle> {
        let Some(Bson::String(id)) = document.get("_id") else {
            return Err(Refusal("a document needs a string as its _id".to_owned()).into());
        };
        if self.positions.contains_key(id) {
            return Err(Obstacle::Taken(PRIMARY));
        }
        let at = self.documents.len();
        let checks = self.indexes.iter().map(|index| index.check(at, Keys::new(), &document));
        let entries = checks.collect::<Result<Vec<_>, _>>()?;
        self.file(at, entries);
        self.positions.insert(id.clone(), at);
        self.documents.push(document);
        Ok(&self.documents[at])
    }

    /// The documents that match, in order.
    pub(super) fn find(&self, find: &Find) -> Result<Vec<Document>, Refusal> {
        let filter = Filter::read(&find.filter)?;
        let sort = Sort::read(&find.sort)?;
        let limit = if find.limit == 0 { usize::MAX } else { find.limit as usize };
        if let Some(id) = filter.id() {
            let found = self.get(id).filter(|document| filter.matches(document));
            return Ok(found.into_iter().cloned().collect());
        }
        let matching = self.documents.iter().filter(|document| filter.matches(document));
        let Some(sort) = sort else { return Ok(matching.take(limit).cloned().collect()) };
        let sorted = sort.apply(matching.collect())?;
        Ok(sorted.into_iter().take(limit).cloned().collect())
    }

    /// What an update with this filter would meet.
    pub(super) fn first(&self, filter: &Document) -> Option<Document> {
        let filter = Filter::read(filter).ok()?;
        self.position(&filter).map(|at| self.documents[at].clone())
    }

    /// The keys of a document, each one's digest, that no other document may have.
    pub(super) fn unique_keys(&self, document: &Document) -> Vec<u64> {
        let filed = |(at, index): (usize, &Kept)| {
            let keys = index.filed(document).unwrap_or_default();
            keys.into_iter().map(move |key| digest((at, format!("{key:?}"))))
        };
        self.indexes.iter().enumerate().flat_map(filed).collect()
    }

    /// Applies an update to one document and returns what it is now.
    pub(super) fn update(&mut self, update: Update) -> Result<Option<&Document>, Obstacle> {
        let Update { filter, change, upsert } = update;
        let filter = Filter::read(&filter)?;
        let change = Change::read(change)?;
        if upsert && filter.id().is_none() && !change.names_id() {
            return Err(Refusal("an upsert must say the _id".to_owned()).into());
        }
        if let Some(at) = self.position(&filter) {
            return self.change(at, change).map(Some);
        }
        if !upsert {
            return Ok(None);
        }
        let mut document = start(&filter)?;
        let id = document.get("_id").cloned();
        change.apply(&mut document, true, &mut Undo::default())?;
        if id.is_some() && id.as_ref() != document.get("_id") {
            return Err(Refusal("the _id cannot be changed".to_owned()).into());
        }
        self.add_document(id_first(document)).map(Some)
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

    /// Changes the document at this position, or leaves all as it was.
    fn change(&mut self, at: usize, change: Change) -> Result<&Document, Obstacle> {
        let filed = self.indexes.iter().map(|index| index.filed(&self.documents[at]));
        let filed = filed.collect::<Result<Vec<_>, _>>()?;
        let mut undo = Undo::default();
        let document = &mut self.documents[at];
        let applied = change.apply(document, false, &mut undo).map_err(Obstacle::from);
        let checked = applied.and_then(|()| {
            let id = document.get_str("_id").unwrap_or_default();
            if self.positions.get(id) != Some(&at) {
                return Err(Refusal("the _id cannot be changed".to_owned()).into());
            }
            let checks = self.indexes.iter().zip(filed);
            checks.map(|(index, old)| index.check(at, old, document)).collect()
        });
        match checked {
            Ok(entries) => self.file(at, entries),
            Err(obstacle) => {
                undo.revert(document);
                return Err(obstacle);
            }
        }
        Ok(&self.documents[at])
    }

    fn file(&mut self, at: usize, entries: Vec<Entry>) {
        for (index, entry) in self.indexes.iter_mut().zip(entries) {
            index.file(at, entry);
        }
    }
}

/// The document that an upsert starts from: what the filter says that it must have.
fn start(filter: &Filter<'_>) -> Result<Document, Refusal> {
    let mut equalities = filter.equalities();
    equalities.sort_by_key(|(path, _)| *path);
    let mut document = Document::new();
    for (at, &(path, value)) in equalities.iter().enumerate() {
        if equalities[..at].iter().any(|(before, _)| leads_to(before, path)) {
            return Err(Refusal(format!("the filter says {path} twice")));
        }
        *place(&mut document, path)? = storable(value.clone())?;
    }
    Ok(document)
}

fn checked(document: Document) -> Result<Document, Refusal> {
    for (name, value) in &document {
        if name.starts_with('$') {
            return Err(Refusal(format!("{name} is not a name for a field")));
        }
        admissible(value)?;
    }
    Ok(id_first(document))
}

/// MongoDB stores the `_id` first.
fn id_first(mut document: Document) -> Document {
    if document.keys().next().is_none_or(|first| first == "_id") {
        return document;
    }
    let Some(id) = document.remove("_id") else { return document };
    let mut ordered = Document::from_iter([("_id".to_owned(), id)]);
    ordered.extend(document);
    ordered
}
