//! Decorators that record every call on a port and change nothing.
//!
//! They stand closest to the adapter, inside the fault decorators, so they record the effects
//! that took place and not the failures that faults pretend.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bson::{Document, doc};
use bytes::Bytes;
use ports::Ports;
use ports::bus::{
    Bus, BusError, Consumer, Delivery, Message, Pending, PublishError, Published, Reply, Stream,
    StreamState, Subscription,
};
use ports::clock::Clock;
use ports::http::{Http, HttpError};
use ports::store::{Find, Index, ReadError, Store, Update, WriteError};

use super::{InstanceId, RecordKind, Trace, UPDATE_MANY};

/// Adds the records of one instance to a trace.
#[derive(Clone)]
pub struct Recorder {
    /// The trace.
    pub trace: Trace,
    /// The world's clock.
    pub clock: Arc<dyn Clock>,
    /// The instance.
    pub instance: InstanceId,
}

impl Recorder {
    /// Adds a record at the current time.
    pub fn add(&self, kind: RecordKind) {
        self.trace.add(self.clock.now(), Some(self.instance), kind);
    }

    /// Decorates the instance's ports so that their calls are recorded. Clock and entropy
    /// stay as they are.
    pub fn decorate(&self, ports: Ports) -> Ports {
        Ports {
            store: Arc::new(Recorded { recorder: self.clone(), inner: ports.store }),
            bus: Arc::new(Recorded { recorder: self.clone(), inner: ports.bus }),
            http: Arc::new(Recorded { recorder: self.clone(), inner: ports.http }),
            ..ports
        }
    }
}

struct Recorded<P: ?Sized> {
    recorder: Recorder,
    inner: Arc<P>,
}

#[async_trait]
impl Store for Recorded<dyn Store> {
    async fn ensure(&self, collection: &str, indexes: &[Index]) -> Result<(), WriteError> {
        self.inner.ensure(collection, indexes).await
    }

    async fn insert(&self, collection: &str, document: Document) -> Result<(), WriteError> {
        let (began, inserted) = (self.recorder.trace.len(), document.clone());
        let outcome = self.inner.insert(collection, document).await;
        let input = self.recorder.trace.detail(|| inserted.clone());
        self.recorder.add(RecordKind::Write {
            operation: "insert",
            began,
            collection: collection.to_owned(),
            outcome: outcome.clone().map(|()| Some(inserted)),
            input,
        });
        outcome
    }

    async fn get(&self, collection: &str, id: &str) -> Result<Option<Document>, ReadError> {
        let outcome = self.inner.get(collection, id).await;
        let input = self.recorder.trace.detail(|| doc! { "_id": id });
        let found = outcome.as_ref().map(Option::as_slice);
        self.read("get", collection, input, found);
        outcome
    }

    async fn find(&self, collection: &str, find: Find) -> Result<Vec<Document>, ReadError> {
        let input = self.recorder.trace.detail(|| find.filter.clone());
        let outcome = self.inner.find(collection, find).await;
        self.read("find", collection, input, outcome.as_ref().map(Vec::as_slice));
        outcome
    }

    async fn update(
        &self,
        collection: &str,
        update: Update,
    ) -> Result<Option<Document>, WriteError> {
        let began = self.recorder.trace.len();
        let given = || doc! { "filter": update.filter.clone(), "change": update.change.clone() };
        let input = self.recorder.trace.detail(given);
        let outcome = self.inner.update(collection, update).await;
        self.recorder.add(RecordKind::Write {
            operation: "update",
            began,
            collection: collection.to_owned(),
            input,
            outcome: outcome.clone(),
        });
        outcome
    }

    async fn update_many(
        &self,
        collection: &str,
        ids: &[String],
        change: Document,
    ) -> Result<u64, WriteError> {
        let began = self.recorder.trace.len();
        let given = || doc! { "ids": ids, "change": change.clone() };
        let input = self.recorder.trace.detail(given);
        let outcome = self.inner.update_many(collection, ids, change).await;
        self.recorder.add(RecordKind::Write {
            operation: UPDATE_MANY,
            began,
            collection: collection.to_owned(),
            input,
            outcome: outcome.clone().map(|_| None),
        });
        outcome
    }

    async fn ping(&self) -> Result<(), ReadError> {
        self.inner.ping().await
    }
}

