//! Fault points: the places where a fault can be injected, and the faults possible there.
//!
//! Plain data; [`super`] counts points, and `reading` finds them in a trace.

use serde::{Deserialize, Serialize};

use crate::faults::{FaultKind, Operation};

/// An effect of faults on an event at one of its consumers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mark {
    /// The event was handled, and redelivered at once.
    Duplicate,
    /// The event was delayed while a later one was delivered and acknowledged.
    Reorder,
    /// The event was handled, and its acknowledgement arrived after the ack wait.
    LateAck,
    /// The event was handled, and its acknowledgement was lost.
    LostAck,
    /// The instance crashed before the write that handles the event: at the delivery, at a
    /// read, or right before the write.
    CrashBefore,
    /// The instance crashed after that write: right after it, or at the acknowledgement.
    CrashAfter,
    /// A service could not know whether the event was published, or whether its
    /// acknowledgement was received. The former counts for every consumer of the event.
    Ambiguous,
}

impl Mark {
    /// Every mark.
    pub const ALL: [Self; 7] = [
        Self::Duplicate,
        Self::Reorder,
        Self::LateAck,
        Self::LostAck,
        Self::CrashBefore,
        Self::CrashAfter,
        Self::Ambiguous,
    ];
}

/// A place where a fault can be injected, together with the fault.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Point {
    /// An event at one of its consumers.
    Event {
        /// Subject of the event.
        event: String,
        /// The consuming service.
        consumer: String,
        /// The effect on the event.
        mark: Mark,
    },
    /// A call on a port.
    Call {
        /// The calling service.
        service: String,
        /// The operation.
        operation: Operation,
        /// The collection, subject, consumer or path.
        target: String,
        /// The kind of fault.
        fault: FaultKind,
    },
}

impl Point {
    /// Every point of an event at one of its consumers.
    pub fn of_event(event: &str, consumer: &str) -> impl Iterator<Item = Self> {
        let (event, consumer) = (event.to_owned(), consumer.to_owned());
        Mark::ALL.into_iter().map(move |mark| Self::Event {
            event: event.clone(),
            consumer: consumer.clone(),
            mark,
        })
    }

    /// Every point of a call: one for each of these kinds of fault that applies to it.
    pub fn of_call(
        service: &str,
        operation: Operation,
        target: &str,
        faults: &[FaultKind],
    ) -> impl Iterator<Item = Self> {
        let (service, target) = (service.to_owned(), target.to_owned());
        let applicable = faults.iter().filter(move |f| f.operations().contains(&operation));
        applicable.map(move |&fault| Self::Call {
            service: service.clone(),
            operation,
            target: target.clone(),
            fault,
        })
    }
}
