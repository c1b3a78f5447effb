//! What each call on the store touches, for whoever wants to know whether two calls can be
//! swapped. It changes nothing.

use bson::{Bson, Document};
use platform::causality::Causality;

use super::collection::Collection;
use super::index::Obstacle;
use crate::sim::touch::{Thing, Touch};

/// The touches of one instance in its database.
pub(super) struct Touches<'a> {
    pub(super) database: &'a str,
    pub(super) instance: u32,
}

impl Touches<'_> {
    /// Indexes are added: whatever else is done in the collection may fare differently.
    pub(super) fn ensured(&self, collection: &str) -> Vec<Touch> {
        vec![Touch::Write(self.indexes(collection))]
    }

    pub(super) fn got(&self, collection: &str, id: &str) -> Vec<Touch> {
        vec![Touch::Read(self.indexes(collection)), Touch::Read(self.document(collection, id))]
    }

    pub(super) fn found(&self, collection: &str, filter: &Document) -> Vec<Touch> {
        let task = Causality::peek(|_| ()).is_none().then_some(self.instance);
        vec![Touch::Read(self.indexes(collection)), self.find(collection, filter.clone(), task)]
    }

    /// A document that was refused looked at every key that it wanted.
    pub(super) fn inserted(
        &self,
        collection: &str,
        found: &Collection,
        document: Option<Document>,
        done: bool,
    ) -> Vec<Touch> {
        let Some(document) = document else { return Vec::new() };
        let keys = found.unique_keys(&document).into_iter();
        let keys = keys.map(|key| Thing::new("key", (self.database, collection, key)));
        let touch = if done { Touch::Write } else { Touch::Read };
        let mut touches: Vec<Touch> = keys.map(touch).collect();
        touches.push(touch(self.document(collection, id(&document))));
        touches.push(Touch::Read(self.indexes(collection)));
        if done {
            // Documents lie in the order in which they came.
            touches.push(Touch::Write(Thing::new("order", (self.database, collection))));
            touches.push(self.wrote(collection, None, document));
        }
        touches
    }

    pub(super) fn updated(
        &self,
        collection: &str,
        found: &Collection,
        filter: Option<Document>,
        before: Option<Document>,
        outcome: &Result<Option<Document>, Obstacle>,
    ) -> Vec<Touch> {
        let filter = filter.unwrap_or_default();
        let mut touches = vec![Touch::Read(self.indexes(collection))];
        match filter.get("_id") {
            Some(Bson::String(id)) => touches.push(Touch::Read(self.document(collection, id))),
            _ => touches.push(self.find(collection, filter, None)),
        }
        match (before, outcome) {
            (None, Ok(Some(after))) => {
                let inserted = self.inserted(collection, found, Some(after.clone()), true);
                touches.extend(inserted);
            }
            (Some(before), Ok(Some(after))) => {
                let (old, new) = (found.unique_keys(&before), found.unique_keys(after));
                let moved = old.iter().filter(|key| !new.contains(key));
                let moved = moved.chain(new.iter().filter(|key| !old.contains(key)));
                let key = |key: &u64| Thing::new("key", (self.database, collection, *key));
                touches.extend(moved.map(key).map(Touch::Write));
                touches.push(Touch::Write(self.document(collection, id(after))));
                touches.push(self.wrote(collection, Some(before), after.clone()));
            }
            (_, Ok(None)) => {}
            // What was in its way is not known here: anything in the collection.
            (_, Err(_)) => touches.push(self.find(collection, Document::new(), None)),
        }
        touches
    }

    fn find(&self, collection: &str, filter: Document, task: Option<u32>) -> Touch {
        Touch::Find { collection: Thing::collection(self.database, collection), filter, task }
    }

    fn wrote(&self, collection: &str, before: Option<Document>, after: Document) -> Touch {
        // Every change of state raises the revision; only the relay's removal of what it has
        // published does not, and it wakes nobody.
        let revision = |document: &Document| document.get("revision").cloned();
        let removal = before.as_ref().is_some_and(|before| revision(before) == revision(&after));
        let wakes = (!removal).then_some(self.instance);
        let collection = Thing::collection(self.database, collection);
        Touch::Wrote { collection, before, after, wakes }
    }

    fn document(&self, collection: &str, id: &str) -> Thing {
        Thing::new("document", (self.database, collection, id))
    }

    fn indexes(&self, collection: &str) -> Thing {
        Thing::new("indexes", (self.database, collection))
    }
}

fn id(document: &Document) -> &str {
    document.get_str("_id").unwrap_or_default()
}
