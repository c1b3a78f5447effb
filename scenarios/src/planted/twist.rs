//! Ports with a twist: a twist says what is different, everything else goes through.

use std::sync::Arc;

use async_trait::async_trait;
use bson::Document;
use platform::ports::bus::{
    Bus, BusError, Consumer, Message, Pending, PublishError, Published, Stream, Subscription,
};
use platform::ports::store::{Find, Index, ReadError, Store, Update, WriteError};

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

    /// What a document that was asked for by its id looks like.
    fn found(&self, document: Document) -> Document {
        document
    }

    /// What is asked of the store where an update was.
    fn update(&self, update: Update) -> Update {
        update
    }
}

/// A store with a twist.
pub(super) struct TwistedStore<T> {
    pub(super) inner: Arc<dyn Store>,
    pub(super) twist: T,
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
        Ok(found.map(|document| self.twist.found(document)))
    }

    async fn find(&self, collection: &str, find: Find) -> Result<Vec<Document>, ReadError> {
        self.inner.find(collection, find).await
    }

    async fn update(
        &self,
        collection: &str,
        update: Update,
    ) -> Result<Option<Document>, WriteError> {
        self.inner.update(collection, self.twist.update(update)).await
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
    ) -> Result<Published, PublishError>;
}

/// A bus with a twist.
pub(super) struct TwistedBus<T> {
    pub(super) inner: Arc<dyn Bus>,
    pub(super) twist: T,
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
        self.inner.subscribe(consumer).await
    }

    async fn pending(&self) -> Result<Vec<Pending>, BusError> {
        self.inner.pending().await
    }

    async fn ping(&self) -> Result<(), BusError> {
        self.inner.ping().await
    }
}
