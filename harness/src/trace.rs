//! The record of a run: everything that crossed a port, every fault, every start and crash.
//!
//! It records what took effect, in the order in which it did; a service that was told
//! something else was told so by a fault, which is a record of its own. It judges nothing.
//!
//! Next: [`recorder`] for where the records come from, [`json`] and [`diagram`] for how they are
//! shown.

pub mod recorder;

use std::sync::{Arc, Mutex};

use bson::Document;
use bytes::Bytes;
use ports::Timestamp;
use ports::bus::{Message, PublishError, Published, Stream};
use ports::causality::Causality;
use ports::store::WriteError;

use crate::faults::{Effect, Operation};

/// One thing that happened.
#[derive(Debug, Clone)]
pub struct Record {
    /// When, in the world's time.
    pub at: Timestamp,
    /// In which service instance; `None` for the harness.
    pub who: Option<InstanceId>,
    /// The request or event that it follows from.
    pub origin: Option<Arc<Causality>>,
    /// What.
    pub what: RecordKind,
}

/// A service instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct InstanceId {
    /// The service.
    pub service: &'static str,
    /// Unique in the run, from 1.
    pub instance: u32,
}

impl std::fmt::Display for InstanceId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}#{}", self.service, self.instance)
    }
}

/// What happened.
#[derive(Debug, Clone)]
pub enum RecordKind {
    /// A client sent a request.
    Request {
        /// Its number in the run, which the answer repeats.
        number: u64,
        /// Method and path.
        line: String,
        /// Who asks, where the client says so.
        by: Option<String>,
        /// The instance that it went to; `None` where nothing serves it.
        to: Option<InstanceId>,
        /// What it carried, for those who judge; not written out.
        body: Bytes,
    },
    /// A client got an answer, or none.
    Answer {
        /// The request's number.
        number: u64,
        /// The status; `None` for no answer.
        status: Option<u16>,
        /// What it carried, for those who judge; not written out.
        body: Bytes,
    },
    /// A document was written, or a write refused.
    Write {
        /// `insert` or `update`.
        operation: &'static str,
        /// The collection.
        collection: String,
        /// How many records there were when the call began.
        began: usize,
        /// The document, or the condition and change.
        input: Document,
        /// The document as it is now; `None` where no document matched.
        outcome: Result<Option<Document>, WriteError>,
    },
    /// Documents were read.
    Read {
        /// `get` or `find`.
        operation: &'static str,
        /// The collection.
        collection: String,
        /// The id or filter.
        input: Document,
        /// How many were found, or why not.
        outcome: Result<usize, String>,
    },
    /// A message was published.
    Publish {
        /// To which stream.
        stream: Stream,
        /// The message.
        message: Message,
        /// What the bus said.
        outcome: Result<Published, PublishError>,
    },
    /// A consumer was opened.
    Subscribe {
        /// Its name.
        consumer: String,
    },
    /// A message was delivered.
    Deliver {
        /// To which consumer.
        consumer: String,
        /// The message's id.
        id: String,
        /// Its subject.
        subject: String,
        /// Which delivery of it this is.
        attempt: u32,
    },
    /// A consumer answered a delivery.
    Reply {
        /// `ack`, `nak` or `in_progress`.
        operation: &'static str,
        /// The consumer.
        consumer: String,
        /// The message's id.
        id: String,
        /// Whether the bus heard it.
        heard: bool,
    },
    /// A request went outside.
    ExternalService {
        /// Method and path.
        line: String,
        /// The status, or why there is none.
        outcome: Result<u16, String>,
    },
    /// A fault struck.
    Fault {
        /// At which operation.
        operation: Operation,
        /// On which collection, subject, consumer or path.
        target: String,
        /// What happened.
        effect: Effect,
    },
    /// An instance started.
    Start,
    /// An instance crashed.
    Crash,
    /// An instance panicked, which brings it down.
    Panic {
        /// What it said.
        message: String,
    },
    /// A line of the scenario began.
    Step {
        /// In its author's words.
        text: String,
    },
}

/// The records of one run. Clones share them.
#[derive(Debug, Clone)]
pub struct Trace {
    records: Arc<Mutex<Arc<Vec<Record>>>>,
    /// Whether what was asked of the store is left out.
    lean: bool,
}

/// Room for the records of a usual run, so that they need not move while it goes on.
const USUAL: usize = 1024;

impl Default for Trace {
    fn default() -> Self {
        Self { records: Arc::new(Mutex::new(Arc::new(Vec::with_capacity(USUAL)))), lean: false }
    }
}

impl Trace {
    /// A trace that leaves out what was asked of the store and keeps what came of it: enough to
    /// judge a run by, not to show it. While somebody holds its records it takes in no more.
    pub fn lean() -> Self {
        Self { lean: true, ..Self::default() }
    }

    /// What was asked of the store, where this trace keeps it.
    fn asked(&self, input: impl FnOnce() -> Document) -> Document {
        if self.lean { Document::new() } else { input() }
    }

    /// Adds a record.
    pub fn add(&self, at: Timestamp, who: Option<InstanceId>, what: RecordKind) {
        let record = Record { at, who, origin: Causality::current(), what };
        let mut records = self.state();
        // To add to what somebody holds would be to copy all of it.
        if !self.lean || Arc::strong_count(&records) == 1 {
            Arc::make_mut(&mut *records).push(record);
        }
    }

    /// How many records there are.
    pub fn len(&self) -> usize {
        self.state().len()
    }

    /// Whether nothing has happened yet.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All records so far; cheap once nothing is added any more.
    pub fn records(&self) -> Arc<Vec<Record>> {
        Arc::clone(&self.state())
    }

    fn state(&self) -> std::sync::MutexGuard<'_, Arc<Vec<Record>>> {
        self.records.lock().expect("no panic holds this lock")
    }
}
