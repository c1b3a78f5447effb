//! Bugs between a write and the delivery of its event: outbox, relay, publishing, redelivery.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use bson::{Bson, Document, doc};
use harness::system::System;
use parking_lot::Mutex;
use platform::listen::{HandleError, Handler};
use platform::run::Policy;
use ports::bus::{Bus, Consumer, Message, PublishError, Published, Stream};
use ports::causality::Causality;
use ports::clock::Clock;
use ports::store::{Find, ReadError, Store, Update, WriteError};
use ticketing::SERVICES;

use harness::bugs::planting::{with_ports, with_ports_of_each, with_service_and_ports};
use harness::bugs::ports::{BusOverride, StoreOverride, at_bus, at_store};

/// Drops every third publish of each instance and reports success.
pub(super) fn lost_publish(system: System) -> System {
    with_ports(system, None, |ports| at_bus(ports, LoseThird::default()))
}

#[derive(Default)]
struct LoseThird(AtomicU32);

#[async_trait]
impl BusOverride for LoseThird {
    async fn publish(
        &self,
        bus: &dyn Bus,
        stream: Stream,
        message: Message,
    ) -> Result<Published, PublishError> {
        if (self.0.fetch_add(1, Ordering::Relaxed) + 1).is_multiple_of(3) {
            return Ok(Published { sequence: 0, duplicate: false });
        }
        bus.publish(stream, message).await
    }
}

/// Sets the message id to the id of the request that caused it.
pub(super) fn message_id_reused(system: System) -> System {
    with_ports(system, None, |ports| at_bus(ports, ByRequest))
}

struct ByRequest;

#[async_trait]
impl BusOverride for ByRequest {
    async fn publish(
        &self,
        bus: &dyn Bus,
        stream: Stream,
        mut message: Message,
    ) -> Result<Published, PublishError> {
        message.id = Causality::of(&message).correlation;
        message.headers.insert("ce-id".to_owned(), message.id.clone());
        bus.publish(stream, message).await
    }
}

/// Publishes events before the write, and again from the outbox.
pub(super) fn publish_before_commit(system: System) -> System {
    with_ports_of_each(system, |service, ports| {
        let bus = Arc::clone(&ports.bus);
        at_store(ports, Directly { service, bus, first: true })
    })
}

/// Writes without an outbox and publishes events afterwards.
pub(super) fn no_outbox(system: System) -> System {
    with_ports_of_each(system, |service, ports| {
        let bus = Arc::clone(&ports.bus);
        at_store(ports, Directly { service, bus, first: false })
    })
}

struct Directly {
    service: &'static str,
    bus: Arc<dyn Bus>,
    /// Whether it publishes before the write; if so, the event also stays in the outbox.
    first: bool,
}

impl Directly {
    /// Publishes these events and ignores failures.
    async fn publish(&self, events: &[Bson]) {
        for event in events.iter().filter_map(Bson::as_document) {
            drop(self.bus.publish(Stream::Events, message(event, self.service)).await);
        }
    }
}

#[async_trait]
impl StoreOverride for Directly {
    async fn insert(
        &self,
        store: &dyn Store,
        collection: &str,
        mut document: Document,
    ) -> Result<(), WriteError> {
        let events = document.get_array("outbox").cloned().unwrap_or_default();
        if self.first {
            self.publish(&events).await;
            return store.insert(collection, document).await;
        }
        document.insert("outbox", Bson::Array(Vec::new()));
        store.insert(collection, document).await?;
        self.publish(&events).await;
        Ok(())
    }

    async fn update(
        &self,
        store: &dyn Store,
        collection: &str,
        mut update: Update,
    ) -> Result<Option<Document>, WriteError> {
        let push = update.change.get_document("$push");
        let pushed = push.and_then(|push| push.get_document("outbox"));
        let events = pushed.and_then(|each| each.get_array("$each")).cloned().unwrap_or_default();
        if self.first {
            self.publish(&events).await;
            return store.update(collection, update).await;
        }
        if !events.is_empty() {
            update.change.remove("$push");
        }
        let written = store.update(collection, update).await?;
        if written.is_some() {
            self.publish(&events).await;
        }
        Ok(written)
    }
}

/// The message that the relay would build from an event in an outbox.
fn message(event: &Document, source: &str) -> Message {
    let text = |field: &str| event.get_str(field).unwrap_or_default().to_owned();
    let headers = [
        ("content-type", "application/json".to_owned()),
        ("ce-specversion", "1.0".to_owned()),
        ("ce-id", text("id")),
        ("ce-source", source.to_owned()),
        ("ce-type", text("name")),
        ("ce-subject", text("aggregate")),
        ("ce-time", text("time")),
        ("traceparent", text("traceparent")),
    ];
    Message {
        subject: text("subject"),
        id: text("id"),
        headers: BTreeMap::from(headers.map(|(name, value)| (name.to_owned(), value))),
        payload: text("payload").into_bytes().into(),
    }
}

