//! The trace of a run: every call on a port, every fault, every start and crash.
//!
//! It records effects, in the order in which they took place. Where an injected fault makes a
//! service observe something else, the fault is a record of its own. It judges nothing and
//! renders nothing.
//!
//! ```
//! use harness::trace::{InstanceId, RecordKind, Trace};
//! use ports::Timestamp;
//!
//! let trace = Trace::default();
//! let instance = InstanceId { service: "loans", instance: 1 };
//! trace.add(Timestamp::UNIX_EPOCH, Some(instance), RecordKind::Start);
//! trace.add(Timestamp::UNIX_EPOCH, Some(instance), RecordKind::Crash);
//!
//! let records = trace.records();
//! assert!(matches!(records[1].kind, RecordKind::Crash));
//! assert_eq!(records[1].instance, Some(instance));
//! ```
//!
//! Next: [`recorder`] for the source of most records, [`crate::report::trace`] and
//! [`crate::story::diagram`] for their presentation.

pub mod recorder;

use std::sync::Arc;

use bson::Document;
use bytes::Bytes;
use http::HeaderMap;
use parking_lot::Mutex;
use ports::Timestamp;
use ports::bus::{Message, PublishError, Published, Stream};
use ports::causality::Causality;
use ports::store::WriteError;

use crate::faults::rule::{Effect, Operation};

pub use crate::instance::InstanceId;

/// One entry of a trace.
#[derive(Debug, Clone)]
pub struct Record {
    /// The world's time.
    pub at: Timestamp,
    /// The service instance; `None` for the harness.
    pub instance: Option<InstanceId>,
    /// The request or event that caused this; `None` for work that nothing caused, such as a
    /// sweep.
    pub origin: Option<Arc<Causality>>,
    /// The event itself.
    pub kind: RecordKind,
}

/// The line of a request without the id in its path: method, and the first two segments.
pub fn route(line: &str) -> String {
    let parts: Vec<&str> = line.split('/').take(3).collect();
    parts.join("/")
}

/// The operation of a write of several documents, whose record has none of them.
pub const UPDATE_MANY: &str = "update_many";

/// The event that a record describes.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum RecordKind {
    /// A client sent a request.
    Request {
        /// Ordinal of the request in the run; its answer has the same number.
        number: u64,
        /// Method and path.
        line: String,
        /// The client, where it gave its name.
        by: Option<String>,
        /// The instance that the request was routed to; `None` where no instance serves it.
        to: Option<InstanceId>,
        /// The headers, for checkers; not rendered.
        headers: HeaderMap,
        /// The body, for checkers; not rendered.
        body: Bytes,
    },
    /// A client received a response, or gave up waiting for one.
    Answer {
        /// Number of the request.
        number: u64,
        /// The HTTP status; `None` where no response arrived.
        status: Option<u16>,
        /// The headers, for checkers; not rendered.
        headers: HeaderMap,
        /// The body, for checkers; not rendered.
        body: Bytes,
    },
    /// A document was written, or the write failed.
    Write {
        /// `insert`, `update` or [`UPDATE_MANY`].
        operation: &'static str,
        /// The collection.
        collection: String,
        /// Length of the trace when the call began.
        began: usize,
        /// The document of an insert; filter and change of an update; ids and change of an update
        /// of several documents. Empty in a lean trace.
        input: Document,
        /// The document after the write; `None` where no document matched, and for an update of
        /// several.
        outcome: Result<Option<Document>, WriteError>,
    },
    /// Documents were read, or the read failed.
    Read {
        /// `get` or `find`.
        operation: &'static str,
        /// The collection.
        collection: String,
        /// The id or the filter. Empty in a lean trace.
        input: Document,
        /// Number of documents found, or the error.
        outcome: Result<usize, String>,
        /// The ids of the documents found, for explanations; not rendered. Empty in a lean trace.
        found: Vec<String>,
    },
    /// A message was published, or the publish failed.
    Publish {
        /// The stream.
        stream: Stream,
        /// The message.
        message: Message,
        /// The answer of the bus.
        outcome: Result<Published, PublishError>,
    },
    /// A message was removed from a stream, or there was none to remove.
    Remove {
        /// The stream.
        stream: Stream,
        /// The position of the message.
        sequence: u64,
        /// Whether this call removed it.
        removed: bool,
    },
    /// A consumer was opened.
    Subscribe {
        /// Name of the consumer.
        consumer: String,
    },
    /// A message was delivered.
    Deliver {
        /// Name of the consumer.
        consumer: String,
        /// Id of the message.
        id: String,
        /// Subject of the message.
        subject: String,
        /// Ordinal of this delivery of the message, from 1.
        attempt: u32,
    },
    /// A consumer replied to a delivery.
    Reply {
        /// `ack`, `nak` or `in_progress`.
        operation: &'static str,
        /// Name of the consumer.
        consumer: String,
        /// Id of the message.
        id: String,
        /// Whether the bus received the reply.
        heard: bool,
    },
    /// A service sent a request to an external service.
    External {
        /// Method and path.
        line: String,
        /// The HTTP status, or the error.
        outcome: Result<u16, String>,
    },
    /// A fault was injected.
    Fault {
        /// The operation.
        operation: Operation,
        /// The collection, subject, consumer or path.
        target: String,
        /// The effect.
        effect: Effect,
    },
    /// An instance started.
    Start,
    /// An instance crashed.
    Crash,
    /// An instance panicked, which crashes it.
    Panic {
        /// The panic message.
        message: String,
    },
    /// A service without an instance lost its database and its consumers.
    Forget {
        /// The service.
        service: &'static str,
    },
    /// A store removed a document whose time had come
    /// ([`Index::expires`](ports::store::Index::expires)). Only a simulated store tells.
    Expire {
        /// The service.
        service: &'static str,
        /// The collection.
        collection: String,
        /// The document as it was.
        document: Document,
    },
    /// A step of the scenario began.
    Step {
        /// Text of the step, as written.
        text: String,
    },
}

