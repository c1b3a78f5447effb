//! Events: payloads through the listeners of the real services, and envelopes.

use std::collections::BTreeMap;
use std::fmt::Debug;

use bytes::Bytes;
use contracts::{
    ChargeCreated, ChargeUpdated, OrderCancelled, OrderCompleted, OrderCreated, OrderExpired,
    OrderUpdated, TicketCreated, TicketUpdated, UserBanned, UserCreated, UserSignedOut,
    UserUnbanned, UserUpdated,
};
use futures::FutureExt;
use platform::event::{Envelope, Event};
use platform::listen::{HandleError, decode};
use ports::bus::Message;
use ports::causality::Causality;
use ticketing::SERVICES;

use crate::inert;

fn message(subject: &str, payload: &[u8]) -> Message {
    let id = "event-1".to_owned();
    let payload = Bytes::copy_from_slice(payload);
    Message { subject: subject.to_owned(), id, headers: BTreeMap::new(), payload }
}

fn is_permanent<T: Debug>(read: Result<T, HandleError>) -> bool {
    matches!(read, Err(HandleError::Permanent(_)))
}

/// Reads a payload, and again what it is written as. Returns whether it is one.
fn round_trip<E: Event>(payload: &[u8]) -> bool {
    let read = match decode::<E>(&message(E::SUBJECT, payload)) {
        Ok(read) => read,
        Err(error) => {
            assert!(matches!(error, HandleError::Permanent(_)), "{}: {error}", E::NAME);
            return false;
        }
    };
    let _ = read.aggregate();
    let written = serde_json::to_vec(&read).expect("an event is plain data");
    let again: E = decode(&message(E::SUBJECT, &written)).expect("it reads what it writes");
    assert_eq!(serde_json::to_vec(&again).expect("an event is plain data"), written);
    true
}

/// The subject of an event, and its reader.
type Kind = (&'static str, fn(&[u8]) -> bool);

const fn kind<E: Event>() -> Kind {
    (E::SUBJECT, round_trip::<E>)
}

const KINDS: [Kind; 14] = [
    kind::<UserCreated>(),
    kind::<UserUpdated>(),
    kind::<UserBanned>(),
    kind::<UserUnbanned>(),
    kind::<UserSignedOut>(),
    kind::<TicketCreated>(),
    kind::<TicketUpdated>(),
    kind::<OrderCreated>(),
    kind::<OrderUpdated>(),
    kind::<OrderCancelled>(),
    kind::<OrderCompleted>(),
    kind::<OrderExpired>(),
    kind::<ChargeCreated>(),
    kind::<ChargeUpdated>(),
];

/// A payload is an event that reads as it is written, or a permanent failure of every listener.
/// The first byte chooses the type.
///
/// # Panics
///
/// If that is false.
pub fn event(data: &[u8]) {
    let Some((&first, payload)) = data.split_first() else { return };
    let (subject, reads) = KINDS[usize::from(first) % KINDS.len()];
    let is_event = reads(payload);
    for entry in SERVICES {
        for listener in inert::service(entry.name).listeners {
            if !listener.subjects.contains(&subject) {
                continue;
            }
            let message = message(subject, payload);
            // None: it was accepted, and the handler asks the store. A copy may leave out fields,
            // so it may also accept what is no whole event.
            let handled = listener.handler.handle(&message).now_or_never();
            if let Some(handled @ Err(_)) = handled {
                let name = listener.event;
                assert!(is_permanent(handled), "{name} of {} retries a bad payload", entry.name);
                assert!(!is_event, "{name} of {} refuses an event", entry.name);
            }
        }
    }
}

/// An envelope reads as it is written; a message with its `traceparent`, or without one, starts
/// or continues an origin that the next service can read.
///
/// # Panics
///
/// If that is false.
pub fn envelope(data: &[u8]) {
    let Ok(read) = serde_json::from_slice::<Envelope>(data) else { return };
    let written = serde_json::to_vec(&read).expect("an envelope is plain data");
    assert_eq!(serde_json::from_slice::<Envelope>(&written).ok().as_ref(), Some(&read));
    let mut message = message(&read.subject, read.payload.as_bytes());
    message.id = read.id;
    message.headers.insert("traceparent".to_owned(), read.traceparent);
    let origin = Causality::of(&message);
    let sent = origin.traceparent("0123456789abcdef");
    assert_eq!(Causality::parse(&sent, &origin.cause), Some(origin), "{sent}");
}
