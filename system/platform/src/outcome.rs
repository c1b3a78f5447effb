//! The outcome of one delivery, as the metrics count it and the consumer loop reads it.

use std::time::Duration;

use ports::bus::BusError;

/// The outcome of a delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum DeliveryOutcome {
    /// Handled and acknowledged.
    Acknowledged,
    /// Rejected with a nak: the bus delivers it again after this delay.
    Retried(Duration),
    /// Moved to the dead-letter stream for this reason.
    DeadLettered(String),
    /// The reply did not reach the bus: the ack wait will run out.
    Unanswered {
        /// True if the message was handled or dead-lettered, so that only the acknowledgement
        /// is missing.
        settled: bool,
        /// The failure of the reply.
        error: BusError,
    },
}

impl DeliveryOutcome {
    /// Returns true if this service is done with the message, even if the bus does not know it.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        match self {
            Self::Acknowledged | Self::DeadLettered(_) => true,
            Self::Retried(_) => false,
            Self::Unanswered { settled, .. } => *settled,
        }
    }
}
