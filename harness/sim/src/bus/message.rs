//! Messages and deliveries as the simulated broker keeps them.

use ports::Timestamp;
use ports::bus::Message;

/// A message in a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredMessage {
    /// The message as it was published.
    pub message: Message,
    /// The position in the stream, from 1.
    pub sequence: u64,
    /// The virtual time at which it was accepted.
    pub published: Timestamp,
}

/// A delivery without an acknowledgement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unacknowledged {
    /// The consumer's name.
    pub consumer: String,
    /// The message's position in the stream.
    pub sequence: u64,
    /// The number of deliveries so far.
    pub attempts: u32,
    /// The time of the next redelivery; `None` where it is due and waits for a subscriber.
    pub due: Option<Timestamp>,
}
