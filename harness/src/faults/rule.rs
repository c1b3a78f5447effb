//! One fault as data: the call it applies to, and its effect there.
//!
//! Plain data, so that a run can be written down, replayed and shrunk. It names services,
//! collections and subjects as text and knows none of them. It imports nothing of the
//! harness.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// An operation of a service on a port.
///
/// Exhaustive on purpose: code that words an operation must cover all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Operation {
    /// Creates a collection with its indexes, or opens a consumer, as services do at start.
    Open,
    /// Reads documents.
    Read,
    /// Writes a document.
    Write,
    /// Publishes a message.
    Publish,
    /// Receives a delivery.
    Deliver,
    /// Acknowledges a delivery.
    Ack,
    /// Negatively acknowledges a delivery, or extends its ack wait.
    Nak,
    /// Sends an HTTP request to an external service.
    Send,
}

impl Operation {
    /// The port of this operation. [`Operation::Open`] counts as the store's, although it opens
    /// consumers too.
    pub fn port(self) -> Port {
        match self {
            Self::Open | Self::Read | Self::Write => Port::Store,
            Self::Publish | Self::Deliver | Self::Ack | Self::Nak => Port::Bus,
            Self::Send => Port::Http,
        }
    }

    /// The name, as it is serialized.
    pub fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Read => "read",
            Self::Write => "write",
            Self::Publish => "publish",
            Self::Deliver => "deliver",
            Self::Ack => "ack",
            Self::Nak => "nak",
            Self::Send => "send",
        }
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A port that can become unreachable.
///
/// Exhaustive on purpose: code that words a port must cover all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Port {
    /// The document store.
    Store,
    /// The message bus.
    Bus,
    /// HTTP to external services.
    Http,
}

/// The effect of an injected fault.
///
/// Exhaustive on purpose: code that words an effect must cover all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Effect {
    /// The call fails without effect.
    Fail,
    /// The call has its effect and reports failure.
    FailAfter,
    /// The call has no effect, and its caller cannot know: a write, a publish or a request
    /// that got lost on its way. Other calls fail.
    Vanish,
    /// The call takes this much longer.
    Delay(Duration),
    /// The acknowledgement gets lost: the bus redelivers after the ack wait.
    LoseAck,
    /// The message is redelivered at once, although it was handled.
    Redeliver,
    /// The instance crashes before the call has its effect.
    CrashBefore,
    /// The instance crashes after the call has had its effect.
    CrashAfter,
    /// From this call on, the service cannot reach the port for this long.
    Partition(Duration),
    /// From this call on, no service can reach the port for this long.
    Outage(Duration),
    /// The clock jumps ahead by this much for every service, and the call continues. In
    /// simulation only.
    Jump(Duration),
    /// The broker is killed and restarts without this many of its newest messages, which it had
    /// accepted and not yet synced to disk, and without the acknowledgements that it confirmed
    /// within the last 100 ms. In simulation only.
    LoseTail(u32),
    /// The delivered payload has the format of a newer release: each object has a field that this
    /// release does not know.
    NewerFormat,
    /// The delivered payload has the format of an older release: optional fields that are null or
    /// have their default are missing.
    OlderFormat,
}

impl Effect {
    /// False for an effect that a system must not notice: it is no excuse for an error, a dead
    /// letter or a delay.
    pub fn is_disturbance(self) -> bool {
        !matches!(self, Self::NewerFormat | Self::OlderFormat)
    }
}

/// A rule: injects an effect into the calls that it names.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct FaultRule {
    /// The calling service; `None` matches any.
    pub service: Option<String>,
    /// The operation.
    pub operation: Operation,
    /// The collection, subject, consumer or path; `None` matches any.
    pub target: Option<String>,
    /// Number of matching calls to leave alone first.
    pub skip: u32,
    /// Number of matching calls to inject the effect into after that; at least 1.
    pub times: u32,
    /// The effect.
    pub effect: Effect,
}
