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
//! Next: [`crate::causality`], which reads the `traceparent` of a [`Message`].

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use jiff::Timestamp;

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
#[async_trait]
pub trait Reply: Send + Sync {
    /// Acknowledges the message. Returns once the bus has confirmed: from then on the message
    /// is not delivered again.
    async fn ack(&self) -> Result<(), BusError>;
    /// Asks for another delivery after this delay.
    async fn nak(&self, delay: Duration) -> Result<(), BusError>;
    /// Restarts the ack wait of a message whose handler is still running.
    async fn in_progress(&self) -> Result<(), BusError>;
}

/// An open consumer.
#[async_trait]
pub trait Subscription: Send {
    /// Waits for the next delivery. Cancel safe: dropping the call loses no message.
    async fn next(&mut self) -> Result<Delivery, BusError>;
    /// Number of messages that were pending when the subscription was opened.
    fn backlog(&self) -> u64;
}

/// Outstanding work of a consumer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pending {
    /// The consumer's name.
    pub consumer: String,
    /// Messages that have not been delivered yet.
    pub undelivered: u64,
    /// Messages that were delivered and not acknowledged.
    pub unacknowledged: u64,
}

/// The message bus.
#[async_trait]
pub trait Bus: Send + Sync {
    /// Creates both streams if they are missing. Idempotent, and safe to call from several
    /// instances at once.
    async fn ensure(&self) -> Result<(), BusError>;
    /// Publishes a message and waits until the stream has stored it.
    async fn publish(&self, stream: Stream, message: Message) -> Result<Published, PublishError>;
    /// Opens a consumer.
    async fn subscribe(&self, consumer: Consumer) -> Result<Box<dyn Subscription>, BusError>;
    /// Lists the outstanding work of every consumer of the event stream, including those with
    /// none.
    async fn pending(&self) -> Result<Vec<Pending>, BusError>;
    /// Checks that the bus answers.
    async fn ping(&self) -> Result<(), BusError>;
}
