//! The relay: publishes the events that wait in documents, in order, then removes them.
//!
//! A state change and its events are one write of one document: the events wait in its
//! `outbox` array. The relay publishes each under its own id, so publishing twice adds
//! nothing, and removes it only when the bus has it. What a crash left behind is found by
//! the sweep, from this instance or another.
//!
//! It never changes a document otherwise. Writing is [`crate::collection`]'s.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use bson::{Bson, Document, doc};

use crate::event::Envelope;
use crate::metrics::Published;
use crate::task::{Step, StepError, Task, Wake};
use ports::bus::{Bus, Message, Stream};
use ports::causality::Causality;
use ports::store::{Find, Index, Store, Update};

/// How many documents one step takes on.
const BATCH: u32 = 100;

/// The index that finds documents with waiting events.
pub const INDEX: Index =
    Index { name: "outbox", keys: &["outbox.id"], unique: false, partial: None };

/// Which documents have waiting events. Served by [`INDEX`]: a document without any has no
/// string there.
pub fn waiting() -> Document {
    doc! { "outbox.id": { "$gt": "" } }
}

/// The relay of one collection.
pub struct Relay {
    /// The service, as `ce-source`.
    pub source: &'static str,
    /// The collection.
    pub collection: &'static str,
    /// Where it is.
    pub store: Arc<dyn Store>,
    /// Where its events go.
    pub bus: Arc<dyn Bus>,
    /// Woken by every write that carries events.
    pub wake: Wake,
    /// How many it has published.
    pub published: Published,
}

#[async_trait]
impl Task for Relay {
    fn name(&self) -> String {
        format!("relay of {}", self.collection)
    }

    fn wake(&self) -> Wake {
        self.wake.clone()
    }

    fn published(&self) -> Option<Published> {
        Some(self.published.clone())
    }

    async fn step(&self) -> Result<Step, StepError> {
        let find = Find { filter: waiting(), limit: BATCH, ..Find::default() };
        let found = self.store.find(self.collection, find).await;
        let documents = found.map_err(|e| StepError(e.to_string()))?;
        let more = documents.len() == BATCH as usize;
        for document in documents {
            self.relay(document).await?;
        }
        Ok(if more { Step::Worked } else { Step::Idle { next: None } })
    }
}

impl Relay {
    /// Publishes what waits in one document, in order, and removes what was published.
    async fn relay(&self, mut document: Document) -> Result<(), StepError> {
        let outbox = match document.remove("outbox") {
            Some(Bson::Array(outbox)) => outbox,
            _ => Vec::new(),
        };
        let id = document.remove("_id").unwrap_or(Bson::Null);
        let mut published = Vec::new();
        let mut failed = None;
        for entry in outbox {
            let envelope = bson::deserialize_from_bson::<Envelope>(entry)
                .map_err(|e| StepError(format!("outbox of {id} in {}: {e}", self.collection)))?;
            let event = envelope.id.clone();
            let message = message(envelope, self.source);
            let origin = Causality::of(&message);
            let publish = self.bus.publish(Stream::Events, message);
            if let Err(why) = origin.scope(publish).await {
                failed = Some(StepError(why.to_string()));
                break;
            }
            self.published.count();
            published.push(event);
        }
        if !published.is_empty() {
            let update = Update {
                filter: doc! { "_id": id },
                change: doc! { "$pull": { "outbox": { "id": { "$in": published } } } },
                upsert: false,
            };
            let pulled = self.store.update(self.collection, update).await;
            pulled.map_err(|e| StepError(e.to_string()))?;
        }
        failed.map_or(Ok(()), Err)
    }
}

/// An envelope as a CloudEvents message in binary mode.
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
