//! The accesses of each call on the bus, for partial order reduction. Nothing here changes the
//! broker.
//!
//! A queue has two ends: a message that arrives and one that is taken do not meet as long as
//! there is one to take. Positions in the stream are names and nothing more.

use ports::bus::{Message, Stream};

use super::handle::Handle;
use super::stream::Log;
use crate::access::{Access, Resource, digest};

/// The set of consumers may have changed, or all of them were read: every call on the bus
/// depends on that.
pub(super) fn consumers_changed() -> Access {
    Access::Write(consumers())
}

/// A message was published.
pub(super) fn published(log: &Log, stream: Stream, message: &Message) -> Vec<Access> {
    let id = Resource::new("message", (stream as u8, &message.id));
    let content = digest((&message.subject, &message.headers, &message.payload));
    let mut accesses = vec![Access::Read(consumers()), Access::DurableWrite(id, content)];
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
    let content = digest((&message.subject, &message.headers, &message.payload));
    let mut accesses = vec![
        Access::Read(consumers()),
        Access::Read(Resource::new("message", (stream as u8, &message.id))),
        Access::Write(head(stream, consumer)),
        Access::Write(out(handle, sequence)),
    ];
    if handle.broadcast {
        // The instance keeps the content in memory, before its next call.
        let memory = Resource::memory(handle.connection.instance);
        accesses.push(Access::DurableWrite(memory, content));
    }
    accesses
}

/// A delivery was answered; `moves` where that may change the next delivery.
pub(super) fn answered(handle: &Handle, sequence: u64, moves: bool) -> Vec<Access> {
    let mut accesses = vec![Access::Read(consumers()), Access::Write(out(handle, sequence))];
    if moves {
        let ends = [tail(handle.stream, handle.id), head(handle.stream, handle.id)];
        accesses.extend(ends.map(Access::Write));
    }
    accesses
}

fn consumers() -> Resource {
    Resource::new("consumers", ())
}

fn tail(stream: Stream, consumer: u64) -> Resource {
    Resource::new("tail", (stream as u8, consumer))
}

fn head(stream: Stream, consumer: u64) -> Resource {
    Resource::new("head", (stream as u8, consumer))
}

fn out(handle: &Handle, sequence: u64) -> Resource {
    Resource::new("out", (handle.stream as u8, handle.id, sequence))
}
