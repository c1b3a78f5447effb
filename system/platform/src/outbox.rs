//! The relay: publishes the events that wait in documents, in order, then removes them.
//!
//! A state change and its events are one write of one document: the events wait in its
//! `outbox` array. The relay publishes each under its own id, so publishing it twice adds
//! nothing, and removes it only once the bus has confirmed it. Documents are relayed side by side,
//! the events of one document in order.
//!
//! The writes of this instance hand their events over ([`crate::handover`]), so the relay reads
//! the store only at its start, once per sweep, and after a failure: then it finds the events that
//! a crash, here or in another instance, left behind. One write removes the published events of
//! many documents.
//!
//! It never changes a document otherwise; [`crate::collection`] writes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use async_trait::async_trait;
use bson::{Bson, Document, doc};
use futures::stream::{self, StreamExt};
use parking_lot::Mutex;

use crate::event::Envelope;
use crate::handover::{Handover, Outbox};
use crate::metrics::RelayMetrics;
use crate::policy::Policy;
use crate::task::{Step, StepError, Task};
use crate::wake::Wake;
use ports::bus::{Bus, Message, PublishError, Stream};
use ports::causality::Causality;
use ports::clock::{Clock, after};
use ports::store::{Find, Index, Store};
use ports::{Ports, Timestamp};

/// Documents that are relayed at the same time: a publish waits for the disk of the broker.
const AT_ONCE: usize = 16;

/// The header with the time of the write that caused an event.
pub(crate) const TIME: &str = "ce-time";

/// The index that finds documents with unpublished events.
pub const INDEX: Index =
    Index { name: "outbox", keys: &["outbox.id"], unique: false, partial: None, expires: false };

/// Returns the filter for documents with unpublished events. [`INDEX`] serves it: a document
/// with an empty outbox has no string at that path.
#[must_use]
pub fn waiting() -> Document {
    doc! { "outbox.id": { "$gt": "" } }
}

/// Returns the time of the oldest event in these outboxes, in seconds since the epoch; zero for
/// none.
fn oldest<'a>(outboxes: impl Iterator<Item = &'a Outbox>) -> i64 {
    let first = |outbox: &Outbox| outbox.events.first()?.time.parse::<Timestamp>().ok();
    outboxes.filter_map(first).min().map_or(0, Timestamp::as_second)
}

/// The relay of one collection.
pub struct Relay {
    source: &'static str,
    collection: &'static str,
    store: Arc<dyn Store>,
    bus: Arc<dyn Bus>,
    clock: Arc<dyn Clock>,
    handover: Handover,
    metrics: RelayMetrics,
    policy: Mutex<Policy>,
    progress: Mutex<Progress>,
}

/// The memory of a relay from one step to the next. Losing it costs repetitions only.
#[derive(Debug, Default)]
struct Progress {
    /// The time of the next read of the store.
    next_read: Timestamp,
    /// The published events that are still in their outboxes, by document.
    published: BTreeMap<String, Vec<String>>,
    /// The time at which they are removed.
    clear_at: Timestamp,
    /// The events that the last step removed: an outbox that was handed over before may still
    /// have them.
    removed: BTreeSet<String>,
}

/// The reason why the events of a document stay in its outbox.
#[derive(Debug, thiserror::Error)]
enum RelayError {
    #[error(transparent)]
    Publish(#[from] PublishError),
    /// An entry is not an envelope.
    #[error("unreadable outbox entry of {id} in {collection}")]
    Entry {
        collection: &'static str,
        id: String,
        #[source]
        source: Box<bson::error::Error>,
    },
}

/// The outboxes of one step, each document once.
#[derive(Default)]
struct Batch {
    outboxes: Vec<Outbox>,
    places: BTreeMap<String, usize>,
    unreadable: Option<RelayError>,
    is_full: bool,
}

impl Batch {
    /// Adds the events that are not known to be published.
    fn add(&mut self, outbox: Outbox, progress: &Progress) {
        let published = progress.published.get(&outbox.document);
        let is_done = |event: &Envelope| {
            published.is_some_and(|events| events.contains(&event.id))
                || progress.removed.contains(&event.id)
        };
        let new = outbox.events.into_iter().filter(|event| !is_done(event));
        match self.places.get(&outbox.document) {
            Some(&at) => {
                let known = &mut self.outboxes[at].events;
                for event in new {
                    if known.iter().all(|other| other.id != event.id) {
                        known.push(event);
                    }
                }
            }
            None => {
                let events: Vec<Envelope> = new.collect();
                if !events.is_empty() {
                    self.places.insert(outbox.document.clone(), self.outboxes.len());
                    self.outboxes.push(Outbox { events, ..outbox });
                }
            }
        }
    }
}

#[async_trait]
impl Task for Relay {
    fn name(&self) -> String {
        format!("relay of {}", self.collection)
    }

    fn wake(&self) -> Wake {
        self.handover.wake()
    }

    fn relay(&self) -> Option<(&'static str, RelayMetrics)> {
        Some((self.collection, self.metrics.clone()))
    }

    fn configure(&self, policy: &Policy) {
        self.policy.lock().clone_from(policy);
    }

