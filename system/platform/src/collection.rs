//! One collection of typed documents, in which every write carries its events.
//!
//! [`Collection::change`] is how all services change state: read the document, let a pure
//! function decide, and write the decision *if nothing else has written in between*, together
//! with the events that it causes, in one conditional write. A decision that loses the race is
//! made again on the state that the winner left.
//!
//! It never publishes; see [`crate::outbox`].

use std::convert::Infallible;
use std::error::Error;
use std::marker::PhantomData;
use std::sync::Arc;

use bson::{Bson, Document, doc};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::event::{Emit, Envelope};
use crate::handover::{Handover, Outbox};
use crate::outbox::{self, Relay};
use crate::task::StepError;
use ports::Ports;
use ports::causality::Causality;
use ports::store::{Find, Index, ReadError, Update, WriteError};

/// Upper bound on decisions per change: each one after the first follows a lost race.
const MAX_ATTEMPTS: usize = 64;

/// The index that a store reports when a primary key exists already.
const PRIMARY_KEY: &str = "_id_";

/// A document of a service. Its serialized form has an `id`, which its collection stores as
/// `_id`, and all its fields, absent values as null; the fields `outbox` and `revision` belong to
/// the collection.
pub trait Aggregate: Serialize + DeserializeOwned + Send + Sync {
    /// The name of its collection.
    const COLLECTION: &'static str;

    /// Returns its indexes, without those of the primary key and the outbox. None by default.
    fn indexes() -> Vec<Index> {
        Vec::new()
    }
}

/// The result of a decision function.
#[derive(Debug, Clone, PartialEq)]
pub enum Decision<T> {
    /// Leave the document as it is.
    Keep,
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
    documents: PhantomData<fn() -> T>,
}

impl<T> Clone for Collection<T> {
    fn clone(&self) -> Self {
        Self { ports: self.ports.clone(), handover: self.handover.clone(), documents: PhantomData }
    }
}

impl<T: Aggregate> Collection<T> {
    /// Opens the collection in this instance's store.
    pub fn new(ports: &Ports) -> Self {
        Self { ports: ports.clone(), handover: Handover::default(), documents: PhantomData }
    }

    /// Creates the relay that publishes this collection's events; `source` is the service's
    /// name.
    pub(crate) fn relay(&self, source: &'static str) -> Relay {
        Relay::new(source, T::COLLECTION, &self.ports, self.handover.clone())
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

    /// Inserts a new document together with the events that it causes.
    pub async fn insert(&self, document: &T, events: Vec<Emit>) -> Result<(), WriteError> {
        let mut fields = encode(document);
        let id = fields.get_str("_id").expect("the id of an aggregate is text").to_owned();
        let events = self.envelopes(events);
        fields.insert("revision", 0_i64);
        fields.insert("outbox", entries(&events));
        let written = self.ports.store.insert(T::COLLECTION, fields).await;
        match &written {
            _ if events.is_empty() => {}
            Ok(()) => self.handover.hand(Outbox { document: id, events }),
            // The events may be in the outbox.
            Err(WriteError::Unknown(_)) => self.handover.read(),
            Err(_) => {}
        }
        written
    }

    /// Reads the document, decides, and writes the decision in one conditional write. Calls
    /// `decide` again after every lost race, so it must have no side effects.
    pub async fn change<E>(
        &self,
        id: &str,
        mut decide: impl FnMut(Option<&T>) -> Result<Decision<T>, E>,
    ) -> Result<Changed<T>, ChangeError<E>> {
        for _ in 0..MAX_ATTEMPTS {
            let found = self.ports.store.get(T::COLLECTION, id).await?;
            let revision = found.as_ref().map(revision);
            let current = found.map(decode::<T>).transpose()?;
            let (next, events) = match decide(current.as_ref()).map_err(ChangeError::Refused)? {
                Decision::Keep => {
                    return Ok(Changed { document: current, written: false });
                }
                Decision::Write(next, events) => (next, events),
            };
            let won = match revision {
                Some(revision) => self.replace(&next, revision, events).await?,
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

    /// Writes the document if it is still at this revision; returns false if it is not.
    async fn replace(
        &self,
        next: &T,
        revision: Bson,
        events: Vec<Emit>,
    ) -> Result<bool, WriteError> {
        let mut set = encode(next);
        let id = set.remove("_id").expect("an encoded document has an id");
        let events = self.envelopes(events);
        let mut change = doc! { "$set": set, "$inc": { "revision": 1_i64 } };
        if !events.is_empty() {
            change.insert("$push", doc! { "outbox": { "$each": entries(&events) } });
        }
        let update =
            Update { filter: doc! { "_id": id, "revision": revision }, change, upsert: false };
        let written = self.ports.store.update(T::COLLECTION, update).await;
        match &written {
            _ if events.is_empty() => {}
            Ok(Some(document)) => match left_behind(document, events) {
                Some(outbox) => self.handover.hand(outbox),
                None => self.handover.read(),
            },
            // The events may be in the outbox.
            Err(WriteError::Unknown(_)) => self.handover.read(),
            Ok(None) | Err(_) => {}
        }
        Ok(written?.is_some())
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

/// Returns the document as its collection stores it, without the fields of the collection.
///
/// # Panics
///
/// If the aggregate has no `id`, or is no plain document.
pub fn encode<T: Aggregate>(aggregate: &T) -> Document {
    let mut fields =
        bson::serialize_to_document(aggregate).expect("an aggregate is a plain document");
    let mut document = doc! { "_id": fields.remove("id").expect("an aggregate has an id") };
    document.extend(fields);
    document
}

/// Returns the id of an aggregate.
pub(crate) fn id<T: Aggregate>(aggregate: &T) -> String {
    let document = encode(aggregate);
    document.get_str("_id").expect("the id of an aggregate is text").to_owned()
}

/// Reads a stored document.
///
/// # Errors
///
/// [`ReadError::Rejected`] if the document is not one of a `T`.
pub fn decode<T: Aggregate>(mut document: Document) -> Result<T, ReadError> {
    if let Some(id) = document.remove("_id") {
        document.insert("id", id);
    }
    bson::deserialize_from_document(document)
        .map_err(|e| ReadError::Rejected(format!("a document in {}: {e}", T::COLLECTION)))
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

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Room {
        beds: i64,
        id: String,
    }

    impl Aggregate for Room {
        const COLLECTION: &'static str = "rooms";
    }

    #[test]
    fn an_aggregate_is_stored_under_its_id() {
        let room = Room { beds: 2, id: "12".to_owned() };
        let mut stored = encode(&room);
        assert_eq!(stored, doc! { "_id": "12", "beds": 2_i64 });
        stored.insert("revision", 3);
        assert_eq!(decode(stored), Ok(room));
    }

    #[test]
    fn a_document_without_an_id_is_rejected() {
        let stored = decode::<Room>(doc! { "beds": 2_i64 });
        assert!(matches!(stored, Err(ReadError::Rejected(_))), "{stored:?}");
    }
}
