//! The simulated store: in memory, with MongoDB's rules.
//!
//! It interprets the subset of MongoDB's filters and updates that the port describes, and
//! rejects every operator outside it: a simulation that is more permissive than the real store
//! would hide the failures that it exists to find. It keeps nothing in hash order.
//!
//! | file | part |
//! |---|---|
//! | `collection` | one collection: documents and indexes |
//! | `filter`, `path`, `value` | queries: operators, dotted paths, the order of values |
//! | `scan` | finds that are no snapshots |
//! | `update`, `target`, `undo` | updates: operators, writing at a path, reverting a refused one |
//! | `index`, `keys`, `sort` | index keys and sort orders |
//! | `accesses` | the accesses of each call, for partial order reduction |

mod accesses;
mod collection;
pub(crate) mod filter;
mod index;
mod keys;
mod path;
mod rejected;
mod scan;
mod sort;
mod target;
mod undo;
mod update;
mod value;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use async_trait::async_trait;
use bson::{Bson, DateTime, Document, doc};
use parking_lot::{Mutex, MutexGuard};
use ports::Timestamp;
use ports::store::limits;
use ports::store::{Find, Index, ReadError, Store, Update, WriteError};

use crate::access::Access;
use crate::call::{Call, Operation, Port};
use crate::kernel::Kernel;
use accesses::{Accesses, Outcome};
use collection::{Collection, Found};
use filter::Filter;
use index::Refused;
use update::Change;

/// The seconds between two looks for expired documents, as on the server (`ttlMonitorSleepSecs`).
const EXPIRY_PERIOD: i64 = 60;

/// The contents of one database. Clones share the same contents, which outlive the instances
/// that use them.
///
/// Its methods are for the harness, not for services: they read without a scheduling decision.
#[derive(Debug, Clone, Default)]
pub struct SimDatabase(Arc<Mutex<Contents>>);

#[derive(Debug, Clone, Default)]
struct Contents {
    collections: BTreeMap<String, Collection>,
    /// The time of the last look for expired documents, in seconds since 1970.
    looked_at: i64,
}

impl SimDatabase {
    /// An empty database.
    pub fn new() -> Self {
        Self::default()
    }

    /// A database with the same contents, which further writes do not share.
    pub fn copy(&self) -> Self {
        Self(Arc::new(Mutex::new(self.state().clone())))
    }

    /// The names of its collections, in alphabetical order.
    pub fn collections(&self) -> Vec<String> {
        self.state().collections.keys().cloned().collect()
    }

    /// The documents of a collection, in order of insertion; none where it does not exist.
    pub fn documents(&self, collection: &str) -> Vec<Document> {
        let state = self.state();
        state.collections.get(collection).map_or_else(Vec::new, |found| found.documents().to_vec())
    }

    /// The number of documents in a collection that match the filter.
    ///
    /// # Panics
    ///
    /// When the store does not support the filter.
    pub fn count(&self, collection: &str, filter: &Document) -> usize {
        let state = self.state();
        let filter = Filter::read(filter).expect("the harness uses supported filters");
        let documents =
            state.collections.get(collection).map(Collection::documents).unwrap_or_default();
        documents.iter().filter(|document| filter.matches(document)).count()
    }

    /// Removes the documents that had expired at the beginning of this minute, unless the store has
    /// looked for them in this minute already; returns them with their collections, and the time of
    /// the look. A call at a later time does so by itself; a world does it earlier, to record the
    /// removal. All calls in a collection depend on the step that is the first to notice. `name` is
    /// the database's name in schedules.
    pub fn expire(&self, kernel: &Kernel, name: &str) -> (Timestamp, Vec<(String, Document)>) {
        let now = kernel.now();
        let look = now.as_second().div_euclid(EXPIRY_PERIOD) * EXPIRY_PERIOD;
        let date = DateTime::from_millis(look * 1000);
        let mut expired = Vec::new();
        let mut state = self.state();
        if std::mem::replace(&mut state.looked_at, look) == look {
            return (now, expired);
        }
        for (collection, contents) in &mut state.collections {
            let removed = contents.expire(date);
            if !removed.is_empty() && kernel.records_accesses() {
                let accesses = Accesses { database: name, collection, instance: 0 }.ensured();
                accesses.into_iter().for_each(|access| kernel.access(|| access));
            }
            expired.extend(removed.into_iter().map(|document| (collection.clone(), document)));
        }
        (Timestamp::from_second(look).unwrap_or(now), expired)
    }

    fn state(&self) -> MutexGuard<'_, Contents> {
        self.0.lock()
    }

    fn read<T>(&self, name: &str, read: impl FnOnce(&Collection) -> T) -> T {
        match self.state().collections.get(name) {
            Some(collection) => read(collection),
            None => read(&Collection::default()),
        }
    }

    fn write<T>(&self, name: &str, write: impl FnOnce(&mut Collection) -> T) -> T {
        let mut state = self.state();
        if let Some(collection) = state.collections.get_mut(name) {
            return write(collection);
        }
        write(state.collections.entry(name.to_owned()).or_default())
    }
}

/// The store of one service instance. Every call waits for the kernel and then takes effect at
/// once, except that a find or an update of several documents waits once more before the second
/// half of them.
#[derive(Clone)]
pub struct SimStore {
    kernel: Kernel,
    instance: u32,
    name: Arc<str>,
    database: SimDatabase,
}

impl SimStore {
    /// The store of this instance; `name` is the database's name in schedules and traces.
    pub fn new(kernel: Kernel, instance: u32, name: &str, database: SimDatabase) -> Self {
        Self { kernel, instance, name: name.into(), database }
    }

