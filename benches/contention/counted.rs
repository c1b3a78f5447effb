//! A store that counts the calls that pass it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use bson::Document;
use ports::store::{Find, Index, ReadError, Store, Update, WriteError};

/// The numbers of calls so far.
#[derive(Debug, Clone, Default)]
pub(crate) struct Counts {
    pub(crate) calls: Arc<AtomicU64>,
    /// Writes that changed nothing: refused by a unique index, or without a match. For a
    /// transaction, the attempts that the server aborted.
    pub(crate) wasted: Arc<AtomicU64>,
}

impl Counts {
    /// The numbers since the last time that they were taken: calls and wasted writes.
    pub(crate) fn take(&self) -> (u64, u64) {
        (self.calls.swap(0, Ordering::Relaxed), self.wasted.swap(0, Ordering::Relaxed))
    }
}

pub(crate) struct Counted {
    inner: Arc<dyn Store>,
    counts: Counts,
}

impl Counted {
    pub(crate) fn new(inner: Arc<dyn Store>, counts: Counts) -> Self {
        Self { inner, counts }
    }

    fn call(&self) {
        self.counts.calls.fetch_add(1, Ordering::Relaxed);
    }

    fn count_wasted<T>(&self, written: &Result<Option<T>, WriteError>) {
        if matches!(written, Ok(None) | Err(WriteError::Duplicate { .. })) {
            self.counts.wasted.fetch_add(1, Ordering::Relaxed);
        }
    }
}

#[async_trait]
impl Store for Counted {
    async fn ensure(&self, collection: &str, indexes: &[Index]) -> Result<(), WriteError> {
        self.inner.ensure(collection, indexes).await
    }

    async fn insert(&self, collection: &str, document: Document) -> Result<(), WriteError> {
        self.call();
        let inserted = self.inner.insert(collection, document).await.map(Some);
        self.count_wasted(&inserted);
        inserted.map(|_| ())
    }

    async fn get(&self, collection: &str, id: &str) -> Result<Option<Document>, ReadError> {
        self.call();
        self.inner.get(collection, id).await
    }

    async fn find(&self, collection: &str, find: Find) -> Result<Vec<Document>, ReadError> {
        self.call();
        self.inner.find(collection, find).await
    }

    async fn update(
        &self,
        collection: &str,
        update: Update,
    ) -> Result<Option<Document>, WriteError> {
        self.call();
        let updated = self.inner.update(collection, update).await;
        self.count_wasted(&updated);
        updated
    }

    async fn update_many(
        &self,
        collection: &str,
        ids: &[String],
        change: Document,
    ) -> Result<u64, WriteError> {
        self.call();
        self.inner.update_many(collection, ids, change).await
    }

    async fn ping(&self) -> Result<(), ReadError> {
        self.inner.ping().await
    }
}
