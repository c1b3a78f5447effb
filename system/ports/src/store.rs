//! The store port: collections of BSON documents in one database per service.
//!
//! It offers what the services need and no more: insert, get, find, *one* conditional update of
//! *one* document, and one unconditional change of several. There are no transactions, and no call
//! deletes: a document leaves at a time that it carries itself, see [`Index::expires`]. Documents
//! are keyed by a string `_id`.
//!
//! A write of unknown outcome is a value ([`WriteError::Unknown`]), never a guess. Sizes, depths
//! and names have [`limits`].

pub mod limits;

use async_trait::async_trait;
use bson::Document;

/// An index that a collection needs.
#[derive(Debug, Clone, PartialEq)]
pub struct Index {
    /// The name, which a [`WriteError::Duplicate`] carries.
    pub name: &'static str,
    /// Dotted field paths, in order, all ascending.
    pub keys: &'static [&'static str],
    /// True if no two documents may share the same keys. A collection has at most one unique
    /// index on the same fields: a server reports a duplicate by its fields.
    pub unique: bool,
    /// A filter of equalities and `$exists: true`; the index holds only documents that match.
    pub partial: Option<Document>,
    /// True if the store removes a document once the date in the field of this index, its only
    /// one, has passed. The store looks once a minute, and may be later under load. Of an array,
    /// any date counts; a value that is no date, and a document that the partial filter excludes,
    /// never expire. Removals are in no order, and no call reports them.
    pub expires: bool,
}

/// A query. Without a `sort`, the order of the result is unspecified.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Find {
    /// The condition that documents must match; empty for all.
    pub filter: Document,
    /// Field path to 1 (ascending) or -1 (descending), most significant first.
    pub sort: Document,
    /// Maximum number of documents; 0 for no limit.
    pub limit: u32,
}

/// One conditional write of at most one document.
#[derive(Debug, Clone, PartialEq)]
pub struct Update {
    /// The document to update, and the state that it must be in.
    pub filter: Document,
    /// Update operators: `$set`, `$unset`, `$inc`, `$push` (with `$each`), `$pull`, `$setOnInsert`.
    pub change: Document,
    /// If no document matches, insert one built from the filter's equalities and the change.
    /// If the document exists in another state, the insert violates the primary key: a
    /// [`WriteError::Duplicate`] of index `_id_`.
    pub upsert: bool,
}

/// A failed read. A read can always be repeated.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// The store did not answer, or not in time.
    #[error("the store is unavailable: {0}")]
    Unavailable(String),
    /// The store does not accept this query: a bug in the caller.
    #[error("the store rejects the query: {0}")]
    Rejected(String),
}

/// A failed write, by what the caller knows about its effect.
///
/// Exhaustive on purpose: each variant asks for a different reaction, and a caller that ignores
/// one of them loses or repeats a write.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WriteError {
    /// A unique index refused the write: nothing was written.
    #[error("duplicate key in index {index}")]
    Duplicate {
        /// The index that refused; `_id_` for the primary key.
        index: String,
    },
    /// The store was not reached: nothing was written.
    #[error("the store is unavailable: {0}")]
    Unavailable(String),
    /// The write may have happened. Read again, or repeat it under the same condition.
    #[error("the outcome of the write is unknown: {0}")]
    Unknown(String),
    /// The store does not accept this write: a bug in the caller. Nothing was written.
    #[error("the store rejects the write: {0}")]
    Rejected(String),
}

/// The database of one service.
#[async_trait]
pub trait Store: Send + Sync {
    /// Creates the collection and its indexes if they are missing. Idempotent, and safe to call
    /// from several instances at once.
    async fn ensure(&self, collection: &str, indexes: &[Index]) -> Result<(), WriteError>;

    /// Inserts a document, whose `_id` must be new.
    async fn insert(&self, collection: &str, document: Document) -> Result<(), WriteError>;

    /// Returns the document with this `_id`, as of its newest committed write.
    async fn get(&self, collection: &str, id: &str) -> Result<Option<Document>, ReadError>;

    /// Returns the documents that match. The result is no snapshot: the documents are read one
    /// after another while others write. A document that is not written meanwhile is found once,
    /// if it matches. One whose place in an index moves meanwhile may be missing although it
    /// matches all the time, or be found twice; and two documents may be found as they never
    /// were at the same moment.
    async fn find(&self, collection: &str, find: Find) -> Result<Vec<Document>, ReadError>;

    /// Applies one conditional update and returns the new document, or `None` if no document
    /// matched.
    async fn update(
        &self,
        collection: &str,
        update: Update,
    ) -> Result<Option<Document>, WriteError>;

    /// Applies one change to each of the documents with these ids, and returns the number of those
    /// that exist. It is no transaction: the documents change one after another, in the order of
    /// their ids, while others read and write. A failure says nothing of the documents before the
    /// one that failed; they may have changed.
    async fn update_many(
        &self,
        collection: &str,
        ids: &[String],
        change: Document,
    ) -> Result<u64, WriteError>;

    /// Checks that the store answers.
    async fn ping(&self) -> Result<(), ReadError>;
}
