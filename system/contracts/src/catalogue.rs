//! The list of all events: the producer and the consumers of each, and its JSON Schema.

pub use platform::catalogue::Entry;

use crate::charge::CHARGE_EVENTS;
use crate::expiration::EXPIRATION_EVENTS;
use crate::order::ORDER_EVENTS;
use crate::ticket::TICKET_EVENTS;
use crate::user::{BAN_EVENTS, SESSION_EVENTS, SIGN_UP_EVENTS, USER_EVENTS};

/// Returns all events, in the order in which a purchase produces them.
///
/// ```
/// let names: Vec<_> = contracts::catalogue::all().iter().map(|entry| entry.name).collect();
/// assert!(names.contains(&"OrderCreated"));
/// ```
#[must_use]
pub fn all() -> Vec<Entry> {
    [
        SIGN_UP_EVENTS.entries(),
        USER_EVENTS.entries(),
        BAN_EVENTS.entries(),
        SESSION_EVENTS.entries(),
        TICKET_EVENTS.entries(),
        ORDER_EVENTS.entries(),
        EXPIRATION_EVENTS.entries(),
        CHARGE_EVENTS.entries(),
    ]
    .concat()
}
