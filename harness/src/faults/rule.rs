//! One fault: where it strikes, which call, and what happens there.
//!
//! Plain data, so that a run can be written down and shrunk. It names services, collections
//! and subjects as text and knows none of them.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// What a service does at a port.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Operation {
    /// Creates a collection, an index, a stream or a consumer, as it does when it starts.
    Open,
    /// Reads documents.
    Read,
    /// Writes a document.
    Write,
    /// Publishes a message.
    Publish,
    /// Takes a delivery.
    Deliver,
    /// Acknowledges a delivery.
    Ack,
    /// Asks for a delivery once more, or for more time.
    Nak,
    /// Sends a request outside.
    Send,
}

impl Operation {
    /// The port that it is a call on.
    pub fn reach(self) -> Reach {
        match self {
            Self::Open | Self::Read | Self::Write => Reach::Store,
            Self::Publish | Self::Deliver | Self::Ack | Self::Nak => Reach::Bus,
            Self::Send => Reach::ExternalService,
        }
    }
}

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Effect {
    /// The call fails without effect.
    Fail,
    /// The call has its effect and reports failure.
    FailAfter,
    /// The call has no effect, and its caller cannot know: a write or a publish of which
    /// nobody has heard. Other calls fail.
    Vanish,
    /// The call takes this much longer.
    Delay(Duration),
    /// The acknowledgement is lost on the way: the bus delivers again after the ack wait.
    LoseAck,
    /// The message is delivered once more at once, although it was handled.
    Redeliver,
    /// The instance crashes before the call has its effect.
    CrashBefore,
    /// The instance crashes after the call has had its effect.
    CrashAfter,
    /// From this call on, the service cannot reach the port for this long.
    Partition(Duration),
    /// From this call on, no service can reach the port for this long.
    Outage(Duration),
    /// The clock jumps ahead, for everybody, and the call goes on. In simulation only.
    Jump(Duration),
    /// The broker restarts without the newest messages of this many, although it had accepted
    /// them: they were not on its disk yet. In simulation only.
    LoseTail(u32),
}

/// A fault to come.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct FaultRule {
    /// In which service; `None` for any.
    pub service: Option<String>,
    /// At which operation.
    pub operation: Operation,
    /// On which collection, subject, consumer or path; `None` for any.
    pub target: Option<String>,
    /// How many matching calls go well first.
    pub skip: u32,
    /// How many times it strikes after that.
    pub times: u32,
    /// What happens.
    pub effect: Effect,
}

/// A port that can be out of reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reach {
    /// The database.
    Store,
    /// The broker.
    Bus,
    /// The world outside.
    ExternalService,
}