impl RecordKind {
    /// The record of a panic, from its payload.
    pub(crate) fn panic(payload: &(dyn std::any::Any + Send)) -> Self {
        let message = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
        let message = message.or_else(|| payload.downcast_ref::<String>().cloned());
        Self::Panic { message: message.unwrap_or_default() }
    }
}

/// The records of one run. Clones share them.
#[derive(Debug, Clone)]
pub struct Trace {
    records: Arc<Mutex<Records>>,
    /// Whether the details of store calls are left out.
    is_lean: bool,
}

#[derive(Debug)]
struct Records {
    kept: Arc<Vec<Record>>,
    /// The number of earlier records, which were taken out.
    taken: usize,
}

/// Capacity for the records of a typical run, so that they are not moved as it grows.
const TYPICAL_LENGTH: usize = 1024;

impl Default for Trace {
    fn default() -> Self {
        let records = Records { kept: Arc::new(Vec::with_capacity(TYPICAL_LENGTH)), taken: 0 };
        Self { records: Arc::new(Mutex::new(records)), is_lean: false }
    }
}

impl Trace {
    /// A trace without the details of store calls: enough to judge a run, not to render it.
    /// It drops records that are added while a caller holds [`records`](Self::records).
    pub fn lean() -> Self {
        Self { is_lean: true, ..Self::default() }
    }

    /// A detail of a store call; empty in a lean trace.
    fn detail<T: Default>(&self, detail: impl FnOnce() -> T) -> T {
        if self.is_lean { T::default() } else { detail() }
    }

    /// Adds a record, caused by what the current task is handling.
    pub fn add(&self, at: Timestamp, instance: Option<InstanceId>, kind: RecordKind) {
        let record = Record { at, instance, origin: Causality::current(), kind };
        let mut records = self.records.lock();
        // Adding to records that a caller holds would copy all of them.
        if !self.is_lean || Arc::strong_count(&records.kept) == 1 {
            Arc::make_mut(&mut records.kept).push(record);
        }
    }

    /// Number of records so far, including those that were taken out.
    pub fn len(&self) -> usize {
        let records = self.records.lock();
        records.taken + records.kept.len()
    }

    /// Whether there is no record yet.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The records so far. The call itself is cheap; the next [`add`](Self::add) copies all
    /// records if the caller still holds them.
    pub fn records(&self) -> Arc<Vec<Record>> {
        Arc::clone(&self.records.lock().kept)
    }

    /// Takes the records out, each with its number from 0: a world that goes on without end must
    /// not keep them. Nothing can judge such a run afterwards.
    pub(crate) fn take(&self) -> impl Iterator<Item = (usize, Record)> + use<> {
        let mut records = self.records.lock();
        let kept = std::mem::take(&mut records.kept);
        let first = records.taken;
        records.taken += kept.len();
        (first..).zip(Arc::unwrap_or_clone(kept))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_that_are_taken_out_keep_their_numbers() {
        let trace = Trace::default();
        let add = || trace.add(Timestamp::UNIX_EPOCH, None, RecordKind::Crash);
        let take = || trace.take().map(|(number, _)| number).collect::<Vec<_>>();
        add();
        add();
        assert_eq!(take(), [0, 1]);
        assert_eq!((trace.len(), trace.records().len()), (2, 0));
        add();
        assert_eq!(take(), [2]);
        assert_eq!(take(), [0; 0]);
    }
}
