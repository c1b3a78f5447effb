//! What each call on the bus touches, for whoever wants to know whether two calls can be
//! swapped. It changes nothing.
//!
//! A queue has two ends: a message that comes in and one that is taken do not meet, as long as
//! there is one to take. Positions in the stream are names and nothing more.

use ports::bus::{Message, Stream};

use super::stream::Log;
use super::subscription::Place;
use crate::access::{Access, Resource, digest};
use crate::kernel::Kernel;

/// Notes several touches.
pub(super) fn note(kernel: &Kernel, accesses: impl FnOnce() -> Vec<Access>) {
    if kernel.records_accesses() {
        accesses().into_iter().for_each(|touch| kernel.access(|| touch));
    }
}

/// There may be other consumers, or all were looked at: every call on the bus depends on that.
pub(super) fn consumers_changed() -> Access {
    Access::Write(consumers())
}

/// A message came in.
pub(super) fn published(log: &Log, stream: Stream, message: &Message) -> Vec<Access> {
    let id = Resource::new("message", (stream as u8, &message.id));
    let content = digest((&message.subject, &message.headers, &message.payload));
    let mut accesses = vec![Access::Read(consumers()), Access::DurableWrite(id, content)];
    let ends = log.hearing(&message.subject).map(|consumer| tail(stream, consumer));
    accesses.extend(ends.map(|end| Access::DurableWrite(end, content)));
    accesses
}

/// A consumer took a message, or found none.
pub(super) fn took(place: &Place, taken: Option<(&Message, u64)>) -> Vec<Access> {
    let (stream, consumer) = (place.stream, place.id);
    let Some((message, sequence)) = taken else {
        let ends = [tail(stream, consumer), head(stream, consumer)];
        return [consumers()].into_iter().chain(ends).map(Access::Read).collect();
    };
    let content = digest((&message.subject, &message.headers, &message.payload));
    let mut accesses = vec![
        Access::Read(consumers()),
        Access::Read(Resource::new("message", (stream as u8, &message.id))),
        Access::Write(head(stream, consumer)),
        Access::Write(out(place, sequence)),
    ];
    if place.broadcast {
        // What it tells is kept in memory, before the next call.
        accesses.push(Access::DurableWrite(Resource::memory(place.bus.instance), content));
    }
    accesses
}

/// A delivery was answered; `moves` where that may change what is delivered next.
pub(super) fn answered(place: &Place, sequence: u64, moves: bool) -> Vec<Access> {
    let mut accesses = vec![Access::Read(consumers()), Access::Write(out(place, sequence))];
    if moves {
        let ends = [tail(place.stream, place.id), head(place.stream, place.id)];
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

fn out(place: &Place, sequence: u64) -> Resource {
    Resource::new("out", (place.stream as u8, place.id, sequence))
}
