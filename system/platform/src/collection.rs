//! One collection of typed documents, where every write carries its events.
//!
//! [`Collection::change`] is the way in which all services change state: read the document,
//! let a pure function decide, write the decision *if nothing else has written in between*,
//! together with the events that it causes, in one conditional write. A decision that lost is
//! made again on what the winner left.
//!
//! It never publishes; see [`crate::outbox`].

use std::marker::PhantomData;
use std::sync::Arc;

use bson::{Bson, Document, doc};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::event::{Emit, Envelope};
use crate::metrics::Published;
use crate::outbox::{self, Relay};
use crate::task::Wake;
use ports::causality::Causality;
use ports::store::{Find, Index, ReadError, Store, Update, WriteError};
use ports::{Ports, clock::Clock, entropy::Entropy};

/// How often a change is decided anew before it gives up: each time, another writer has won.
const ATTEMPTS: usize = 64;

/// A document of a service. Its serialized form has an `_id` and all its fields, absent
/// values as null; `outbox` and `revision` are the collection's own.
pub trait Aggregate: Serialize + DeserializeOwned + Send + Sync {
    /// The collection it lives in.
    const COLLECTION: &'static str;
    /// Its indexes besides `_id` and the outbox's.
    fn indexes() -> Vec<Index>;
    /// Its `_id`.
    fn id(&self) -> &str;
}

/// What a decision comes to.
#[derive(Debug, Clone, PartialEq)]
pub enum Decision<T> {
    /// Leave the document as it is.
    Keep,
    /// Write this document and emit these events.
    Write(T, Vec<Emit>),
}

/// What a change came to.
#[derive(Debug, Clone, PartialEq)]
pub struct Changed<T> {
    /// The document as it is now; `None` where there is none and none was written.
    pub document: Option<T>,
    /// Whether this change wrote it.
    pub written: bool,
}

/// Why a change failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChangeError<E> {
    /// The decision was to refuse.
    #[error("refused")]
    Refused(E),
    /// The document could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// It could not be written, or perhaps it was.
    #[error(transparent)]
    Write(#[from] WriteError),
}

/// A collection of `T`.
pub struct Collection<T> {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    wake: Wake,
    documents: PhantomData<fn() -> T>,
}

impl<T> Clone for Collection<T> {
    fn clone(&self) -> Self {
        Self {
            store: Arc::clone(&self.store),
            clock: Arc::clone(&self.clock),
            entropy: Arc::clone(&self.entropy),
            wake: self.wake.clone(),
            documents: PhantomData,
        }
    }
}

impl<T: Aggregate> Collection<T> {
    /// The collection in this instance's store.
    pub fn new(ports: &Ports) -> Self {
        Self {
            store: Arc::clone(&ports.store),
            clock: Arc::clone(&ports.clock),
            entropy: Arc::clone(&ports.entropy),
            wake: Wake::default(),
            documents: PhantomData,
        }
    }

    /// The relay of this collection's events.
    pub fn relay(&self, source: &'static str, ports: &Ports) -> Relay {
        Relay {
            source,
            collection: T::COLLECTION,
            store: Arc::clone(&ports.store),
            bus: Arc::clone(&ports.bus),
            wake: self.wake.clone(),
            published: Published::default(),
        }
    }

    /// The document with this id.
    pub async fn get(&self, id: &str) -> Result<Option<T>, ReadError> {
        let found = self.store.get(T::COLLECTION, id).await?;
        found.map(read).transpose()
    }

    /// The documents that match.
    pub async fn find(&self, find: Find) -> Result<Vec<T>, ReadError> {
        let found = self.store.find(T::COLLECTION, find).await?;
        found.into_iter().map(read).collect()
    }

    /// Inserts a new document with the events that it causes.
    pub async fn insert(&self, document: &T, events: Vec<Emit>) -> Result<(), WriteError> {
        let mut fields = fields(document);
        fields.insert("revision", 0_i64);
        fields.insert("outbox", self.envelopes(events));
        let written = self.store.insert(T::COLLECTION, fields).await;
        self.wake_unless_refused(&written);
        written
    }

