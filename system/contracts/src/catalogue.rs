//! The list of all events: the producer and the consumers of each, and its JSON Schema.

pub use platform::catalogue::Entry;

use crate::charge::{ChargeCreated, ChargeUpdated};
use crate::expiration::OrderExpired;
use crate::order::{OrderCancelled, OrderCompleted, OrderCreated, OrderUpdated};
use crate::ticket::{TicketCreated, TicketUpdated};
use crate::user::{UserBanned, UserCreated, UserUnbanned, UserUpdated};

/// The services that verify sessions, and so must know of bans.
const EVERY_SESSION: &[&str] = &["auth", "tickets", "orders", "payments"];
const ORDER_READERS: &[&str] = &["tickets", "expiration", "payments"];

/// Returns all events, in the order in which a purchase produces them.
///
/// ```
/// let names: Vec<_> = contracts::catalogue::all().iter().map(|entry| entry.name).collect();
/// assert!(names.contains(&"OrderCreated"));
/// ```
#[must_use]
pub fn all() -> Vec<Entry> {
    vec![
        Entry::of::<UserCreated>("auth", &[]),
        Entry::of::<UserUpdated>("auth", &[]),
        Entry::of::<UserBanned>("auth", EVERY_SESSION),
        Entry::of::<UserUnbanned>("auth", EVERY_SESSION),
        Entry::of::<TicketCreated>("tickets", &["orders"]),
        Entry::of::<TicketUpdated>("tickets", &["orders"]),
        Entry::of::<OrderCreated>("orders", ORDER_READERS),
        Entry::of::<OrderUpdated>("orders", ORDER_READERS),
        Entry::of::<OrderCancelled>("orders", ORDER_READERS),
        Entry::of::<OrderCompleted>("orders", ORDER_READERS),
        Entry::of::<OrderExpired>("expiration", &["orders"]),
        Entry::of::<ChargeCreated>("payments", &["orders"]),
        Entry::of::<ChargeUpdated>("payments", &["orders"]),
    ]
}
