//! The accesses of a step: the resources that it reads and writes, recorded by the simulated
//! ports where the scheduler wants them.
//!
//! A step is everything from one decision to the next: a call takes effect, and its caller runs
//! up to its next call. [`crate::scheduler::exhaustive`] decides from accesses alone whether two
//! steps can be swapped.

use bson::Document;

use crate::digest::Digest;

/// A piece of state that steps may share, identified by a digest of its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Resource(u64);

impl Resource {
    /// The resource whose name has this digest.
    pub fn new(name: Digest) -> Self {
        Self(name.finish())
    }

    /// A collection of a database.
    pub fn collection(database: &str, collection: &str) -> Self {
        Self::new(Digest::new("collection").text(database).text(collection))
    }

    /// The state that an instance keeps in memory of the broadcasts that it received.
    pub fn memory(instance: u32) -> Self {
        Self::new(Digest::new("memory").number(instance.into()))
    }

    /// The digest of the name.
    pub fn number(self) -> u64 {
        self.0
    }
}

/// An access of a step.
#[derive(Debug, Clone, PartialEq)]
pub enum Access {
    /// Read the resource.
    Read(Resource),
    /// Changed the resource, in a way that does not outlive quiescence.
    Write(Resource),
    /// Changed the resource durably; the number is a digest of the new content.
    DurableWrite(Resource, u64),
    /// Searched a collection.
    Find {
        /// The collection.
        collection: Resource,
        /// The filter.
        filter: Document,
        /// The instance, where one of its background tasks searches, again and again; `None`
        /// where a request or an event caused the search.
        task: Option<u32>,
    },
    /// Wrote a document, or attempted to.
    Document(DocumentWrite),
}

/// The write of a document, as far as searches and background tasks can observe it.
#[derive(Debug, Clone, PartialEq)]
pub struct DocumentWrite {
    /// The collection.
    pub collection: Resource,
    /// The previous document, where the write matched one.
    pub before: Option<Document>,
    /// The content that the write gives to a document under any schedule; `None` where there is
    /// no document to change.
    pub after: Option<Content>,
    /// The instance, where the write may wake one of its background tasks.
    pub wakes: Option<u32>,
    /// Whether the store refused the write, so that it changed nothing and woke no task. Under
    /// another schedule it might have.
    pub refused: bool,
    /// A digest of the document; `None` where none was written.
    pub content: Option<u64>,
}

/// The content of a written document, as far as it is the same under every schedule.
#[derive(Debug, Clone, PartialEq)]
pub enum Content {
    /// The whole document.
    Whole(Document),
    /// The effect of a change.
    Changed {
        /// Top-level fields that have these values after the change, whatever the document.
        known: Document,
        /// The paths at which the change may write.
        paths: Vec<String>,
    },
}
