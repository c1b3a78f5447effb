//! One collection of typed documents, in which every write carries its events.
//!
//! [`Collection::change`] is how all services change state: let a pure function decide on the
//! document as this instance knows it, or as it reads it, and write the decision *if nothing else
//! has written in between*, together with the events that it causes, in one conditional write. A
//! decision that loses the race is made again on the state that the winner left.
//!
//! It never publishes; see [`crate::outbox`].

use std::convert::Infallible;
use std::error::Error;
use std::marker::PhantomData;
use std::sync::Arc;

use bson::{Bson, Document, doc};

use crate::date;
use crate::event::{Emit, Envelope};
use crate::handover::{Handover, Outbox};
use crate::memory::Memory;
use crate::outbox::{self, Relay};
use crate::task::StepError;
use ports::causality::Causality;
use ports::clock::Clock;
use ports::store::{Find, Index, ReadError, Store, Update, WriteError};
use ports::{Ports, Timestamp};

pub use crate::document::{Aggregate, decode, encode};

/// Upper bound on decisions per change: each one after the first follows a lost race.
const MAX_ATTEMPTS: usize = 64;

/// The index that a store reports when a primary key exists already.
pub(crate) const PRIMARY_KEY: &str = "_id_";

/// The field with the time of the newest event.
pub(crate) const PUBLISHED: &str = "published";
/// The field with the time at which the store removes the document; missing until its last renewal.
pub(crate) const LEAVES: &str = "leaves";

/// The result of a decision function.
#[derive(Debug, Clone, PartialEq)]
pub enum Decision<T> {
    /// Leave the document as it is.
    Keep,
    /// Leave the document as it is, because it has this event or a newer one. That is so for any
    /// later state too: versions and fencing numbers never decrease. So it may be decided on a
    /// document that is only remembered.
    Superseded,
    /// Write this document and emit these events.
    Write(T, Vec<Emit>),
}

/// The result of a change.
#[derive(Debug, Clone, PartialEq)]
pub struct Changed<T> {
    /// The document after the change; `None` if it does not exist and was not created.
    pub document: Option<T>,
    /// True if this change wrote it.
    pub written: bool,
}

/// A failed change.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ChangeError<E> {
    /// The decision function refused: nothing was written.
    #[error(transparent)]
    Refused(E),
    /// The document could not be read: nothing was written.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The document could not be written, or the outcome of the write is unknown.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// Other writers won every race: nothing was written.
    #[error("{collection} {id} is contended")]
    Contended {
        /// The collection.
        collection: &'static str,
        /// The `_id`.
        id: String,
    },
}

impl<E: Error + Send + Sync + 'static> From<ChangeError<E>> for StepError {
    fn from(error: ChangeError<E>) -> Self {
        Self::new(error)
    }
}

/// A collection of `T` in one instance's store. Clones share its relay.
pub struct Collection<T> {
    ports: Ports,
    handover: Handover,
    memory: Memory,
    documents: PhantomData<fn() -> T>,
}

impl<T> Clone for Collection<T> {
    fn clone(&self) -> Self {
        let (handover, memory) = (self.handover.clone(), self.memory.clone());
        Self { ports: self.ports.clone(), handover, memory, documents: PhantomData }
    }
}

impl<T: Aggregate> Collection<T> {
    /// Opens the collection in this instance's store.
    pub fn new(ports: &Ports) -> Self {
        let (ports, handover, memory) = (ports.clone(), Handover::default(), Memory::default());
        Self { ports, handover, memory, documents: PhantomData }
    }

    /// Creates the relay that publishes this collection's events; `source` is the service's
    /// name.
    pub(crate) fn relay(&self, source: &'static str) -> Relay {
        Relay::new(source, T::COLLECTION, &self.ports, self.handover.clone())
    }

    /// The store, for a write whose filter decides.
    pub(crate) fn store(&self) -> &dyn Store {
        &*self.ports.store
    }

    pub(crate) fn clock(&self) -> Arc<dyn Clock> {
        Arc::clone(&self.ports.clock)
    }

    /// Creates an id for a new document.
    pub fn fresh_id(&self) -> String {
        self.ports.entropy.id(self.ports.clock.now())
    }

    /// Returns the document with this id.
    pub async fn get(&self, id: &str) -> Result<Option<T>, ReadError> {
        let found = self.ports.store.get(T::COLLECTION, id).await?;
        found.map(decode).transpose()
    }

    /// Returns the documents that match.
    pub async fn find(&self, find: Find) -> Result<Vec<T>, ReadError> {
        let found = self.ports.store.find(T::COLLECTION, find).await?;
        found.into_iter().map(decode).collect()
    }