impl Recorded<dyn Store> {
    fn read(
        &self,
        operation: &'static str,
        collection: &str,
        input: Document,
        outcome: Result<&[Document], &ReadError>,
    ) {
        let id = |found: &Document| found.get_str("_id").unwrap_or_default().to_owned();
        let ids = || outcome.unwrap_or_default().iter().map(id).collect();
        self.recorder.add(RecordKind::Read {
            operation,
            collection: collection.to_owned(),
            input,
            found: self.recorder.trace.detail(ids),
            outcome: outcome.map(<[Document]>::len).map_err(ToString::to_string),
        });
    }
}

#[async_trait]
impl Bus for Recorded<dyn Bus> {
    async fn ensure(&self) -> Result<(), BusError> {
        self.inner.ensure().await
    }

    async fn publish(&self, stream: Stream, message: Message) -> Result<Published, PublishError> {
        let outcome = self.inner.publish(stream, message.clone()).await;
        self.recorder.add(RecordKind::Publish { stream, message, outcome: outcome.clone() });
        outcome
    }

    async fn subscribe(&self, consumer: Consumer) -> Result<Box<dyn Subscription>, BusError> {
        let name = consumer.name.clone();
        let inner = self.inner.subscribe(consumer).await?;
        self.recorder.add(RecordKind::Subscribe { consumer: name.clone() });
        Ok(Box::new(RecordedSubscription {
            recorder: self.recorder.clone(),
            consumer: name,
            inner,
        }))
    }

    async fn remove(&self, stream: Stream, sequence: u64) -> Result<bool, BusError> {
        let outcome = self.inner.remove(stream, sequence).await;
        let is_removed = outcome.as_ref().is_ok_and(|removed| *removed);
        self.recorder.add(RecordKind::Remove { stream, sequence, removed: is_removed });
        outcome
    }

    async fn state(&self, stream: Stream) -> Result<StreamState, BusError> {
        self.inner.state(stream).await
    }

    async fn pending(&self) -> Result<Vec<Pending>, BusError> {
        self.inner.pending().await
    }

    async fn ping(&self) -> Result<(), BusError> {
        self.inner.ping().await
    }
}

struct RecordedSubscription {
    recorder: Recorder,
    consumer: String,
    inner: Box<dyn Subscription>,
}

#[async_trait]
impl Subscription for RecordedSubscription {
    async fn next(&mut self) -> Result<Delivery, BusError> {
        let delivery = self.inner.next().await?;
        self.recorder.add(RecordKind::Deliver {
            consumer: self.consumer.clone(),
            id: delivery.message.id.clone(),
            subject: delivery.message.subject.clone(),
            attempt: delivery.attempt,
        });
        let reply = RecordedReply {
            recorder: self.recorder.clone(),
            consumer: self.consumer.clone(),
            id: delivery.message.id.clone(),
            inner: delivery.reply,
        };
        Ok(Delivery { reply: Box::new(reply), ..delivery })
    }

    fn backlog(&self) -> u64 {
        self.inner.backlog()
    }

    fn has_gap(&self) -> bool {
        self.inner.has_gap()
    }
}

struct RecordedReply {
    recorder: Recorder,
    consumer: String,
    id: String,
    inner: Box<dyn Reply>,
}

impl RecordedReply {
    fn add(&self, operation: &'static str, outcome: &Result<(), BusError>) {
        self.recorder.add(RecordKind::Reply {
            operation,
            consumer: self.consumer.clone(),
            id: self.id.clone(),
            heard: outcome.is_ok(),
        });
    }
}

#[async_trait]
impl Reply for RecordedReply {
    async fn ack(&self) -> Result<(), BusError> {
        let outcome = self.inner.ack().await;
        self.add("ack", &outcome);
        outcome
    }

    async fn nak(&self, delay: Duration) -> Result<(), BusError> {
        let outcome = self.inner.nak(delay).await;
        self.add("nak", &outcome);
        outcome
    }

    async fn in_progress(&self) -> Result<(), BusError> {
        let outcome = self.inner.in_progress().await;
        self.add("in_progress", &outcome);
        outcome
    }
}

#[async_trait]
impl Http for Recorded<dyn Http> {
    async fn send(
        &self,
        request: http::Request<Bytes>,
    ) -> Result<http::Response<Bytes>, HttpError> {
        let line = format!("{} {}", request.method(), request.uri().path());
        let outcome = self.inner.send(request).await;
        let status = outcome.as_ref().map(|answer| answer.status().as_u16());
        self.recorder
            .add(RecordKind::External { line, outcome: status.map_err(ToString::to_string) });
        outcome
    }
}
