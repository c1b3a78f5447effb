//! The relay: publishes the events that wait in documents, in order, then removes them.
//!
//! A state change and its events are one write of one document: the events wait in its
//! `outbox` array. The relay publishes each under its own id, so publishing it twice adds
//! nothing, and removes it only once the bus has confirmed it. Documents are relayed side by side,
//! the events of one document in order. The periodic step of the relay,
//! in this instance or another, finds the events that a crash left behind.
//!
//! It never changes a document otherwise; [`crate::collection`] writes.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use async_trait::async_trait;
use bson::{Bson, Document, doc};
use futures::future;
use futures::stream::{self, StreamExt};

use crate::event::Envelope;
use crate::metrics::RelayMetrics;
use crate::policy::Policy;
use crate::task::{Step, StepError, Task};
use crate::wake::Wake;
use ports::Timestamp;
use ports::bus::{Bus, Message, PublishError, Stream};
use ports::causality::Causality;
use ports::store::{Find, Index, Store, Update, WriteError};

/// Documents that are relayed at the same time: a publish waits for the disk of the broker.
const AT_ONCE: usize = 16;

/// The index that finds documents with unpublished events.
pub const INDEX: Index =
    Index { name: "outbox", keys: &["outbox.id"], unique: false, partial: None };

/// Returns the filter for documents with unpublished events. [`INDEX`] serves it: a document
/// with an empty outbox has no string at that path.
#[must_use]
pub fn waiting() -> Document {
    doc! { "outbox.id": { "$gt": "" } }
}

/// Returns the time of the oldest event in these documents, in seconds since the epoch; zero for
/// none.
fn oldest(documents: &[Document]) -> i64 {
    let first = |document: &Document| match document.get_array("outbox").ok()?.first()? {
        Bson::Document(entry) => entry.get_str("time").ok()?.parse::<Timestamp>().ok(),
        _ => None,
    };
    documents.iter().filter_map(first).min().map_or(0, Timestamp::as_second)
}

/// The relay of one collection.
pub struct Relay {
    /// The service's name, sent as `ce-source`.
    pub source: &'static str,
    /// The collection that it relays.
    pub collection: &'static str,
    /// The store that holds the collection.
    pub store: Arc<dyn Store>,
    /// The bus to which it publishes.
    pub bus: Arc<dyn Bus>,
    /// The signal that every write with events sets.
    pub wake: Wake,
    /// The figures of this relay.
    pub metrics: RelayMetrics,
    /// Upper bound on documents per step.
    pub batch: AtomicU32,
}

/// The reason why the events of a document stay in its outbox.
#[derive(Debug, thiserror::Error)]
enum RelayError {
    #[error(transparent)]
    Publish(#[from] PublishError),
    #[error(transparent)]
    Write(#[from] WriteError),
    /// An entry is not an envelope.
    #[error("unreadable outbox entry of {id} in {collection}")]
    Entry {
        collection: &'static str,
        id: String,
        #[source]
        source: Box<bson::error::Error>,
    },
}

#[async_trait]
impl Task for Relay {
    fn name(&self) -> String {
        format!("relay of {}", self.collection)
    }

    fn wake(&self) -> Wake {
        self.wake.clone()
    }

    fn relay(&self) -> Option<(&'static str, RelayMetrics)> {
        Some((self.collection, self.metrics.clone()))
    }

    fn configure(&self, policy: &Policy) {
        self.batch.store(policy.relay_batch, Ordering::Relaxed);
    }

    async fn step(&self) -> Result<Step, StepError> {
        let limit = self.batch.load(Ordering::Relaxed);
        let find = Find { filter: waiting(), limit, ..Find::default() };
        let documents = self.store.find(self.collection, find).await?;
        let is_full = documents.len() == limit as usize;
        self.metrics.found(documents.len(), oldest(&documents));
        let relays = documents.into_iter().map(|document| self.relay(document));
        // All of them finish: a dropped one would leave events that it has published already.
        let failures: Vec<RelayError> = stream::iter(relays)
            .buffer_unordered(AT_ONCE)
            .filter_map(|relayed| future::ready(relayed.err()))
            .collect()
            .await;
        let is_away = |failure: &RelayError| {
            matches!(failure, RelayError::Publish(PublishError::Unavailable(_)))
        };
        if failures.iter().any(is_away) {
            // A broker that came back without its data has no stream, and nobody else creates
            // it. Where it is out of reach, the next step tries again.
            drop(self.bus.ensure().await);
        }
        if let Some(first) = failures.into_iter().next() {
            return Err(StepError::new(first));
        }
        Ok(if is_full { Step::Worked } else { Step::Idle { next: None } })
    }
}

impl Relay {
    /// Publishes the events of one document in order, and removes those that were published.
    /// Stops at the first failure, so that no event overtakes an earlier one.
    async fn relay(&self, mut document: Document) -> Result<(), RelayError> {
        let outbox = match document.remove("outbox") {
            Some(Bson::Array(outbox)) => outbox,
            _ => Vec::new(),
        };
        let id = document.remove("_id").unwrap_or(Bson::Null);
        let mut published = Vec::new();
        let mut failed = None;
        for entry in outbox {
            let envelope = bson::deserialize_from_bson::<Envelope>(entry).map_err(|source| {
                let (collection, id) = (self.collection, id.to_string());
                RelayError::Entry { collection, id, source: Box::new(source) }
            })?;
            let event = envelope.id.clone();
            if let Err(error) = self.publish(envelope).await {
                failed = Some(error);
                break;
            }
            published.push(event);
        }
        if !published.is_empty() {
            let update = Update {
                filter: doc! { "_id": id },
                change: doc! { "$pull": { "outbox": { "id": { "$in": published } } } },
                upsert: false,
            };
            self.store.update(self.collection, update).await?;
        }
        failed.map_or(Ok(()), |error| Err(error.into()))
    }

    /// Publishes one event under the origin that caused it.
    async fn publish(&self, envelope: Envelope) -> Result<(), PublishError> {
        let message = message(envelope, self.source);
        let origin = Causality::of(&message);
        origin.scope(self.bus.publish(Stream::Events, message)).await?;
        self.metrics.published();
        Ok(())
    }
}

/// Converts an envelope to a CloudEvents message in binary mode.
fn message(envelope: Envelope, source: &str) -> Message {
    let headers = BTreeMap::from([
        ("content-type".to_owned(), "application/json".to_owned()),
        ("ce-specversion".to_owned(), "1.0".to_owned()),
        ("ce-id".to_owned(), envelope.id.clone()),
        ("ce-source".to_owned(), source.to_owned()),
        ("ce-type".to_owned(), envelope.name),
        ("ce-subject".to_owned(), envelope.aggregate),
        ("ce-time".to_owned(), envelope.time),
        ("traceparent".to_owned(), envelope.traceparent),
    ]);
    Message {
        subject: envelope.subject,
        id: envelope.id,
        headers,
        payload: envelope.payload.into_bytes().into(),
    }
}
