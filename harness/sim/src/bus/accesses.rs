//! The accesses of each call on the bus, for partial order reduction. Nothing here changes the
//! broker.
//!
//! A queue has two ends: a message that arrives and one that is taken do not meet as long as
//! there is one to take. Positions in the stream are names and nothing more. Where a request
//! waits whose caller has left, the broker takes a message by itself: such calls depend on all.

use ports::bus::{Message, Stream};

use super::stream::Log;
use crate::access::{Access, Resource};
use crate::digest::Digest;

/// Every call depends on the set of streams and consumers.
pub(super) fn consumers_read() -> Access {
    Access::Read(consumers())
}

/// The set of streams and consumers may have changed, or all consumers were read.
pub(super) fn consumers_changed() -> Access {
    Access::Write(consumers())
}

/// A message was published. Whichever consumer is opened later reads the stream in its order.
pub(super) fn published(log: &Log, stream: Stream, message: &Message) -> Vec<Access> {
    let content = content(message);
    let ends = log.receiving(&message.subject).map(|consumer| tail(stream, consumer));
    let written = [Resource::new(of_stream("stream", stream)), id(stream, message)];
    let written = written.into_iter().chain(ends);
    written.map(|resource| Access::DurableWrite(resource, content)).collect()
}

/// A consumer took a message. `memory` is the instance that keeps its content in memory before
/// its next call, as broadcasts are.
pub(super) fn took(
    stream: Stream,
    consumer: u64,
    message: &Message,
    sequence: u64,
    memory: Option<u32>,
) -> Vec<Access> {
    let mut accesses = vec![
        Access::Read(id(stream, message)),
        Access::Write(head(stream, consumer)),
        Access::Write(in_flight(stream, consumer, sequence)),
    ];
    let memory = memory.map(Resource::memory);
    accesses.extend(memory.map(|memory| Access::DurableWrite(memory, content(message))));
    accesses
}

/// A consumer had no message to take; with `room` in flight, because its queue was empty.
pub(super) fn took_nothing(stream: Stream, consumer: u64, room: bool) -> Vec<Access> {
    let ends = [head(stream, consumer)].into_iter();
    ends.chain(room.then(|| tail(stream, consumer))).map(Access::Read).collect()
}

/// A subscriber checked for a message. A message that arrives later is noticed just the same, so
/// only one that another subscriber takes matters.
pub(super) fn awaited(stream: Stream, consumer: u64) -> Vec<Access> {
    vec![Access::Read(head(stream, consumer))]
}

/// A delivery was answered; `moves` where that may change the next delivery.
pub(super) fn answered(stream: Stream, consumer: u64, sequence: u64, moves: bool) -> Vec<Access> {
    let delivery = [in_flight(stream, consumer, sequence)].into_iter();
    delivery.chain(moves.then(|| head(stream, consumer))).map(Access::Write).collect()
}

fn consumers() -> Resource {
    Resource::new(Digest::new("consumers"))
}

/// The id of a message in the deduplication window of a stream.
fn id(stream: Stream, message: &Message) -> Resource {
    Resource::new(of_stream("message", stream).text(&message.id))
}

/// The end of a queue at which messages arrive.
fn tail(stream: Stream, consumer: u64) -> Resource {
    Resource::new(of_stream("tail", stream).number(consumer))
}

/// The end of a queue at which messages are taken.
fn head(stream: Stream, consumer: u64) -> Resource {
    Resource::new(of_stream("head", stream).number(consumer))
}

/// A delivery in flight.
fn in_flight(stream: Stream, consumer: u64, sequence: u64) -> Resource {
    Resource::new(of_stream("in flight", stream).number(consumer).number(sequence))
}

fn of_stream(kind: &str, stream: Stream) -> Digest {
    Digest::new(kind).text(match stream {
        Stream::Events => "events",
        Stream::DeadLetters => "dead letters",
    })
}

fn content(message: &Message) -> u64 {
    let digest = Digest::new("message").text(&message.subject).bytes(&message.payload);
    let headers = message.headers.iter();
    headers.fold(digest, |digest, (name, value)| digest.text(name).text(value)).finish()
}
