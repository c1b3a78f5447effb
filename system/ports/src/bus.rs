//! The bus port: streams of messages, durable consumer groups and broadcast consumers.
//!
//! The semantics are JetStream's. Every message has an id; a second publish of the same id to
//! the same stream within the deduplication window is dropped. A durable consumer is shared by
//! all instances that subscribe under its name (one delivery per group); a broadcast consumer
//! belongs to one subscription. A delivery that is not acknowledged within the ack wait is
//! delivered again with a higher attempt number, until `max_deliver`. Redelivered messages can
//! arrive in any order.
//!
//! Subjects carry no namespace here: the adapter adds it.
//!
//! An adapter refuses what exceeds a limit of this module before anything else happens, as
//! `Rejected`: the caller is wrong, and repeating the call is in vain. The limits are those of
//! `nats-server` 2.15, less a margin where an adapter adds to what the caller gave.
//! [`Message::check`], [`Consumer::check`] and [`check_delay`] hold them.
//!
//! Next: [`crate::causality`], which reads the `traceparent` of a [`Message`], and
//! [`stream_limits`]: messages leave a stream.

pub mod stream_limits;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use jiff::Timestamp;

pub use stream_limits::StreamLimits;

/// Limit on a subject, in bytes. The server closes a connection on which a line of the protocol
/// exceeds 4 KiB, and a line also has the namespace and the subject of the reply.
pub const MAX_SUBJECT: usize = 512;
/// Limit on the name of a consumer, in bytes: 255 on the server, of which an adapter may need 23
/// to make the name of a broadcast consumer unique.
pub const MAX_NAME: usize = 232;
/// Limit on the number of subjects of a consumer. The server compares each with every other, and
/// does not answer in time where there are a thousand; a request to it has at most 1 MiB.
pub const MAX_FILTERS: usize = 256;
/// Limit on headers and id together, in bytes as they are sent (error 10097 of the server).
pub const MAX_HEADERS: usize = 65_535;
/// Limit on headers, id and payload together, in bytes as they are sent.
pub const MAX_MESSAGE: usize = 1024 * 1024;
/// Limit on an ack wait and on the delay of a nak: 100 years. The server counts both in
/// nanoseconds from 1970, which wraps around in 2262, and a delay that wraps is over at once.
pub const MAX_WAIT: Duration = Duration::from_secs(100 * 365 * 24 * 3600);

/// One of the two streams. They share no subject, so a dead letter never loops.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stream {
    /// Events between services.
    Events,
    /// Messages that a consumer gave up on, with the reason.
    DeadLetters,
}

/// A message to publish.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// `noun.verb`, without the namespace.
    pub subject: String,
    /// The id by which the stream deduplicates.
    pub id: String,
    /// CloudEvents attributes and `traceparent`.
    pub headers: BTreeMap<String, String>,
    /// The body, JSON.
    pub payload: Bytes,
}

/// The confirmation of an accepted publish.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Published {
    /// Position in the stream, from 1. For a duplicate, the position of the first message.
    pub sequence: u64,
    /// True if the stream already had this id, so nothing was added.
    pub duplicate: bool,
}

/// A failed publish, by what the caller knows about its effect.
///
/// Exhaustive on purpose: each variant asks for a different reaction, and a caller that ignores
/// one of them loses or invents a message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PublishError {
    /// The bus was not reached: nothing was published.
    #[error("the bus is unavailable: {0}")]
    Unavailable(String),
    /// The message may have been published. Repeat it under the same id.
    #[error("the outcome of the publish is unknown: {0}")]
    Unknown(String),
    /// The bus does not accept this message: a bug in the caller.
    #[error("the bus rejects the message: {0}")]
    Rejected(String),
}

