//! Dead letters: messages that a consumer gave up on, kept with the reason, for inspection and
//! replay.
//!
//! They are stored in a stream of their own, whose subjects no consumer of events matches, so a
//! dead letter never loops. A replay is a message on the event stream that names its letter: only
//! the consumer that gave up handles it, and removes the letter once it has. A replay that fails
//! again leaves the letter as it is, so replaying never multiplies letters.

use std::collections::BTreeSet;
use std::time::Duration;

use ports::bus::{Bus, BusError, Consumer, Delivery, Group, Message, PublishError, Start, Stream};
use ports::clock::Clock;

/// The header that names the consumer that gave up.
pub const CONSUMER: &str = "dead-consumer";
/// The header that holds the reason.
pub const REASON: &str = "dead-reason";
/// The header that holds the number of deliveries.
pub const ATTEMPTS: &str = "dead-attempts";
/// The header of a replay that holds the position of its letter.
pub const LETTER: &str = "dead-letter";

/// Time after which a letter that was counted and does not arrive has been removed.
const ARRIVAL_TIMEOUT: Duration = Duration::from_secs(2);

/// A message that a consumer gave up on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadLetter {
    /// The position in the stream of dead letters.
    pub sequence: u64,
    /// The name of the consumer that gave up.
    pub consumer: String,
    /// The last error, on one line.
    pub reason: String,
    /// The number of deliveries, in decimal.
    pub attempts: String,
    /// The message as it was published, under the id `<consumer>/<id of the message>`.
    pub message: Message,
}

impl DeadLetter {
    /// Returns the service whose consumer gave up.
    #[must_use]
    pub fn service(&self) -> &str {
        self.consumer.split_once('-').map_or(&*self.consumer, |(service, _)| service)
    }

    /// Returns the id of the message that the consumer gave up on.
    #[must_use]
    pub fn message_id(&self) -> &str {
        let prefix = self.message.id.strip_prefix(&self.consumer);
        prefix.and_then(|rest| rest.strip_prefix('/')).unwrap_or(&self.message.id)
    }
}

/// A choice of dead letters. An empty set chooses all.
#[derive(Debug, Clone, Default)]
pub struct Selection {
    /// The positions in the stream of dead letters.
    pub sequences: BTreeSet<u64>,
    /// The ids of the messages.
    pub ids: BTreeSet<String>,
    /// The subjects, without the namespace.
    pub subjects: BTreeSet<String>,
    /// The services whose consumers gave up.
    pub services: BTreeSet<String>,
}

impl Selection {
    /// Returns true if the letter is chosen: by every set that is not empty.
    #[must_use]
    pub fn contains(&self, letter: &DeadLetter) -> bool {
        let has = |set: &BTreeSet<String>, value: &str| set.is_empty() || set.contains(value);
        (self.sequences.is_empty() || self.sequences.contains(&letter.sequence))
            && has(&self.ids, letter.message_id())
            && has(&self.subjects, &letter.message.subject)
            && has(&self.services, letter.service())
    }
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
///
/// # Errors
///
/// As [`Bus::subscribe`] and the calls of a subscription.
pub async fn list(bus: &dyn Bus, clock: &dyn Clock) -> Result<Vec<DeadLetter>, BusError> {
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
        let Some(delivery) = clock.within(ARRIVAL_TIMEOUT, subscription.next()).await else {
            break;
        };
        let delivery = delivery?;
        delivery.reply.ack().await?;
        letters.push(read(delivery.message, delivery.sequence));
    }
    Ok(letters)
}

/// Returns the message that replays a letter, under this new id: to the consumer that gave up.
#[must_use]
pub fn replayed(letter: &DeadLetter, id: String) -> Message {
    let mut message = Message { id, ..letter.message.clone() };
    message.headers.extend([
        (CONSUMER.to_owned(), letter.consumer.clone()),
        (LETTER.to_owned(), letter.sequence.to_string()),
    ]);
    message
}

/// Publishes the message again under a new id, to the consumer that gave up. The letter stays
/// until the consumer has handled it.
///
/// # Errors
///
/// As [`Bus::publish`].
pub async fn replay(bus: &dyn Bus, letter: &DeadLetter, id: String) -> Result<(), PublishError> {
    bus.publish(Stream::Events, replayed(letter, id)).await?;
    Ok(())
}

/// Removes a letter without a replay. One that is gone already counts as removed.
///
/// # Errors
///
/// As [`Bus::remove`].
pub async fn remove(bus: &dyn Bus, sequence: u64) -> Result<(), BusError> {
    bus.remove(Stream::DeadLetters, sequence).await?;
    Ok(())
}

/// The letter that a message replays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Replay<'m> {
    /// The consumer that the replay is for.
    pub(crate) consumer: &'m str,
    /// The position of the letter.
    pub(crate) sequence: u64,
}

impl<'m> Replay<'m> {
    /// Returns the letter that this message replays; `None` for an ordinary message.
    pub(crate) fn of(message: &'m Message) -> Option<Self> {
        let sequence = message.headers.get(LETTER)?.parse().ok()?;
        Some(Self { consumer: message.headers.get(CONSUMER)?, sequence })
    }
}

/// Parses a message of the dead-letter stream at this position. Missing headers become empty
/// strings.
#[must_use]
pub fn read(mut message: Message, sequence: u64) -> DeadLetter {
    let mut header = |name| message.headers.remove(name).unwrap_or_default();
    let (consumer, reason, attempts) = (header(CONSUMER), header(REASON), header(ATTEMPTS));
    DeadLetter { sequence, consumer, reason, attempts, message }
}

/// Joins all lines: a header holds no line breaks.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn letter(sequence: u64, consumer: &str, subject: &str) -> DeadLetter {
        let message = Message {
            subject: subject.to_owned(),
            id: format!("{consumer}/e{sequence}"),
            headers: BTreeMap::from([("ce-id".to_owned(), "e1".to_owned())]),
            payload: Default::default(),
        };
        let (reason, attempts) = ("no".to_owned(), "10".to_owned());
        DeadLetter { sequence, consumer: consumer.to_owned(), reason, attempts, message }
    }

    #[test]
    fn a_replay_names_its_consumer_and_its_letter() {
        let letter = letter(7, "orders-TicketCreated", "ticket.created");
        let message = replayed(&letter, "new".to_owned());
        let replay = Replay { consumer: "orders-TicketCreated", sequence: 7 };
        assert_eq!(Replay::of(&message), Some(replay));
        assert_eq!((message.id.as_str(), &*message.headers["ce-id"]), ("new", "e1"));
        assert_eq!(Replay::of(&letter.message), None);
    }

    #[test]
    fn a_selection_chooses_by_every_set_that_is_not_empty() {
        let one = letter(7, "orders-TicketCreated", "ticket.created");
        let other = letter(8, "tickets-OrderCreated", "order.created");
        let set = |value: &str| BTreeSet::from([value.to_owned()]);
        let chosen = |selection: Selection| [&one, &other].map(|letter| selection.contains(letter));
        assert_eq!(chosen(Selection::default()), [true, true]);
        assert_eq!(
            chosen(Selection { sequences: [8].into(), ..Selection::default() }),
            [false, true]
        );
        assert_eq!(chosen(Selection { ids: set("e7"), ..Selection::default() }), [true, false]);
        assert_eq!(
            chosen(Selection { services: set("orders"), ..Selection::default() }),
            [true, false]
        );
        let subjects = set("ticket.created");
        let both = Selection { subjects, services: set("tickets"), ..Selection::default() };
        assert_eq!(chosen(both), [false, false]);
    }
}
