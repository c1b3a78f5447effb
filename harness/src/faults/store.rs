//! A store that fails on plan.

use std::sync::Arc;

use async_trait::async_trait;
use bson::Document;
use ports::store::{Find, Index, ReadError, Store, Update, WriteError};

use super::{Effect, Operation, Reach, Site};

pub(super) struct FaultyStore {
    pub(super) at: Site,
    pub(super) inner: Arc<dyn Store>,
}

const DOWN: &str = "connection refused";
const LOST: &str = "connection lost before the answer";

impl FaultyStore {
    async fn write<T>(
        &self,
        collection: &str,
        write: impl Future<Output = Result<T, WriteError>>,
    ) -> Result<T, WriteError> {
        if self.at.is_cut(Reach::Store) {
            return Err(WriteError::Unavailable(DOWN.to_owned()));
        }
        match self.at.inject(Operation::Write, collection) {
            Some(Effect::Fail) => Err(WriteError::Unavailable(DOWN.to_owned())),
            Some(Effect::FailAfter) => {
                write.await?;
                Err(WriteError::Unknown(LOST.to_owned()))
            }
            Some(Effect::Vanish) => Err(WriteError::Unknown(LOST.to_owned())),
            Some(Effect::Delay(by)) => {
                self.at.clock.sleep(by).await;
                write.await
            }
            Some(Effect::CrashBefore) => self.at.crash().await,
            Some(Effect::CrashAfter) => {
                // The outcome goes down with the instance.
                drop(write.await);
                self.at.crash().await
            }
            _ => write.await,
        }
    }

    async fn read<T>(
        &self,
        collection: &str,
        read: impl Future<Output = Result<T, ReadError>>,
    ) -> Result<T, ReadError> {
        if self.at.is_cut(Reach::Store) {
            return Err(ReadError::Unavailable(DOWN.to_owned()));
        }
        match self.at.inject(Operation::Read, collection) {
            Some(Effect::Fail) => Err(ReadError::Unavailable(DOWN.to_owned())),
            Some(Effect::FailAfter | Effect::Vanish) => {
                Err(ReadError::Unavailable(LOST.to_owned()))
            }
            Some(Effect::Delay(by)) => {
                self.at.clock.sleep(by).await;
                read.await
            }
            Some(Effect::CrashBefore | Effect::CrashAfter) => self.at.crash().await,
            _ => read.await,
        }
    }
}

#[async_trait]
impl Store for FaultyStore {
    async fn ensure(&self, collection: &str, indexes: &[Index]) -> Result<(), WriteError> {
        if self.at.is_cut(Reach::Store) {
            return Err(WriteError::Unavailable(DOWN.to_owned()));
        }
        match self.at.inject(Operation::Open, collection) {
            Some(Effect::CrashBefore) => self.at.crash().await,
            Some(Effect::CrashAfter) => {
                drop(self.inner.ensure(collection, indexes).await);
                self.at.crash().await
            }
            Some(Effect::Fail) => Err(WriteError::Unavailable(DOWN.to_owned())),
            _ => self.inner.ensure(collection, indexes).await,
        }
    }

    async fn insert(&self, collection: &str, document: Document) -> Result<(), WriteError> {
        self.write(collection, self.inner.insert(collection, document)).await
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
        self.write(collection, self.inner.update(collection, update)).await
    }

    async fn ping(&self) -> Result<(), ReadError> {
        if self.at.is_cut(Reach::Store) {
            return Err(ReadError::Unavailable(DOWN.to_owned()));
        }
        self.inner.ping().await
    }
}
