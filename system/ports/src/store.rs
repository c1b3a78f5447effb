//! The store port: collections of BSON documents in one database per service.
//!
//! It offers what the services need and no more: insert, get, find, and *one* conditional
//! update of *one* document. There are no transactions and no deletes. Documents are keyed
//! by a string `_id`.
//!
//! A write whose outcome is not known is a value ([`WriteError::Unknown`]), never a guess.

use async_trait::async_trait;
use bson::Document;

/// An index that a collection needs.
#[derive(Debug, Clone, PartialEq)]
pub struct Index {
    /// Its name, which a [`WriteError::Duplicate`] carries.
    pub name: &'static str,
    /// Dotted field paths, in order, all ascending.
    pub keys: &'static [&'static str],
    /// Whether two documents may not share the same keys.
    pub unique: bool,
    /// The index holds only documents that match this filter: equality and `$exists: true`.
    pub partial: Option<Document>,
}

/// What to find. An empty `sort` is the order of insertion in a small collection, which
/// nothing should rely on.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Find {
    /// Which documents.
    pub filter: Document,
    /// Field path to 1 (ascending) or -1 (descending), most significant first.
    pub sort: Document,
    /// At most this many; 0 for no limit.
    pub limit: u32,
}

/// One conditional write of at most one document.
#[derive(Debug, Clone, PartialEq)]
pub struct Update {
    /// Which document, and in which state it must be.
    pub filter: Document,
    /// Update operators: `$set`, `$unset`, `$inc`, `$push` (with `$each`), `$pull`, `$setOnInsert`.
    pub change: Document,
    /// Insert a document made from the filter's equalities and the change where none matches.
    /// When one exists in another state, the insert breaks the `_id` index: a
    /// [`WriteError::Duplicate`] of index `_id_`.
    pub upsert: bool,
}

/// Why a read failed. A read can always be repeated.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// The store did not answer, or not in time.
    #[error("the store is unavailable: {0}")]
    Unavailable(String),
    /// The store does not accept this query: a bug in the caller.
    #[error("the store rejects the query: {0}")]
    Rejected(String),
}

/// Why a write failed, and so what is known about it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WriteError {
    /// Refused by a unique index: nothing was written.
    #[error("duplicate key in index {index}")]
    Duplicate {
        /// The index that refused; `_id_` for the primary key.
        index: String,
    },
    /// Nothing was written: the store was not reached.
    #[error("the store is unavailable: {0}")]
    Unavailable(String),
    /// The write may have happened. Read again, or repeat it under the same condition.
    #[error("the outcome of the write is unknown: {0}")]
    Unknown(String),
    /// The store does not accept this write: a bug in the caller. Nothing was written.
    #[error("the store rejects the write: {0}")]
    Rejected(String),
}

/// One service's database.
#[async_trait]
pub trait Store: Send + Sync {
    /// Creates the collection and the indexes where they are missing. Safe to repeat, and
    /// safe from several instances at once.
    async fn ensure(&self, collection: &str, indexes: &[Index]) -> Result<(), WriteError>;

    /// Inserts a document; its `_id` must be new.
    async fn insert(&self, collection: &str, document: Document) -> Result<(), WriteError>;

    /// The document with this `_id`, as of its newest committed write.
    async fn get(&self, collection: &str, id: &str) -> Result<Option<Document>, ReadError>;

    /// The documents that match.
    async fn find(&self, collection: &str, find: Find) -> Result<Vec<Document>, ReadError>;

    /// Applies one conditional update and returns the new document, or `None` where no
    /// document matched.
    async fn update(
        &self,
        collection: &str,
        update: Update,
    ) -> Result<Option<Document>, WriteError>;

    /// Whether the store answers.
    async fn ping(&self) -> Result<(), ReadError>;
}