    /// Waits until the scheduler picks this call on `database/path/...`.
    async fn step(&self, operation: Operation, path: &[&str]) {
        let length = path.iter().map(|part| part.len() + 1).sum::<usize>();
        let mut target = String::with_capacity(self.name.len() + length);
        target.push_str(&self.name);
        for part in path {
            target.push('/');
            target.push_str(part);
        }
        self.kernel.step(Call::new(self.instance, Port::Store, operation, target)).await;
        self.database.expire(&self.kernel, &self.name);
    }

    /// The means to record accesses in a collection, where the scheduler wants them.
    fn recorder<'a>(&'a self, collection: &'a str) -> Option<Accesses<'a>> {
        let (database, instance) = (&*self.name, self.instance);
        self.kernel.records_accesses().then_some(Accesses { database, collection, instance })
    }

    fn note(&self, accesses: Option<Vec<Access>>) {
        let accesses = accesses.into_iter().flatten();
        accesses.for_each(|access| self.kernel.access(|| access));
    }

    /// Carries out an update, within the step of the caller, and returns what `read` takes from the
    /// updated document.
    fn update_one<T>(
        &self,
        collection: &str,
        update: Update,
        read: impl FnOnce(&Document) -> T,
    ) -> Result<Option<T>, WriteError> {
        let write = |found: &mut Collection| {
            let recorder = self.recorder(collection);
            let attempt = recorder.map(|to| to.updating(found, &update));
            let updated = found.update(update);
            let outcome = match &updated {
                Err(_) => Outcome::Refused,
                Ok(None) => Outcome::Unmatched,
                Ok(Some((document, true))) => Outcome::Inserted(document),
                Ok(Some((document, false))) => Outcome::Updated(document),
            };
            self.note(attempt.zip(recorder).map(|(attempt, to)| to.written(attempt, &outcome)));
            updated.map(|updated| updated.map(|(document, _)| read(document)))
        };
        self.database.write(collection, write).map_err(Into::into)
    }
}

#[async_trait]
impl Store for SimStore {
    async fn ensure(&self, collection: &str, indexes: &[Index]) -> Result<(), WriteError> {
        self.step(Operation::Ensure, &[collection]).await;
        limits::names(&self.name, collection)?;
        limits::indexes(indexes)?;
        self.note(self.recorder(collection).map(Accesses::ensured));
        self.database.write(collection, |found| found.ensure(indexes)).map_err(Into::into)
    }

    async fn insert(&self, collection: &str, document: Document) -> Result<(), WriteError> {
        match document.get("_id") {
            Some(Bson::String(id)) => self.step(Operation::Insert, &[collection, id]).await,
            _ => self.step(Operation::Insert, &[collection]).await,
        }
        limits::names(&self.name, collection)?;
        limits::document(&document)?;
        let write = |found: &mut Collection| {
            let recorder = self.recorder(collection);
            let attempt = recorder.map(|to| to.inserting(found, &document));
            let inserted = found.insert(document);
            let outcome = match (&inserted, found.documents().last()) {
                (Ok(()), Some(document)) => Outcome::Inserted(document),
                _ => Outcome::Refused,
            };
            self.note(attempt.zip(recorder).map(|(attempt, to)| to.written(attempt, &outcome)));
            inserted
        };
        self.database.write(collection, write).map_err(Into::into)
    }

    async fn get(&self, collection: &str, id: &str) -> Result<Option<Document>, ReadError> {
        self.step(Operation::Get, &[collection, id]).await;
        limits::names(&self.name, collection)?;
        self.note(self.recorder(collection).map(|to| to.got(id)));
        let state = self.database.state();
        let found = state.collections.get(collection);
        Ok(found.and_then(|found| found.get(id)).cloned())
    }

    async fn find(&self, collection: &str, find: Find) -> Result<Vec<Document>, ReadError> {
        self.step(Operation::Find, &[collection]).await;
        limits::names(&self.name, collection)?;
        limits::find(&find)?;
        let note = || self.note(self.recorder(collection).map(|to| to.found(&find.filter)));
        note();
        let half = match self.database.read(collection, |found| found.find(&find))? {
            Found::All(documents) => return Ok(documents),
            Found::Half(half) => half,
        };
        self.step(Operation::Find, &[collection]).await;
        note();
        Ok(self.database.read(collection, |found| found.finish(half, &find))?)
    }

    async fn update(
        &self,
        collection: &str,
        update: Update,
    ) -> Result<Option<Document>, WriteError> {
        match update.filter.get("_id") {
            Some(Bson::String(id)) => self.step(Operation::Update, &[collection, id]).await,
            _ => self.step(Operation::Update, &[collection]).await,
        }
        limits::names(&self.name, collection)?;
        limits::update(&update)?;
        self.update_one(collection, update, Document::clone)
    }

    async fn update_many(
        &self,
        collection: &str,
        ids: &[String],
        change: Document,
    ) -> Result<u64, WriteError> {
        self.step(Operation::UpdateMany, &[collection]).await;
        limits::names(&self.name, collection)?;
        limits::update_many(ids, &change)?;
        // The server refuses a change that it cannot read even where there is no document.
        Change::read(change.clone()).map_err(Refused::from)?;
        let ids: BTreeSet<&String> = ids.iter().collect();
        let half = ids.len().div_ceil(2);
        let mut updated = 0;
        for (number, id) in ids.into_iter().enumerate() {
            if number == half {
                self.step(Operation::UpdateMany, &[collection]).await;
            }
            let filter = doc! { "_id": id };
            let update = Update { filter, change: change.clone(), upsert: false };
            updated += u64::from(self.update_one(collection, update, |_| ())?.is_some());
        }
        Ok(updated)
    }

    async fn ping(&self) -> Result<(), ReadError> {
        self.step(Operation::Ping, &[]).await;
        Ok(())
    }
}
