//! Dead letters: messages that a consumer gave up on, kept with the reason, for inspection and
//! replay.
//!
//! They are stored in a stream of their own, whose subjects no consumer of events matches, so a
//! dead letter never loops.

use std::time::Duration;

use ports::bus::{Bus, BusError, Consumer, Delivery, Group, Message, PublishError, Start, Stream};

/// The header that names the consumer that gave up.
pub const CONSUMER: &str = "dead-consumer";
/// The header that holds the reason.
pub const REASON: &str = "dead-reason";
/// The header that holds the number of deliveries.
pub const ATTEMPTS: &str = "dead-attempts";

/// A message that a consumer gave up on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadLetter {
    /// The name of the consumer that gave up.
    pub consumer: String,
    /// The last error, on one line.
    pub reason: String,
    /// The number of deliveries, in decimal.
    pub attempts: String,
    /// The message as it was published.
    pub message: Message,
}

/// Stores a dead letter. Storing the same message of the same consumer again adds nothing.
pub(crate) async fn store(
    bus: &dyn Bus,
    consumer: &str,
    delivery: &Delivery,
    reason: &str,
) -> Result<(), PublishError> {
    let mut message = delivery.message.clone();
    message.headers.extend([
        (CONSUMER.to_owned(), consumer.to_owned()),
        (REASON.to_owned(), one_line(reason)),
        (ATTEMPTS.to_owned(), delivery.attempt.to_string()),
    ]);
    message.id = format!("{consumer}/{}", message.id);
    bus.publish(Stream::DeadLetters, message).await?;
    Ok(())
}

/// Lists all dead letters, oldest first.
pub async fn list(bus: &dyn Bus) -> Result<Vec<DeadLetter>, BusError> {
    let consumer = Consumer {
        name: "dead-letters".to_owned(),
        stream: Stream::DeadLetters,
        subjects: Vec::new(),
        group: Group::Broadcast,
        start: Start::All,
        ack_wait: Duration::from_secs(30),
        max_deliver: None,
        max_in_flight: 100,
    };
    let mut subscription = bus.subscribe(consumer).await?;
    let mut letters = Vec::new();
    for _ in 0..subscription.backlog() {
        let delivery = subscription.next().await?;
        delivery.reply.ack().await?;
        letters.push(read(delivery.message));
    }
    Ok(letters)
}

/// Publishes the message again under a new id, to all consumers of its subject. Consumers that
/// have applied it already ignore it.
pub async fn replay(bus: &dyn Bus, letter: &DeadLetter, id: String) -> Result<(), PublishError> {
    let message = Message { id, ..letter.message.clone() };
    bus.publish(Stream::Events, message).await?;
    Ok(())
}

/// Parses a message of the dead-letter stream. Missing headers become empty strings.
#[must_use]
pub fn read(mut message: Message) -> DeadLetter {
    let mut header = |name| message.headers.remove(name).unwrap_or_default();
    let (consumer, reason, attempts) = (header(CONSUMER), header(REASON), header(ATTEMPTS));
    DeadLetter { consumer, reason, attempts, message }
}

/// Joins all lines: a header holds no line breaks.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
