//! Ports that misbehave: an override replaces some operations of a port, and all others pass
//! through.

use std::sync::Arc;

use async_trait::async_trait;
use bson::Document;
use bytes::Bytes;
use http::{Request, Response};
use ports::Ports;
use ports::bus::{
    Bus, BusError, Consumer, Message, Pending, PublishError, Published, Stream, StreamState,
    Subscription,
};
use ports::http::{Http, HttpError};
use ports::store::{Find, Index, ReadError, Store, Update, WriteError};

/// The operations of a store that are replaced.
#[async_trait]
pub trait StoreOverride: Send + Sync {
    /// Inserts a document.
    async fn insert(
        &self,
        store: &dyn Store,
        collection: &str,
        document: Document,
    ) -> Result<(), WriteError> {
        store.insert(collection, document).await
    }

    /// Updates a document.
    async fn update(
        &self,
        store: &dyn Store,
        collection: &str,
        update: Update,
    ) -> Result<Option<Document>, WriteError> {
        store.update(collection, update).await
    }

    /// Updates several documents.
    async fn update_many(
        &self,
        store: &dyn Store,
        collection: &str,
        ids: &[String],
        change: Document,
    ) -> Result<u64, WriteError> {
        store.update_many(collection, ids, change).await
    }

    /// Finds documents.
    async fn find(
        &self,
        store: &dyn Store,
        collection: &str,
        find: Find,
    ) -> Result<Vec<Document>, ReadError> {
        store.find(collection, find).await
    }

    /// Changes a document that is read by its id, or returned by an update.
    fn found(&self, _document: &mut Document) {}
}

/// Changes documents that are read by their id or returned by an update, and nothing else.
impl StoreOverride for fn(&mut Document) {
    fn found(&self, document: &mut Document) {
        self(document);
    }
}

/// Changes updates, and nothing else.
#[derive(Clone, Copy)]
pub struct Updates(pub fn(Update) -> Update);

#[async_trait]
impl StoreOverride for Updates {
    async fn update(
        &self,
        store: &dyn Store,
        collection: &str,
        update: Update,
    ) -> Result<Option<Document>, WriteError> {
        store.update(collection, (self.0)(update)).await
    }
}

/// These ports with a store that changes documents that are read by their id or returned by an
/// update: a service also remembers what it has written.
pub fn lying(ports: Ports, lie: fn(&mut Document)) -> Ports {
    at_store(ports, lie)
}

/// These ports with overrides at the store.
pub fn at_store(ports: Ports, overrides: impl StoreOverride + 'static) -> Ports {
    Ports {
        store: Arc::new(OverriddenStore { inner: Arc::clone(&ports.store), overrides }),
        ..ports
    }
}

/// These ports with overrides at the bus.
pub fn at_bus(ports: Ports, overrides: impl BusOverride + 'static) -> Ports {
    Ports { bus: Arc::new(OverriddenBus { inner: Arc::clone(&ports.bus), overrides }), ..ports }
}

/// These ports with overrides at the external HTTP port.
pub fn at_http(ports: Ports, overrides: impl HttpOverride + 'static) -> Ports {
    Ports { http: Arc::new(OverriddenHttp { inner: Arc::clone(&ports.http), overrides }), ..ports }
}

struct OverriddenStore<T> {
    inner: Arc<dyn Store>,
    overrides: T,
}

#[async_trait]
impl<T: StoreOverride> Store for OverriddenStore<T> {
    async fn ensure(&self, collection: &str, indexes: &[Index]) -> Result<(), WriteError> {
        self.inner.ensure(collection, indexes).await
    }

    async fn insert(&self, collection: &str, document: Document) -> Result<(), WriteError> {
        self.overrides.insert(&*self.inner, collection, document).await
    }

    async fn get(&self, collection: &str, id: &str) -> Result<Option<Document>, ReadError> {
        let mut found = self.inner.get(collection, id).await?;
        if let Some(document) = &mut found {
            self.overrides.found(document);
        }
        Ok(found)
    }

    async fn find(&self, collection: &str, find: Find) -> Result<Vec<Document>, ReadError> {
        self.overrides.find(&*self.inner, collection, find).await
    }

    async fn update(
        &self,
        collection: &str,
        update: Update,
    ) -> Result<Option<Document>, WriteError> {
        let mut updated = self.overrides.update(&*self.inner, collection, update).await?;
        if let Some(document) = &mut updated {
            self.overrides.found(document);
        }
        Ok(updated)
    }

    async fn update_many(
        &self,
        collection: &str,
        ids: &[String],
        change: Document,
    ) -> Result<u64, WriteError> {
        self.overrides.update_many(&*self.inner, collection, ids, change).await
    }

    async fn ping(&self) -> Result<(), ReadError> {
        self.inner.ping().await
    }
}

/// The operations of a bus that are replaced.
#[async_trait]
pub trait BusOverride: Send + Sync {
    /// Publishes a message.
    async fn publish(
        &self,
        bus: &dyn Bus,
        stream: Stream,
        message: Message,
    ) -> Result<Published, PublishError> {
        bus.publish(stream, message).await
    }

    /// Changes the consumer that is opened.
    fn consumer(&self, consumer: Consumer) -> Consumer {
        consumer
    }
}

struct OverriddenBus<T> {
    inner: Arc<dyn Bus>,
    overrides: T,
}

#[async_trait]
impl<T: BusOverride> Bus for OverriddenBus<T> {
    async fn ensure(&self) -> Result<(), BusError> {
        self.inner.ensure().await
    }

    async fn publish(&self, stream: Stream, message: Message) -> Result<Published, PublishError> {
        self.overrides.publish(&*self.inner, stream, message).await
    }

    async fn subscribe(&self, consumer: Consumer) -> Result<Box<dyn Subscription>, BusError> {
        self.inner.subscribe(self.overrides.consumer(consumer)).await
    }

    async fn remove(&self, stream: Stream, sequence: u64) -> Result<bool, BusError> {
        self.inner.remove(stream, sequence).await
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

/// The operation of the external HTTP port that is replaced.
#[async_trait]
pub trait HttpOverride: Send + Sync {
    /// Sends a request.
    async fn send(
        &self,
        http: &dyn Http,
        request: Request<Bytes>,
    ) -> Result<Response<Bytes>, HttpError>;
}

struct OverriddenHttp<T> {
    inner: Arc<dyn Http>,
    overrides: T,
}

#[async_trait]
impl<T: HttpOverride> Http for OverriddenHttp<T> {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        self.overrides.send(&*self.inner, request).await
    }
}
