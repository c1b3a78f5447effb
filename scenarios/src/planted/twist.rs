//! Ports with a twist: a twist says what is different, everything else goes through.

use std::sync::Arc;

use async_trait::async_trait;
use bson::Document;
use bytes::Bytes;
use http::{Request, Response};
use ports::Ports;
use ports::bus::{
    Bus, BusError, Consumer, Message, Pending, PublishError, Published, Stream, Subscription,
};
use ports::http::{Http, HttpError};
use ports::store::{Find, Index, ReadError, Store, Update, WriteError};

/// What is different at a store.
#[async_trait]
pub(super) trait StoreTwist: Send + Sync {
    /// How a document is inserted.
    async fn insert(
        &self,
        store: &dyn Store,
        collection: &str,
        document: Document,
    ) -> Result<(), WriteError> {
        store.insert(collection, document).await
    }

    /// How a document is updated.
    async fn update(
        &self,
        store: &dyn Store,
        collection: &str,
        update: Update,
    ) -> Result<Option<Document>, WriteError> {
        store.update(collection, update).await
    }

    /// How documents are found.
    async fn find(
        &self,
        store: &dyn Store,
        collection: &str,
        find: Find,
    ) -> Result<Vec<Document>, ReadError> {
        store.find(collection, find).await
    }

    /// What a document that was asked for by its id looks like.
    fn found(&self, _collection: &str, document: Document) -> Document {
        document
    }
}

/// What a document that was asked for by its id looks like, and nothing else.
impl StoreTwist for fn(&str, Document) -> Document {
    fn found(&self, collection: &str, document: Document) -> Document {
        self(collection, document)
    }
}

/// What is asked of the store where an update was, and nothing else.
#[derive(Clone, Copy)]
pub(super) struct Updates(pub(super) fn(Update) -> Update);

#[async_trait]
impl StoreTwist for Updates {
    async fn update(
        &self,
        store: &dyn Store,
        collection: &str,
        update: Update,
    ) -> Result<Option<Document>, WriteError> {
        store.update(collection, (self.0)(update)).await
    }
}

/// These ports with a store that lies about the documents that it is asked for by id.
pub(super) fn lying(ports: Ports, lie: fn(&str, Document) -> Document) -> Ports {
    at_store(ports, lie)
}

/// These ports with a twist at the store.
pub(super) fn at_store(ports: Ports, twist: impl StoreTwist + 'static) -> Ports {
    Ports { store: Arc::new(TwistedStore { inner: Arc::clone(&ports.store), twist }), ..ports }
}

/// These ports with a twist at the bus.
pub(super) fn at_bus(ports: Ports, twist: impl BusTwist + 'static) -> Ports {
    Ports { bus: Arc::new(TwistedBus { inner: Arc::clone(&ports.bus), twist }), ..ports }
}

/// These ports with a twist at requests outside.
pub(super) fn at_http(ports: Ports, twist: impl HttpTwist + 'static) -> Ports {
    Ports { http: Arc::new(TwistedHttp { inner: Arc::clone(&ports.http), twist }), ..ports }
}

struct TwistedStore<T> {
    inner: Arc<dyn Store>,
    twist: T,
}

#[async_trait]
impl<T: StoreTwist> Store for TwistedStore<T> {
    async fn ensure(&self, collection: &str, indexes: &[Index]) -> Result<(), WriteError> {
        self.inner.ensure(collection, indexes).await
    }

    async fn insert(&self, collection: &str, document: Document) -> Result<(), WriteError> {
        self.twist.insert(&*self.inner, collection, document).await
    }

    async fn get(&self, collection: &str, id: &str) -> Result<Option<Document>, ReadError> {
        let found = self.inner.get(collection, id).await?;
        Ok(found.map(|document| self.twist.found(collection, document)))
    }

    async fn find(&self, collection: &str, find: Find) -> Result<Vec<Document>, ReadError> {
        self.twist.find(&*self.inner, collection, find).await
    }

    async fn update(
        &self,
        collection: &str,
        update: Update,
    ) -> Result<Option<Document>, WriteError> {
        self.twist.update(&*self.inner, collection, update).await
    }

    async fn ping(&self) -> Result<(), ReadError> {
        self.inner.ping().await
    }
}

/// What is different at a bus.
#[async_trait]
pub(super) trait BusTwist: Send + Sync {
    /// How a message is published.
    async fn publish(
        &self,
        bus: &dyn Bus,
        stream: Stream,
        message: Message,
    ) -> Result<Published, PublishError> {
        bus.publish(stream, message).await
    }

    /// What consumer is opened where this one was asked for.
    fn consumer(&self, consumer: Consumer) -> Consumer {
        consumer
    }
}

struct TwistedBus<T> {
    inner: Arc<dyn Bus>,
    twist: T,
}

#[async_trait]
impl<T: BusTwist> Bus for TwistedBus<T> {
    async fn ensure(&self) -> Result<(), BusError> {
        self.inner.ensure().await
    }

    async fn publish(&self, stream: Stream, message: Message) -> Result<Published, PublishError> {
        self.twist.publish(&*self.inner, stream, message).await
    }

    async fn subscribe(&self, consumer: Consumer) -> Result<Box<dyn Subscription>, BusError> {
        self.inner.subscribe(self.twist.consumer(consumer)).await
    }

    async fn pending(&self) -> Result<Vec<Pending>, BusError> {
        self.inner.pending().await
    }

    async fn ping(&self) -> Result<(), BusError> {
        self.inner.ping().await
    }
}

/// What is different at requests outside.
#[async_trait]
pub(super) trait HttpTwist: Send + Sync {
    /// How a request is sent.
    async fn send(
        &self,
        http: &dyn Http,
        request: Request<Bytes>,
    ) -> Result<Response<Bytes>, HttpError>;
}

struct TwistedHttp<T> {
    inner: Arc<dyn Http>,
    twist: T,
}

#[async_trait]
impl<T: HttpTwist> Http for TwistedHttp<T> {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        self.twist.send(&*self.inner, request).await
    }
}