/// A failure of any other call on the bus. Exhaustive on purpose, as [`PublishError`] is.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BusError {
    /// The bus did not answer, or not in time.
    #[error("the bus is unavailable: {0}")]
    Unavailable(String),
    /// The consumer no longer exists: subscribe again.
    #[error("the consumer is gone: {0}")]
    Gone(String),
    /// The bus does not accept this request: a bug in the caller.
    #[error("the bus rejects the request: {0}")]
    Rejected(String),
}

/// The way in which the subscribers of a consumer share its deliveries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Group {
    /// The bus keeps the consumer under its name; each message goes to one of its subscribers.
    Durable,
    /// Every subscription has a consumer of its own, which ends with it; each subscriber
    /// receives every message.
    Broadcast,
}

/// The position at which a new consumer begins. An existing durable consumer continues from
/// its own position.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// The first message that the stream still holds.
    All,
    /// The first message published after the subscription.
    New,
    /// The first message published at or after this time.
    Since(Timestamp),
}

/// A consumer, which [`Bus::subscribe`] creates if it is missing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Consumer {
    /// Durable: the name of the group. Broadcast: a label for logs, not necessarily unique.
    pub name: String,
    /// The stream to read.
    pub stream: Stream,
    /// Exact subjects, without the namespace; empty for the whole stream.
    ///
    /// A durable consumer that is opened with other subjects delivers from then on, of the
    /// messages that it has not passed yet, those of the new subjects. It has passed a message
    /// that it delivered and all before that one, and also the end of the stream whenever a
    /// subscriber asked and found nothing.
    pub subjects: Vec<String>,
    /// Durable or broadcast.
    pub group: Group,
    /// The first message of a new consumer.
    pub start: Start,
    /// Time until an unacknowledged delivery is delivered again.
    pub ack_wait: Duration,
    /// Upper bound on deliveries of one message; `None` for no bound.
    pub max_deliver: Option<u32>,
    /// Upper bound on unacknowledged deliveries.
    pub max_in_flight: u32,
}

/// A message as a consumer receives it.
pub struct Delivery {
    /// The message, its subject without the namespace.
    pub message: Message,
    /// Position in the stream, from 1.
    pub sequence: u64,
    /// The time at which the bus accepted the message.
    pub published: Timestamp,
    /// Number of this delivery of the message to the consumer, from 1.
    pub attempt: u32,
    /// Acknowledges or rejects this delivery.
    pub reply: Box<dyn Reply>,
}

/// A consumer's reply to a delivery. Dropping it without a call lets the ack wait run out.
///
/// A reply concerns the message, whichever attempt it answers. A reply to a message that is
/// acknowledged or given up already is confirmed and has no effect.
#[async_trait]
pub trait Reply: Send + Sync {
    /// Acknowledges the message. Returns once the bus has confirmed: from then on, the message is
    /// not delivered again as long as the bus keeps running, and neither after it was stopped in
    /// order.
    ///
    /// A confirmed acknowledgement does not survive every end of the bus. The server writes the
    /// state of a consumer at most every 100 ms, and confirms before it writes: an
    /// acknowledgement that was confirmed shortly before the server is killed is lost, and the
    /// message is delivered again. So a handler must be idempotent even after a confirmed
    /// acknowledgement.
    async fn ack(&self) -> Result<(), BusError>;
    /// Asks for another delivery after this delay, at most [`MAX_WAIT`]. It replaces the ack wait
    /// and any earlier delay, also where the message is already due and nobody has asked for it.
    /// Without a delay, a message that is already due keeps its place.
    async fn nak(&self, delay: Duration) -> Result<(), BusError>;
    /// Restarts the ack wait of a message whose handler is still running.
    async fn in_progress(&self) -> Result<(), BusError>;
}

