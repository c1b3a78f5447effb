//! The accesses of each call on the bus, for partial order reduction. Nothing here changes the
//! broker.
//!
//! A queue has two ends: a message that arrives and one that is taken do not meet as long as
//! there is one to take. Positions in the stream are names and nothing more.

use ports::bus::{Message, Stream};

use super::handle::Handle;
use super::stream::Log;
use crate::access::{Access, Resource};
use crate::digest::Digest;

/// The set of consumers may have changed, or all of them were read: every call on the bus
/// depends on that.
pub(super) fn consumers_changed() -> Access {
    Access::Write(consumers())
}

/// A message was published.
pub(super) fn published(log: &Log, stream: Stream, message: &Message) -> Vec<Access> {
    let content = content(message);
    let mut accesses =
        vec![Access::Read(consumers()), Access::DurableWrite(id(stream, message), content)];
    let ends = log.receiving(&message.subject).map(|consumer| tail(stream, consumer));
    accesses.extend(ends.map(|end| Access::DurableWrite(end, content)));
    accesses
}

/// A consumer took a message, or found none.
pub(super) fn took(handle: &Handle, taken: Option<(&Message, u64)>) -> Vec<Access> {
    let (stream, consumer) = (handle.stream, handle.id);
    let Some((message, sequence)) = taken else {
        let ends = [tail(stream, consumer), head(stream, consumer)];
        return [consumers()].into_iter().chain(ends).map(Access::Read).collect();
    };
    let mut accesses = vec![
        Access::Read(consumers()),
        Access::Read(id(stream, message)),
        Access::Write(head(stream, consumer)),
        Access::Write(in_flight(handle, sequence)),
    ];
    if handle.broadcast {
        // The instance keeps the content in memory, before its next call.
        let memory = Resource::memory(handle.connection.instance);
        accesses.push(Access::DurableWrite(memory, content(message)));
    }
    accesses
}

/// A delivery was answered; `moves` where that may change the next delivery.
pub(super) fn answered(handle: &Handle, sequence: u64, moves: bool) -> Vec<Access> {
    let mut accesses = vec![Access::Read(consumers()), Access::Write(in_flight(handle, sequence))];
    if moves {
        let ends = [tail(handle.stream, handle.id), head(handle.stream, handle.id)];
        accesses.extend(ends.map(Access::Write));
    }
    accesses
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
fn in_flight(handle: &Handle, sequence: u64) -> Resource {
    Resource::new(of_stream("in flight", handle.stream).number(handle.id).number(sequence))
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