    /// Reads the document, decides, and writes the decision in one conditional write.
    pub async fn change<E>(
        &self,
        id: &str,
        mut decide: impl FnMut(Option<&T>) -> Result<Decision<T>, E>,
    ) -> Result<Changed<T>, ChangeError<E>> {
        for _ in 0..ATTEMPTS {
            let found = self.store.get(T::COLLECTION, id).await?;
            let revision = found.as_ref().map(revision);
            let current = found.map(read::<T>).transpose()?;
            let (next, events) = match decide(current.as_ref()).map_err(ChangeError::Refused)? {
                Decision::Keep => {
                    return Ok(Changed { document: current, written: false });
                }
                Decision::Write(next, events) => (next, events),
            };
            let won = match revision {
                Some(revision) => self.replace(&next, revision, events).await?,
                None => match self.insert(&next, events).await {
                    Err(WriteError::Duplicate { index }) if index == "_id_" => false,
                    inserted => inserted.map(|()| true)?,
                },
            };
            if won {
                return Ok(Changed { document: Some(next), written: true });
            }
        }
        let why = format!("{} {id} is contended", T::COLLECTION);
        Err(WriteError::Unavailable(why).into())
    }

    /// Writes the document if it is still at this revision.
    async fn replace(
        &self,
        next: &T,
        revision: Bson,
        events: Vec<Emit>,
    ) -> Result<bool, WriteError> {
        let mut set = fields(next);
        set.remove("_id");
        let mut change = doc! { "$set": set, "$inc": { "revision": 1_i64 } };
        if !events.is_empty() {
            change.insert("$push", doc! { "outbox": { "$each": self.envelopes(events) } });
        }
        let update = Update {
            filter: doc! { "_id": next.id(), "revision": revision },
            change,
            upsert: false,
        };
        let written = self.store.update(T::COLLECTION, update).await;
        self.wake_unless_refused(&written);
        Ok(written?.is_some())
    }

    /// A write whose outcome is unknown may have left events behind, so it wakes the relay too.
    fn wake_unless_refused<W>(&self, written: &Result<W, WriteError>) {
        if matches!(written, Ok(_) | Err(WriteError::Unknown(_))) {
            self.wake.wake();
        }
    }

    fn envelopes(&self, events: Vec<Emit>) -> Vec<Bson> {
        let now = self.clock.now();
        events
            .into_iter()
            .map(|emit| {
                let origin = Causality::current();
                let begin = || Arc::new(Causality::begin(&*self.entropy));
                let origin = origin.unwrap_or_else(begin);
                let id = self.entropy.id(now);
                let envelope = Envelope {
                    traceparent: origin.traceparent(&id[8..]),
                    id,
                    name: emit.name.to_owned(),
                    subject: emit.subject.to_owned(),
                    aggregate: emit.aggregate,
                    time: now.to_string(),
                    payload: emit.payload,
                };
                bson::serialize_to_bson(&envelope).expect("an envelope is plain data")
            })
            .collect()
    }
}

fn fields<T: Aggregate>(document: &T) -> Document {
    bson::serialize_to_document(document).expect("an aggregate is a plain document")
}

fn read<T: Aggregate>(document: Document) -> Result<T, ReadError> {
    bson::deserialize_from_document(document)
        .map_err(|e| ReadError::Rejected(format!("a document in {}: {e}", T::COLLECTION)))
}

fn revision(document: &Document) -> Bson {
    document.get("revision").cloned().unwrap_or(Bson::Null)
}

/// What a service tells the runner about a collection.
#[derive(Debug, Clone, PartialEq)]
pub struct CollectionSpec {
    /// Its name.
    pub name: &'static str,
    /// Its indexes.
    pub indexes: Vec<Index>,
}

impl CollectionSpec {
    /// The collection of `T`, with the outbox index.
    pub fn of<T: Aggregate>() -> Self {
        let mut indexes = T::indexes();
        indexes.push(outbox::INDEX);
        Self { name: T::COLLECTION, indexes }
    }
}
