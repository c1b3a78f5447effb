//! The accesses of each call on the store, for partial order reduction. Nothing here changes
//! the store.

use bson::{Bson, Document};
use ports::causality::Causality;

use super::collection::Collection;
use super::index::Refused;
use crate::access::{Access, Resource};
use crate::digest::Digest;

/// Determines the accesses of one instance in its database.
pub(super) struct Accesses<'a> {
    pub(super) database: &'a str,
    pub(super) instance: u32,
}

impl Accesses<'_> {
    /// A new index may refuse any other write in the collection.
    pub(super) fn ensured(&self, collection: &str) -> Vec<Access> {
        vec![Access::Write(self.indexes(collection))]
    }

    pub(super) fn got(&self, collection: &str, id: &str) -> Vec<Access> {
        vec![Access::Read(self.indexes(collection)), Access::Read(self.document(collection, id))]
    }

    pub(super) fn found(&self, collection: &str, filter: &Document) -> Vec<Access> {
        let task = Causality::peek(|_| ()).is_none().then_some(self.instance);
        vec![Access::Read(self.indexes(collection)), self.find(collection, filter.clone(), task)]
    }

    /// A refused document has read all of its keys.
    pub(super) fn inserted(
        &self,
        collection: &str,
        found: &Collection,
        document: Option<Document>,
        done: bool,
    ) -> Vec<Access> {
        let Some(document) = document else { return Vec::new() };
        let keys = found.unique_keys(&document).into_iter();
        let keys = keys.map(|key| self.key(collection, key));
        let access = if done { Access::Write } else { Access::Read };
        let mut accesses: Vec<Access> = keys.map(access).collect();
        accesses.push(access(self.document(collection, id(&document))));
        accesses.push(Access::Read(self.indexes(collection)));
        if done {
            // Documents are kept in order of insertion.
            accesses.push(Access::Write(Resource::new(self.of("order", collection))));
            accesses.push(self.wrote(collection, None, document));
        }
        accesses
    }

    pub(super) fn updated(
        &self,
        collection: &str,
        found: &Collection,
        filter: Option<Document>,
        before: Option<Document>,
        outcome: &Result<Option<Document>, Refused>,
    ) -> Vec<Access> {
        let filter = filter.unwrap_or_default();
        let mut accesses = vec![Access::Read(self.indexes(collection))];
        match filter.get("_id") {
            Some(Bson::String(id)) => accesses.push(Access::Read(self.document(collection, id))),
            _ => accesses.push(self.find(collection, filter, None)),
        }
        match (before, outcome) {
            (None, Ok(Some(after))) => {
                let inserted = self.inserted(collection, found, Some(after.clone()), true);
                accesses.extend(inserted);
            }
            (Some(before), Ok(Some(after))) => {
                let (old, new) = (found.unique_keys(&before), found.unique_keys(after));
                let moved = old.iter().filter(|key| !new.contains(key));
                let moved = moved.chain(new.iter().filter(|key| !old.contains(key)));
                let moved = moved.map(|&key| self.key(collection, key));
                accesses.extend(moved.map(Access::Write));
                accesses.push(Access::Write(self.document(collection, id(after))));
                accesses.push(self.wrote(collection, Some(before), after.clone()));
            }
            (_, Ok(None)) => {}
            // The cause of the refusal is not known here: it may be any document.
            (_, Err(_)) => accesses.push(self.find(collection, Document::new(), None)),
        }
        accesses
    }

    fn find(&self, collection: &str, filter: Document, task: Option<u32>) -> Access {
        Access::Find { collection: Resource::collection(self.database, collection), filter, task }
    }

    fn wrote(&self, collection: &str, before: Option<Document>, after: Document) -> Access {
        // Every change of state increments the revision; only the relay's removal of published
        // events does not, and it wakes no task.
        let revision = |document: &Document| document.get("revision").cloned();
        let removal = before.as_ref().is_some_and(|before| revision(before) == revision(&after));
        let wakes = (!removal).then_some(self.instance);
        let collection = Resource::collection(self.database, collection);
        Access::Wrote { collection, before, after, wakes }
    }

    fn document(&self, collection: &str, id: &str) -> Resource {
        Resource::new(self.of("document", collection).text(id))
    }

    fn key(&self, collection: &str, key: u64) -> Resource {
        Resource::new(self.of("key", collection).number(key))
    }

    fn of(&self, kind: &str, collection: &str) -> Digest {
        Digest::new(kind).text(self.database).text(collection)
    }

    fn indexes(&self, collection: &str) -> Resource {
        Resource::new(self.of("indexes", collection))
    }
}

fn id(document: &Document) -> &str {
    document.get_str("_id").unwrap_or_default()
}