    async fn step(&self) -> Result<Step, StepError> {
        let policy = self.policy.lock().clone();
        let Batch { outboxes, unreadable, is_full, .. } = self.batch(&policy).await?;
        self.metrics.found(outboxes.len(), oldest(outboxes.iter()));
        let relays = outboxes.into_iter().map(|outbox| self.publish_all(outbox));
        // All of them finish: a dropped one would forget events that it has published already.
        let left: Vec<(Outbox, RelayError)> = stream::iter(relays)
            .buffer_unordered(AT_ONCE)
            .filter_map(std::future::ready)
            .collect()
            .await;
        self.metrics.found(left.len(), oldest(left.iter().map(|(outbox, _)| outbox)));
        let is_away = |(_, failure): &(Outbox, RelayError)| {
            matches!(failure, RelayError::Publish(PublishError::Unavailable(_)))
        };
        if left.iter().any(is_away) {
            // A broker that came back without its data has no stream, and nobody else creates
            // it. Where it is out of reach, the next step tries again.
            drop(self.bus.ensure().await);
        }
        let failure = left.into_iter().map(|(_, failure)| failure).next().or(unreadable);
        if failure.is_some() || is_full {
            self.handover.read_next();
        }
        self.clear(&policy, is_full).await?;
        if let Some(failure) = failure {
            return Err(StepError::new(failure));
        }
        Ok(if is_full { Step::Worked } else { Step::Idle { next: Some(self.next()) } })
    }
}

impl Relay {
    pub(crate) fn new(
        source: &'static str,
        collection: &'static str,
        ports: &Ports,
        handover: Handover,
    ) -> Self {
        Self {
            source,
            collection,
            store: Arc::clone(&ports.store),
            bus: Arc::clone(&ports.bus),
            clock: Arc::clone(&ports.clock),
            handover,
            metrics: RelayMetrics::default(),
            policy: Mutex::default(),
            progress: Mutex::default(),
        }
    }

    /// Gathers the outboxes that were handed over and, if that is due, those in the store.
    async fn batch(&self, policy: &Policy) -> Result<Batch, StepError> {
        let now = self.clock.now();
        let handed = self.handover.take();
        let mut batch = Batch::default();
        let mut found = Vec::new();
        if handed.must_read || now >= self.progress.lock().next_read {
            // What was handed over is in the store too.
            found =
                self.find(policy, &mut batch).await.inspect_err(|_| self.handover.read_next())?;
            self.progress.lock().next_read = after(now, policy.sweep);
        }
        let mut progress = self.progress.lock();
        found.into_iter().chain(handed.outboxes).for_each(|outbox| batch.add(outbox, &progress));
        progress.removed.clear();
        Ok(batch)
    }

    /// Reads outboxes from the store.
    async fn find(&self, policy: &Policy, batch: &mut Batch) -> Result<Vec<Outbox>, StepError> {
        let limit = policy.relay_batch;
        let find = Find { filter: waiting(), limit, ..Find::default() };
        let documents = self.store.find(self.collection, find).await?;
        batch.is_full = documents.len() == limit as usize;
        let mut found = Vec::new();
        for document in documents {
            match self.read(document) {
                Ok(outbox) => found.push(outbox),
                Err(unreadable) => batch.unreadable = Some(unreadable),
            }
        }
        Ok(found)
    }

    fn read(&self, mut document: Document) -> Result<Outbox, RelayError> {
        let id = document.get_str("_id").unwrap_or_default().to_owned();
        let entries = match document.remove("outbox") {
            Some(Bson::Array(entries)) => entries,
            _ => Vec::new(),
        };
        let events = entries.into_iter().map(bson::deserialize_from_bson);
        match events.collect() {
            Ok(events) => Ok(Outbox { document: id, events }),
            Err(source) => {
                let (collection, source) = (self.collection, Box::new(source));
                Err(RelayError::Entry { collection, id, source })
            }
        }
    }

    /// Publishes the events of one document in order, and stops at the first failure, so that no
    /// event overtakes an earlier one. Returns what is left, and why.
    async fn publish_all(&self, mut outbox: Outbox) -> Option<(Outbox, RelayError)> {
        let mut events = std::mem::take(&mut outbox.events).into_iter();
        while let Some(event) = events.next() {
            if let Err(error) = self.publish(event.clone()).await {
                outbox.events.push(event);
                outbox.events.extend(events);
                return Some((outbox, error.into()));
            }
            let mut progress = self.progress.lock();
            if progress.published.is_empty() {
                let now = self.clock.now();
                progress.clear_at = after(now, self.policy.lock().clear_after);
            }
            progress.published.entry(outbox.document.clone()).or_default().push(event.id);
        }
        None
    }

    /// Removes published events from their outboxes if it is time, if they are many, or if they
    /// may keep others out of the next batch.
    async fn clear(&self, policy: &Policy, is_full: bool) -> Result<(), StepError> {
        let published = {
            let mut progress = self.progress.lock();
            let is_due = is_full
                || self.clock.now() >= progress.clear_at
                || progress.published.len() >= policy.relay_batch as usize;
            if progress.published.is_empty() || !is_due {
                return Ok(());
            }
            std::mem::take(&mut progress.published)
        };
        let documents: Vec<String> = published.keys().cloned().collect();
        let events: Vec<&String> = published.values().flatten().collect();
        let change = doc! { "$pull": { "outbox": { "id": { "$in": &events } } } };
        let cleared = self.store.update_many(self.collection, &documents, change).await;
        let mut progress = self.progress.lock();
        match cleared {
            Ok(_) => progress.removed.extend(published.into_values().flatten()),
            Err(_) => progress.published = published,
        }
        drop(progress);
        Ok(cleared.map(drop)?)
    }

    /// The time of the next step without a new event.
    fn next(&self) -> Timestamp {
        let progress = self.progress.lock();
        match progress.published.is_empty() {
            true => progress.next_read,
            false => progress.next_read.min(progress.clear_at),
        }
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
        (TIME.to_owned(), envelope.time),
        ("traceparent".to_owned(), envelope.traceparent),
    ]);
    Message {
        subject: envelope.subject,
        id: envelope.id,
        headers,
        payload: envelope.payload.into_bytes().into(),
    }
}