/// An open consumer.
#[async_trait]
pub trait Subscription: Send {
    /// Waits for the next delivery.
    ///
    /// The call sends a request to the bus, which cannot be taken back: requests are served in
    /// their order, and one that was sent holds its place until it is served, until it expires
    /// after 30 s, or until the subscription is dropped. After the call is dropped, a message may
    /// still be delivered to its request. The next call of this subscription returns that message
    /// as the attempt that it was, however late; until then its ack wait runs, and nobody else
    /// receives it. So dropping the call loses no message, but may cost an attempt; where the
    /// subscription is dropped as well, or `max_deliver` is one, that was the delivery.
    async fn next(&mut self) -> Result<Delivery, BusError>;
    /// Number of messages that were pending when the subscription was opened.
    fn backlog(&self) -> u64;
    /// True if messages had left the stream, when the subscription was opened, that this consumer
    /// had not passed: it never receives them. The bus does not know their subjects any more, so
    /// none of them may have been for this consumer. A new consumer has no gap: it begins at the
    /// first message that is left.
    fn has_gap(&self) -> bool;
}

/// Outstanding work of a consumer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pending {
    /// The consumer's name.
    pub consumer: String,
    /// Messages that have not been delivered yet.
    pub undelivered: u64,
    /// Messages that were delivered and not acknowledged. After its last attempt, a message
    /// counts until a subscriber asks for the next one.
    pub unacknowledged: u64,
}

/// The contents of a stream in numbers, and its limits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamState {
    /// The number of messages.
    pub messages: u64,
    /// Their bytes, as [`Message::stored_size`] counts them.
    pub bytes: u64,
    /// The time at which the bus accepted the oldest of them; `None` for an empty stream.
    pub oldest: Option<Timestamp>,
    /// The limits that the stream has, whoever gave them.
    pub limits: StreamLimits,
}

/// The message bus.
#[async_trait]
pub trait Bus: Send + Sync {
    /// Creates both streams if they are missing, and gives them the limits of this bus
    /// ([`StreamLimits`]), also where they exist. Idempotent, and safe to call from several
    /// instances at once.
    async fn ensure(&self) -> Result<(), BusError>;
    /// Publishes a message and waits until the stream has stored it.
    async fn publish(&self, stream: Stream, message: Message) -> Result<Published, PublishError>;
    /// Opens a consumer.
    async fn subscribe(&self, consumer: Consumer) -> Result<Box<dyn Subscription>, BusError>;
    /// Removes the message at this position of a stream; returns false if there is none. No
    /// consumer receives it from then on, neither for the first time nor again. Its id stays in
    /// the deduplication window, and no later message gets its position.
    ///
    /// A consumer whose subjects have excluded the message since its delivery is not told: it may
    /// count the message as unacknowledged for a while. The simulation refuses this.
    async fn remove(&self, stream: Stream, sequence: u64) -> Result<bool, BusError>;
    /// Lists the outstanding work of every consumer of the event stream, including those with
    /// none.
    async fn pending(&self) -> Result<Vec<Pending>, BusError>;
    /// Returns what a stream holds. A message that has just reached its age may still count.
    async fn state(&self, stream: Stream) -> Result<StreamState, BusError>;
    /// Checks that the bus answers and has both streams.
    async fn ping(&self) -> Result<(), BusError>;
}

impl Message {
    /// Holds the limits on a message: an exact subject of at most [`MAX_SUBJECT`] bytes, header
    /// names of printable ASCII that are not the server's own (`Nats-`), values and an id without
    /// control characters or surrounding blanks, [`MAX_HEADERS`] and [`MAX_MESSAGE`].
    ///
    /// # Errors
    /// [`PublishError::Rejected`] with the limit that is exceeded.
    pub fn check(&self) -> Result<(), PublishError> {
        let rejected = |why: &str| Err(PublishError::Rejected(format!("{why}: {}", self.subject)));
        if !is_exact(&self.subject) {
            return rejected("not an exact subject of at most 512 bytes");
        }
        if !self.headers.iter().all(|(name, value)| is_header(name) && is_value(value)) {
            return rejected("an invalid header, or one that is reserved for the server");
        }
        if !is_value(&self.id) {
            return rejected("invalid id");
        }
        let headers = self.headers_size();
        if headers > MAX_HEADERS {
            return rejected("headers and id exceed 64 KiB");
        }
        if headers + self.payload.len() > MAX_MESSAGE {
            return rejected("the message exceeds 1 MiB");
        }
        Ok(())
    }