    /// As [`Self::find`], for documents that are changed next, which is why they are not read again.
    pub async fn find_to_change(&self, find: Find) -> Result<Vec<T>, ReadError> {
        let found = self.ports.store.find(T::COLLECTION, find).await?;
        let keep = |document: Document| {
            if let Ok(id) = document.get_str("_id") {
                self.memory.keep(id, document.clone());
            }
            decode(document)
        };
        found.into_iter().map(keep).collect()
    }

    /// Inserts a new document together with the events that it causes.
    pub async fn insert(&self, document: &T, events: Vec<Emit>) -> Result<(), WriteError> {
        let mut fields = encode(document);
        let id = fields.get_str("_id").expect("the id of an aggregate is text").to_owned();
        let events = self.envelopes(events);
        fields.insert("revision", 0_i64);
        fields.insert(PUBLISHED, date::to_bson(self.ports.clock.now()));
        let inserted = fields.clone();
        fields.insert("outbox", entries(&events));
        let written = self.ports.store.insert(T::COLLECTION, fields).await;
        if written.is_ok() {
            self.memory.keep(&id, inserted);
        }
        match &written {
            _ if events.is_empty() => {}
            Ok(()) => self.handover.hand(Outbox { document: id, events }),
            // The events may be in the outbox.
            Err(WriteError::Unknown(_)) => self.handover.read(),
            Err(_) => {}
        }
        written
    }

    /// Decides, and writes the decision in one conditional write. Calls `decide` again after every
    /// lost race, and on a read where it refused or kept a document that was only remembered, so
    /// it must have no side effects.
    pub async fn change<E>(
        &self,
        id: &str,
        decide: impl FnMut(Option<&T>) -> Result<Decision<T>, E>,
    ) -> Result<Changed<T>, ChangeError<E>> {
        let guess = self.memory.get(id).map(Some);
        self.change_guessed(id, guess, decide).await
    }

    /// `guess` is the document, or that there is none, as it probably is; `None` without a guess.
    async fn change_guessed<E>(
        &self,
        id: &str,
        mut guess: Option<Option<Document>>,
        mut decide: impl FnMut(Option<&T>) -> Result<Decision<T>, E>,
    ) -> Result<Changed<T>, ChangeError<E>> {
        for _ in 0..MAX_ATTEMPTS {
            let is_guess = guess.is_some();
            let found = match guess.take() {
                Some(guess) => guess,
                None => self.ports.store.get(T::COLLECTION, id).await?,
            };
            let revision = found.as_ref().map(revision);
            let leaves = found.as_ref().is_some_and(|found| found.contains_key(LEAVES));
            let current = found.map(decode::<T>).transpose()?;
            let (next, events) = match decide(current.as_ref()) {
                Ok(Decision::Write(next, events)) => (next, events),
                Ok(Decision::Superseded) => {
                    return Ok(Changed { document: current, written: false });
                }
                _ if is_guess => continue,
                Ok(Decision::Keep) => {
                    return Ok(Changed { document: current, written: false });
                }
                Err(refused) => return Err(ChangeError::Refused(refused)),
            };
            let won = match revision {
                Some(revision) => {
                    let replaced = self.replace(&next, revision, leaves, events).await;
                    if !matches!(replaced, Ok(true)) {
                        self.memory.forget(id);
                    }
                    replaced?
                }
                None => match self.insert(&next, events).await {
                    Err(WriteError::Duplicate { index }) if index == PRIMARY_KEY => false,
                    inserted => inserted.map(|()| true)?,
                },
            };
            if won {
                return Ok(Changed { document: Some(next), written: true });
            }
        }
        Err(ChangeError::Contended { collection: T::COLLECTION, id: id.to_owned() })
    }

    /// As [`Self::change`], with a decision that never refuses.
    pub async fn apply(
        &self,
        id: &str,
        mut decide: impl FnMut(Option<&T>) -> Decision<T>,
    ) -> Result<Changed<T>, ChangeError<Infallible>> {
        self.change(id, |current| Ok(decide(current))).await
    }

    /// As [`Self::apply`], for an event that is of this version of its document elsewhere. At
    /// version 0 there is probably no document here, so the first decision is made without a read.
    pub async fn apply_event(
        &self,
        id: &str,
        version: i64,
        mut decide: impl FnMut(Option<&T>) -> Decision<T>,
    ) -> Result<Changed<T>, ChangeError<Infallible>> {
        let known = self.memory.get(id);
        let guess = if version == 0 { Some(known) } else { known.map(Some) };
        self.change_guessed(id, guess, |current| Ok(decide(current))).await
    }

