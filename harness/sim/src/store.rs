//! The simulated store: in memory, with MongoDB's rules.
//!
//! It interprets the part of MongoDB's filters and updates that the port describes, and
//! refuses every operator that it does not know: a simulation kinder than the real store
//! would hide the failures it is there to find. It keeps nothing in hash order.

mod accesses;
mod collection;
mod filter;
mod index;
mod keys;
mod path;
mod sort;
mod target;
mod undo;
mod update;
mod value;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use async_trait::async_trait;
use bson::{Bson, Document};
use ports::store::{Find, Index, ReadError, Store, Update, WriteError};

use self::accesses::Touches;
use self::collection::Collection;
use self::index::Obstacle;
use super::access::Access;
use super::kernel::{Call, Kernel, Port};

/// What the store does not accept, and why.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Refusal(String);

impl From<Refusal> for ReadError {
    fn from(Refusal(why): Refusal) -> Self {
        Self::Rejected(why)
    }
}

impl From<Obstacle> for WriteError {
    fn from(obstacle: Obstacle) -> Self {
        match obstacle {
            Obstacle::Taken(index) => Self::Duplicate { index: index.to_owned() },
            Obstacle::Refused(Refusal(why)) => Self::Rejected(why),
        }
    }
}

/// Whether a document matches a filter; so it seems, too, where the store does not know the
/// filter.
pub(crate) fn may_match(filter: &Document, document: &Document) -> bool {
    filter::Filter::read(filter).map_or(true, |filter| filter.matches(document))
}

/// The contents of one database. Clones are the same database; it outlives the instances
/// that use it, as a real one does.
#[derive(Debug, Clone, Default)]
pub struct SimDatabase(Arc<Mutex<BTreeMap<String, Collection>>>);

impl SimDatabase {
    /// An empty database.
    pub fn new() -> Self {
        Self::default()
    }

    /// The names of its collections, in alphabetical order. Takes no turn.
    pub fn collections(&self) -> Vec<String> {
        self.state().keys().cloned().collect()
    }

    /// The documents of a collection, in order of insertion. Takes no turn.
    pub fn documents(&self, collection: &str) -> Vec<Document> {
        let state = self.state();
        state.get(collection).map_or_else(Vec::new, |found| found.documents().to_vec())
    }

    /// How many documents of a collection match a filter that the store knows. Takes no turn.
    pub fn count(&self, collection: &str, filter: &Document) -> usize {
        let state = self.state();
        let filter = filter::Filter::read(filter).expect("the harness asks what the store knows");
        let documents = state.get(collection).map(Collection::documents).unwrap_or_default();
        documents.iter().filter(|document| filter.matches(document)).count()
    }

    fn state(&self) -> MutexGuard<'_, BTreeMap<String, Collection>> {
        self.0.lock().expect("no panic holds this lock")
    }

    fn write<T>(&self, name: &str, write: impl FnOnce(&mut Collection) -> T) -> T {
        let mut state = self.state();
        if let Some(collection) = state.get_mut(name) {
            return write(collection);
        }
        write(state.entry(name.to_owned()).or_default())
    }
}

/// One service instance's way to its database: every call is a turn of the kernel.
#[derive(Clone)]
pub struct SimStore {
    kernel: Kernel,
    instance: u32,
    name: Arc<str>,
    database: SimDatabase,
}

impl SimStore {
    /// The store of this instance; `name` is the database's, as the chooser and the trace
    /// see it.
    pub fn new(kernel: Kernel, instance: u32, name: &str, database: SimDatabase) -> Self {
        Self { kernel, instance, name: name.into(), database }
    }

    async fn turn(&self, operation: &'static str, place: &[&str]) {
        let length = place.iter().map(|part| part.len() + 1).sum::<usize>();
        let mut target = String::with_capacity(self.name.len() + length);
        target.push_str(&self.name);
        for part in place {
            target.push('/');
            target.push_str(part);
        }
        let call = Call::new(self.instance, Port::Store, operation, target);
        self.kernel.turn(call).await;
    }
}

impl SimStore {
    fn note(&self, accesses: impl FnOnce(&Touches<'_>) -> Vec<Access>) {
        if self.kernel.records_accesses() {
            let to = Touches { database: &self.name, instance: self.instance };
            accesses(&to).into_iter().for_each(|touch| self.kernel.access(|| touch));
        }
    }
}

#[async_trait]
impl Store for SimStore {
    async fn ensure(&self, collection: &str, indexes: &[Index]) -> Result<(), WriteError> {
        self.turn("ensure", &[collection]).await;
        self.note(|to| to.ensured(collection));
        self.database.write(collection, |found| found.ensure(indexes)).map_err(Into::into)
    }

    async fn insert(&self, collection: &str, document: Document) -> Result<(), WriteError> {
        match document.get("_id") {
            Some(Bson::String(id)) => self.turn("insert", &[collection, id]).await,
            _ => self.turn("insert", &[collection]).await,
        }
        let noted = self.kernel.records_accesses().then(|| document.clone());
        self.database
            .write(collection, |found| {
                let inserted = found.insert(document);
                self.note(|to| to.inserted(collection, found, noted, inserted.is_ok()));
                inserted
            })
            .map_err(Into::into)
    }

    async fn get(&self, collection: &str, id: &str) -> Result<Option<Document>, ReadError> {
        self.turn("get", &[collection, id]).await;
        self.note(|to| to.got(collection, id));
        let state = self.database.state();
        Ok(state.get(collection).and_then(|found| found.get(id)).cloned())
    }

    async fn find(&self, collection: &str, find: Find) -> Result<Vec<Document>, ReadError> {
        self.turn("find", &[collection]).await;
        self.note(|to| to.found(collection, &find.filter));
        let state = self.database.state();
        match state.get(collection) {
            Some(found) => Ok(found.find(&find)?),
            None => Ok(Collection::default().find(&find)?),
        }
    }

    async fn update(
        &self,
        collection: &str,
        update: Update,
    ) -> Result<Option<Document>, WriteError> {
        match update.filter.get("_id") {
            Some(Bson::String(id)) => self.turn("update", &[collection, id]).await,
            _ => self.turn("update", &[collection]).await,
        }
        let written = |found: &mut Collection| {
            let filter = self.kernel.records_accesses().then(|| update.filter.clone());
            let before = filter.as_ref().and_then(|filter| found.first(filter));
            let written = found.update(update).map(Option::<&Document>::cloned);
            self.note(|to| to.updated(collection, found, filter, before, &written));
            written
        };
        self.database.write(collection, written).map_err(|obstacle: Obstacle| obstacle.into())
    }

    async fn ping(&self) -> Result<(), ReadError> {
        self.turn("ping", &[]).await;
        Ok(())
    }
}