    /// The size of headers and id as they are sent, in bytes. The id is a header.
    fn headers_size(&self) -> usize {
        let line = |name: &str, value: &str| name.len() + value.len() + ": \r\n".len();
        let mut size: usize = self.headers.iter().map(|(name, value)| line(name, value)).sum();
        if !self.id.is_empty() {
            size += line("Nats-Msg-Id", &self.id);
        }
        if size > 0 { size + "NATS/1.0\r\n\r\n".len() } else { 0 }
    }
}

impl Consumer {
    /// Holds the limits on a consumer: a name of at most [`MAX_NAME`] bytes without blanks,
    /// control characters and any of `.*>/\`; at most [`MAX_FILTERS`] different exact subjects;
    /// an ack wait of at most [`MAX_WAIT`]; ack wait, bound in flight and `max_deliver` above
    /// zero; a start that counts as nanoseconds from 1970 in 64 bits (the years 1677 to 2262).
    ///
    /// # Errors
    /// [`BusError::Rejected`] with the limit that is exceeded.
    pub fn check(&self) -> Result<(), BusError> {
        let rejected = |why: &str| Err(BusError::Rejected(format!("{}: {why}", self.name)));
        let invalid = |c: char| ".*>/\\".contains(c) || c.is_whitespace() || c.is_control();
        if self.name.is_empty() || self.name.len() > MAX_NAME || self.name.contains(invalid) {
            return rejected("not a consumer name of at most 232 bytes");
        }
        if !self.subjects.iter().all(|subject| is_exact(subject)) {
            return rejected("a filter is not an exact subject of at most 512 bytes");
        }
        let different: BTreeSet<&String> = self.subjects.iter().collect();
        if different.len() < self.subjects.len() || different.len() > MAX_FILTERS {
            return rejected("filters overlap, or are more than 256");
        }
        if self.ack_wait.is_zero() || self.max_in_flight == 0 || self.max_deliver == Some(0) {
            return rejected("ack wait, bound in flight and max deliver must be positive");
        }
        if self.ack_wait > MAX_WAIT {
            return rejected("an ack wait of more than 100 years");
        }
        if let Start::Since(at) = self.start
            && i64::try_from(at.as_nanosecond()).is_err()
        {
            return rejected("a start outside of the years 1677 to 2262");
        }
        Ok(())
    }
}

/// Holds the limit on the delay of a nak.
///
/// # Errors
/// [`BusError::Rejected`] if it exceeds [`MAX_WAIT`].
pub fn check_delay(delay: Duration) -> Result<(), BusError> {
    if delay <= MAX_WAIT {
        return Ok(());
    }
    Err(BusError::Rejected(format!("a delay of {delay:?} is more than 100 years")))
}

/// Whether this is one exact subject: tokens between dots, none empty, no wildcard.
fn is_exact(subject: &str) -> bool {
    let valid = |token: &str| {
        !token.is_empty()
            && token != "*"
            && token != ">"
            && !token.contains(|c: char| c.is_whitespace() || c.is_control())
    };
    subject.len() <= MAX_SUBJECT && subject.split('.').all(valid)
}

fn is_header(name: &str) -> bool {
    !name.is_empty()
        && name.bytes().all(|b| b.is_ascii_graphic() && b != b':')
        && !name.get(..5).is_some_and(|start| start.eq_ignore_ascii_case("Nats-"))
}

fn is_value(value: &str) -> bool {
    // A fast path for plain ASCII: this runs for every header of every message.
    let plain = value.bytes().all(|b| b.is_ascii_graphic());
    plain || (value.trim() == value && !value.contains(char::is_control))
}
