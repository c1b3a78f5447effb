//! Calls on simulated ports, as schedulers and traces see them.
//!
//! A call names its caller, its operation and its target. It carries neither arguments nor a
//! result, and nothing here schedules it; see [`crate::kernel`].

use std::fmt;

use ports::causality::Causality;

/// A port whose calls are scheduled. Clock and entropy never wait for a decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Port {
    /// The document store.
    Store,
    /// The message bus.
    Bus,
    /// HTTP, in both directions: requests to a service and requests to an external service.
    Http,
}

impl Port {
    /// The lower-case name, as it appears in messages.
    pub fn name(self) -> &'static str {
        match self {
            Self::Store => "store",
            Self::Bus => "bus",
            Self::Http => "http",
        }
    }
}

/// An operation of a port.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Operation {
    /// Creates missing indexes (store) or streams (bus).
    Ensure,
    /// Reads one document by id.
    Get,
    /// Reads the documents that match a filter.
    Find,
    /// Adds a document.
    Insert,
    /// Updates or upserts one document.
    Update,
    /// Updates several documents.
    UpdateMany,
    /// Publishes a message.
    Publish,
    /// Opens a consumer.
    Subscribe,
    /// Takes the next delivery of a consumer.
    Next,
    /// Acknowledges a delivery.
    Ack,
    /// Asks for a redelivery.
    Nak,
    /// Restarts the ack wait of a delivery.
    InProgress,
    /// Removes a message of a stream.
    Remove,
    /// Reads the progress of every consumer, or what a stream holds.
    Pending,
    /// Checks that the store or the bus responds.
    Ping,
    /// Delivers a client's request to a service instance.
    Request,
    /// Sends a request to an external service.
    Send,
}

impl Operation {
    /// The name in snake case, as it appears in messages.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ensure => "ensure",
            Self::Get => "get",
            Self::Find => "find",
            Self::Insert => "insert",
            Self::Update => "update",
            Self::UpdateMany => "update_many",
            Self::Publish => "publish",
            Self::Subscribe => "subscribe",
            Self::Next => "next",
            Self::Ack => "ack",
            Self::Nak => "nak",
            Self::InProgress => "in_progress",
            Self::Remove => "remove",
            Self::Pending => "pending",
            Self::Ping => "ping",
            Self::Request => "request",
            Self::Send => "send",
        }
    }
}

/// A call on a port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// The number of the calling service instance; 0 for the harness itself.
    pub instance: u32,
    /// The chain of causally related calls that this one continues: the steps of one request,
    /// of the handling of one event, or of the background work of one instance. Calls of one
    /// chain are sequential.
    pub causal_chain: u64,
    /// The port.
    pub port: Port,
    /// The operation.
    pub operation: Operation,
    /// The target of the operation: `database/collection/id`, a subject, a consumer's name, or
    /// a request line. As a rule of thumb two calls on different targets are independent; the
    /// exact rule is in [`crate::scheduler::exhaustive::independence`].
    pub target: String,
    /// The sequence number that the kernel assigns when the call becomes pending; 0 before.
    pub number: u64,
}

impl Call {
    /// A call that belongs to the causal chain of the current task.
    pub fn new(instance: u32, port: Port, operation: Operation, target: String) -> Self {
        let digits = |origin: &Causality| u64::from_str_radix(&origin.correlation[..16], 16);
        let origin = Causality::peek(digits).and_then(Result::ok).unwrap_or_default();
        let causal_chain = origin ^ u64::from(instance);
        Self { instance, causal_chain, port, operation, target, number: 0 }
    }
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (port, operation) = (self.port.name(), self.operation.name());
        write!(f, "#{} instance {} {port} {operation} {}", self.number, self.instance, self.target)
    }
}