/// Clears the whole outbox where the relay removes what it has published.
pub(super) fn outbox_cleared(system: System) -> System {
    with_ports(system, None, |ports| at_store(ports, ClearAll))
}

struct ClearAll;

#[async_trait]
impl StoreOverride for ClearAll {
    async fn update_many(
        &self,
        store: &dyn Store,
        collection: &str,
        ids: &[String],
        mut change: Document,
    ) -> Result<u64, WriteError> {
        if change.remove("$pull").is_some() {
            change.insert("$set", doc! { "outbox": Bson::Array(Vec::new()) });
        }
        store.update_many(collection, ids, change).await
    }
}

/// Reverses every outbox that is read or left behind by an update.
pub(super) fn outbox_backwards(system: System) -> System {
    with_ports(system, None, |ports| at_store(ports, Backwards))
}

struct Backwards;

#[async_trait]
impl StoreOverride for Backwards {
    async fn find(
        &self,
        store: &dyn Store,
        collection: &str,
        find: Find,
    ) -> Result<Vec<Document>, ReadError> {
        let mut found = store.find(collection, find).await?;
        found.iter_mut().for_each(reverse);
        Ok(found)
    }

    async fn update(
        &self,
        store: &dyn Store,
        collection: &str,
        update: Update,
    ) -> Result<Option<Document>, WriteError> {
        let mut updated = store.update(collection, update).await?;
        updated.iter_mut().for_each(reverse);
        Ok(updated)
    }
}

fn reverse(document: &mut Document) {
    document.get_array_mut("outbox").into_iter().for_each(|outbox| outbox.reverse());
}

/// Shows the relay only documents that its own instance has written since its start.
pub(super) fn outbox_in_memory(system: System) -> System {
    with_ports(system, None, |ports| at_store(ports, Memory::of("outbox.id")))
}

/// Shows expiration only timers that its own instance has written since its start.
pub(super) fn timer_in_memory(system: System) -> System {
    with_ports(system, Some(expiration::NAME), |ports| at_store(ports, Memory::of("due")))
}

/// Restricts queries by this field to documents that this instance has written.
struct Memory {
    field: &'static str,
    written: Mutex<BTreeSet<String>>,
}

impl Memory {
    fn of(field: &'static str) -> Self {
        Self { field, written: Mutex::default() }
    }

    fn remember(&self, document: &Document) {
        let id = document.get_str("_id").unwrap_or_default().to_owned();
        self.written.lock().insert(id);
    }
}

#[async_trait]
impl StoreOverride for Memory {
    async fn insert(
        &self,
        store: &dyn Store,
        collection: &str,
        document: Document,
    ) -> Result<(), WriteError> {
        self.remember(&document);
        store.insert(collection, document).await
    }

    async fn update(
        &self,
        store: &dyn Store,
        collection: &str,
        update: Update,
    ) -> Result<Option<Document>, WriteError> {
        let written = store.update(collection, update).await?;
        written.iter().for_each(|document| self.remember(document));
        Ok(written)
    }

    async fn find(
        &self,
        store: &dyn Store,
        collection: &str,
        find: Find,
    ) -> Result<Vec<Document>, ReadError> {
        let by_field = find.filter.contains_key(self.field);
        let mut found = store.find(collection, find).await?;
        let written = self.written.lock();
        found.retain(|document| {
            !by_field || written.contains(document.get_str("_id").unwrap_or_default())
        });
        Ok(found)
    }
}

/// Shortens the ack wait of consumers to less than every handler takes. The services do not know
/// it, so their progress signals come too late.
pub(super) fn short_ack_wait(mut system: System) -> System {
    // Consumers are opened through the instance's ports, not through those of the service.
    system.decorator = Some(Arc::new(|ports| at_bus(ports, ShortAckWait)));
    SERVICES.iter().fold(system, |system, entry| {
        with_service_and_ports(system, entry.name, |mut service, ports| {
            for listener in &mut service.listeners {
                let (inner, clock) = (Arc::clone(&listener.handler), Arc::clone(&ports.clock));
                listener.handler = Arc::new(Slow { inner, clock });
            }
            service
        })
    })
}

struct ShortAckWait;

impl BusOverride for ShortAckWait {
    fn consumer(&self, consumer: Consumer) -> Consumer {
        Consumer { ack_wait: Duration::from_millis(100), ..consumer }
    }
}

struct Slow {
    inner: Arc<dyn Handler>,
    clock: Arc<dyn Clock>,
}

#[async_trait]
impl Handler for Slow {
    async fn handle(&self, message: &Message) -> Result<(), HandleError> {
        self.clock.sleep(Duration::from_millis(1_500)).await;
        self.inner.handle(message).await
    }
}

/// Allows one delivery only.
pub(super) fn no_retry(mut system: System) -> System {
    system.policy = Policy { max_deliver: 1, ..system.policy };
    system
}
