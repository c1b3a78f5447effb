//! A store into whose calls faults are injected.

use std::sync::Arc;

use async_trait::async_trait;
use bson::Document;
use ports::store::{Find, Index, ReadError, Store, Update, WriteError};

use super::injector::{Injector, LOST, REFUSED};
use super::rule::{Effect, Operation, Port};

pub(super) struct FaultyStore {
    injector: Injector,
    inner: Arc<dyn Store>,
}

impl FaultyStore {
    pub(super) fn new(injector: Injector, inner: Arc<dyn Store>) -> Self {
        Self { injector, inner }
    }

    async fn write<T>(
        &self,
        operation: Operation,
        collection: &str,
        write: impl Future<Output = Result<T, WriteError>>,
    ) -> Result<T, WriteError> {
        self.injector.reach(Port::Store, WriteError::Unavailable)?;
        let effect = self.injector.inject(operation, collection);
        self.injector.apply(effect, write, WriteError::Unavailable, WriteError::Unknown).await
    }

    /// A read changes nothing, so a read that fails or crashes after its effect need not be
    /// made at all.
    async fn read<T>(
        &self,
        collection: &str,
        read: impl Future<Output = Result<T, ReadError>>,
    ) -> Result<T, ReadError> {
        self.injector.reach(Port::Store, ReadError::Unavailable)?;
        match self.injector.inject(Operation::Read, collection) {
            Some(Effect::Fail) => Err(ReadError::Unavailable(REFUSED.to_owned())),
            Some(Effect::FailAfter | Effect::Vanish) => {
                Err(ReadError::Unavailable(LOST.to_owned()))
            }
            Some(Effect::Delay(by)) => {
                self.injector.clock.sleep(by).await;
                read.await
            }
            Some(Effect::CrashBefore | Effect::CrashAfter) => self.injector.crash().await,
            _ => read.await,
        }
    }
}

#[async_trait]
impl Store for FaultyStore {
    async fn ensure(&self, collection: &str, indexes: &[Index]) -> Result<(), WriteError> {
        self.write(Operation::Open, collection, self.inner.ensure(collection, indexes)).await
    }

    async fn insert(&self, collection: &str, document: Document) -> Result<(), WriteError> {
        self.write(Operation::Write, collection, self.inner.insert(collection, document)).await
    }

    async fn get(&self, collection: &str, id: &str) -> Result<Option<Document>, ReadError> {
        self.read(collection, self.inner.get(collection, id)).await
    }

    async fn find(&self, collection: &str, find: Find) -> Result<Vec<Document>, ReadError> {
        self.read(collection, self.inner.find(collection, find)).await
    }

    async fn update(
        &self,
        collection: &str,
        update: Update,
    ) -> Result<Option<Document>, WriteError> {
        self.write(Operation::Write, collection, self.inner.update(collection, update)).await
    }

    async fn update_many(
        &self,
        collection: &str,
        ids: &[String],
        change: Document,
    ) -> Result<u64, WriteError> {
        let update = self.inner.update_many(collection, ids, change);
        self.write(Operation::Write, collection, update).await
    }

    async fn ping(&self) -> Result<(), ReadError> {
        self.injector.reach(Port::Store, ReadError::Unavailable)?;
        self.inner.ping().await
    }
}
