//! What each call on the bus touches, for whoever wants to know whether two calls can be
//! swapped. It changes nothing.
//!
//! A queue has two ends: a message that comes in and one that is taken do not meet, as long as
//! there is one to take. Positions in the stream are names and nothing more.

use platform::ports::bus::{Message, Stream};

use super::stream::Log;
use super::subscription::Place;
use crate::sim::kernel::Kernel;
use crate::sim::touch::{Thing, Touch, digest};

/// Notes several touches.
pub(super) fn note(kernel: &Kernel, touches: impl FnOnce() -> Vec<Touch>) {
    if kernel.is_noting() {
        touches().into_iter().for_each(|touch| kernel.touch(|| touch));
    }
}

/// There may be other consumers, or all were looked at: every call on the bus depends on that.
pub(super) fn consumers_changed() -> Touch {
    Touch::Write(consumers())
}

/// A message came in.
pub(super) fn published(log: &Log, stream: Stream, message: &Message) -> Vec<Touch> {
    let id = Thing::new("message", (stream as u8, &message.id));
    let content = digest((&message.subject, &message.headers, &message.payload));
    let mut touches = vec![Touch::Read(consumers()), Touch::Lasting(id, content)];
    let ends = log.hearing(&message.subject).map(|consumer| tail(stream, consumer));
    touches.extend(ends.map(|end| Touch::Lasting(end, content)));
    touches
}

/// A consumer took a message, or found none.
pub(super) fn took(place: &Place, taken: Option<(&Message, u64)>) -> Vec<Touch> {
    let (stream, consumer) = (place.stream, place.id);
    let Some((message, sequence)) = taken else {
        let ends = [tail(stream, consumer), head(stream, consumer)];
        return [consumers()].into_iter().chain(ends).map(Touch::Read).collect();
    };
    let content = digest((&message.subject, &message.headers, &message.payload));
    let mut touches = vec![
        Touch::Read(consumers()),
        Touch::Read(Thing::new("message", (stream as u8, &message.id))),
        Touch::Write(head(stream, consumer)),
        Touch::Write(out(place, sequence)),
    ];
    if place.broadcast {
        // What it tells is kept in memory, before the next call.
        touches.push(Touch::Lasting(Thing::memory(place.bus.instance), content));
    }
    touches
}

/// A delivery was answered; `moves` where that may change what is delivered next.
pub(super) fn answered(place: &Place, sequence: u64, moves: bool) -> Vec<Touch> {
    let mut touches = vec![Touch::Read(consumers()), Touch::Write(out(place, sequence))];
    if moves {
        let ends = [tail(place.stream, place.id), head(place.stream, place.id)];
        touches.extend(ends.map(Touch::Write));
    }
    touches
}

fn consumers() -> Thing {
    Thing::new("consumers", ())
}

fn tail(stream: Stream, consumer: u64) -> Thing {
    Thing::new("tail", (stream as u8, consumer))
}

fn head(stream: Stream, consumer: u64) -> Thing {
    Thing::new("head", (stream as u8, consumer))
}

fn out(place: &Place, sequence: u64) -> Thing {
    Thing::new("out", (place.stream as u8, place.id, sequence))
}
