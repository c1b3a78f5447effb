//! The bus port: streams of messages, durable consumer groups and broadcast consumers.
//!
//! The rules are JetStream's. A message has an id; a second publish of the same id to the
//! same stream within the deduplication window is dropped. A durable consumer is shared by
//! all instances that subscribe under its name (one delivery per group); a broadcast consumer
//! belongs to one subscription. A delivery that is not acknowledged within the ack wait is
//! delivered again, its attempt one higher, until `max_deliver`. Nothing promises an order
//! across redeliveries.
//!
//! Subjects are given without the namespace: the adapter adds it.

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use jiff::Timestamp;

/// Which of the two streams. They share no subject, so a dead letter never loops.
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
    /// The id that deduplicates within the stream.
    pub id: String,
    /// CloudEvents attributes and `traceparent`.
    pub headers: BTreeMap<String, String>,
    /// The body, JSON.
    pub payload: Bytes,
}

/// What the bus says of an accepted publish.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Published {
    /// Position in the stream, from 1. For a duplicate, the first message's.
    pub sequence: u64,
    /// Whether this id was already there, so nothing was added.
    pub duplicate: bool,
}

/// Why a publish failed, and so what is known about it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PublishError {
    /// The bus was not reached: nothing was published.
    #[error("the bus is unavailable: {0}")]
    Unavailable(String),
    /// It may have been published. Repeat it under the same id.
    #[error("the outcome of the publish is unknown: {0}")]
    Unknown(String),
    /// The bus does not accept this message: a bug in the caller.
    #[error("the bus rejects the message: {0}")]
    Rejected(String),
}

/// Why another call on the bus failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BusError {
    /// The bus did not answer, or not in time.
    #[error("the bus is unavailable: {0}")]
    Unavailable(String),
    /// The consumer is gone: subscribe again.
    #[error("the consumer is gone: {0}")]
    Gone(String),
    /// The bus does not accept this request: a bug in the caller.
    #[error("the bus rejects the request: {0}")]
    Rejected(String),
}

/// Who shares the deliveries of a consumer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Group {
    /// Kept by the bus under its name; each message goes to one of its subscribers.
    Durable,
    /// One per subscription, gone with it; each subscriber hears every message.
    Broadcast,
}

/// Where a new consumer begins. An existing durable consumer goes on where it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// At the first message that the stream still holds.
    All,
    /// At the first message published after the subscription.
    New,
    /// At the first message published at or after this time.
    Since(Timestamp),
}

/// A consumer, created if it is missing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Consumer {
    /// Durable: the group's name. Broadcast: for people; need not be unique.
    pub name: String,
    /// Which stream.
    pub stream: Stream,
    /// Exact subjects, without the namespace; empty for all of the stream.
    pub subjects: Vec<String>,
    /// Durable or broadcast.
    pub group: Group,
    /// Where it begins.
    pub start: Start,
    /// How long the bus waits for an acknowledgement before it delivers again.
    pub ack_wait: Duration,
    /// How many times one message is delivered at most; `None` for no bound.
    pub max_deliver: Option<u32>,
    /// How many deliveries may be unacknowledged at once.
    pub max_in_flight: u32,
}

/// A message as a consumer gets it.
pub struct Delivery {
    /// The message, subject without the namespace.
    pub message: Message,
    /// Position in the stream, from 1.
    pub sequence: u64,
    /// When the bus accepted it.
    pub published: Timestamp,
    /// Which delivery of this message to this consumer this is, from 1.
    pub attempt: u32,
    /// What to say when it is handled.
    pub reply: Box<dyn Reply>,
}

/// How a consumer answers a delivery. Dropping it says nothing: the ack wait runs out.
#[async_trait]
pub trait Reply: Send + Sync {
    /// Handled. Returns once the bus has confirmed it: from then on it is not delivered again.
    async fn ack(&self) -> Result<(), BusError>;
    /// Not handled: deliver it again after this delay.
    async fn nak(&self, delay: Duration) -> Result<(), BusError>;
    /// Still at work: the ack wait starts again.
    async fn in_progress(&self) -> Result<(), BusError>;
}

/// An open consumer.
#[async_trait]
pub trait Subscription: Send {
    /// The next delivery; waits for one. Cancel safe: a dropped call loses nothing.
    async fn next(&mut self) -> Result<Delivery, BusError>;
    /// How many messages were waiting when the subscription was opened.
    fn backlog(&self) -> u64;
}

/// What a consumer still has to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pending {
    /// The consumer's name.
    pub consumer: String,
    /// Messages not delivered yet.
    pub undelivered: u64,
    /// Messages delivered and not acknowledged.
    pub unacknowledged: u64,
}

/// The message bus.
#[async_trait]
pub trait Bus: Send + Sync {
    /// Creates both streams where they are missing. Safe to repeat, and from several
    /// instances at once.
    async fn ensure(&self) -> Result<(), BusError>;
    /// Publishes a message and waits until the stream has it.
    async fn publish(&self, stream: Stream, message: Message) -> Result<Published, PublishError>;
    /// Opens a consumer.
    async fn subscribe(&self, consumer: Consumer) -> Result<Box<dyn Subscription>, BusError>;
    /// What the consumers of the event stream still have to do; those with nothing to do too.
    async fn pending(&self) -> Result<Vec<Pending>, BusError>;
    /// Whether the bus answers.
    async fn ping(&self) -> Result<(), BusError>;
}