    /// Writes the document if it is still at this revision; returns false if it is not. A document
    /// that leaves has not ended, so it stays until it is renewed again.
    async fn replace(
        &self,
        next: &T,
        revision: Bson,
        leaves: bool,
        events: Vec<Emit>,
    ) -> Result<bool, WriteError> {
        let mut set = encode(next);
        let id = set.remove("_id").expect("an encoded document has an id");
        if leaves || !events.is_empty() {
            set.insert(PUBLISHED, date::to_bson(self.ports.clock.now()));
        }
        let mut change = doc! { "$set": set };
        if leaves {
            change.insert("$unset", doc! { LEAVES: "" });
        }
        self.write(id, change, revision, events).await
    }

    /// Publishes these events of a document, as it was read, once more, unless it has changed
    /// since. The next renewal counts from `published`; with `leaves`, the store removes the
    /// document then.
    pub(crate) async fn publish_again(
        &self,
        document: &Document,
        events: Vec<Emit>,
        published: Timestamp,
        leaves: Option<Timestamp>,
    ) -> Result<bool, WriteError> {
        let id = document.get("_id").cloned().unwrap_or(Bson::Null);
        let mut set = doc! { PUBLISHED: date::to_bson(published) };
        if let Some(leaves) = leaves {
            set.insert(LEAVES, date::to_bson(leaves));
            if !document.contains_key("outbox") {
                // A copy. Only a document with an empty outbox leaves.
                set.insert("outbox", Bson::Array(Vec::new()));
            }
        }
        self.write(id, doc! { "$set": set }, revision(document), events).await
    }

    /// Changes the document if it is still at this revision; returns false if it is not.
    async fn write(
        &self,
        id: Bson,
        mut change: Document,
        revision: Bson,
        events: Vec<Emit>,
    ) -> Result<bool, WriteError> {
        let events = self.envelopes(events);
        change.insert("$inc", doc! { "revision": 1_i64 });
        if !events.is_empty() {
            change.insert("$push", doc! { "outbox": { "$each": entries(&events) } });
        }
        let update =
            Update { filter: doc! { "_id": id, "revision": revision }, change, upsert: false };
        let has_events = !events.is_empty();
        let written = self.ports.store.update(T::COLLECTION, update).await;
        // The events may be in the outbox.
        if has_events && matches!(written, Err(WriteError::Unknown(_))) {
            self.handover.read();
        }
        let Some(document) = written? else { return Ok(false) };
        if has_events {
            match left_behind(&document, events) {
                Some(outbox) => self.handover.hand(outbox),
                None => self.handover.read(),
            }
        }
        if let Ok(id) = document.get_str("_id").map(str::to_owned) {
            self.memory.keep(&id, document);
        }
        Ok(true)
    }

    fn envelopes(&self, events: Vec<Emit>) -> Vec<Envelope> {
        let now = self.ports.clock.now();
        events
            .into_iter()
            .map(|emit| {
                let origin = Causality::current();
                let begin = || Arc::new(Causality::begin(&*self.ports.entropy));
                let origin = origin.unwrap_or_else(begin);
                let id = self.ports.entropy.id(now);
                Envelope {
                    traceparent: origin.traceparent(&id[8..]),
                    id,
                    name: emit.name.to_owned(),
                    subject: emit.subject.to_owned(),
                    aggregate: emit.aggregate,
                    time: now.to_string(),
                    payload: emit.payload,
                }
            })
            .collect()
    }
}

/// The events as entries of an outbox.
fn entries(events: &[Envelope]) -> Vec<Bson> {
    let entry = |event| bson::serialize_to_bson(event).expect("an envelope is plain data");
    events.iter().map(entry).collect()
}

/// The outbox of the document after a write that appended these events; `None` if it cannot be
/// read from the document that the store returned.
fn left_behind(document: &Document, events: Vec<Envelope>) -> Option<Outbox> {
    let entries = document.get_array("outbox").ok()?;
    let older = &entries[..entries.len().checked_sub(events.len())?];
    let older = older.iter().map(|entry| bson::deserialize_from_bson(entry.clone()));
    let mut all = older.collect::<Result<Vec<Envelope>, _>>().ok()?;
    all.extend(events);
    Some(Outbox { document: document.get_str("_id").ok()?.to_owned(), events: all })
}

fn revision(document: &Document) -> Bson {
    document.get("revision").cloned().unwrap_or(Bson::Null)
}

/// The declaration of a collection, from which the runner creates it.
#[derive(Debug, Clone, PartialEq)]
pub struct CollectionSpec {
    /// Its name.
    pub name: &'static str,
    /// Its indexes, including the one of the outbox.
    pub indexes: Vec<Index>,
}

impl CollectionSpec {
    /// Declares the collection of `T`.
    #[must_use]
    pub fn of<T: Aggregate>() -> Self {
        let mut indexes = T::indexes();
        indexes.push(outbox::INDEX);
        Self { name: T::COLLECTION, indexes }
    }
}
