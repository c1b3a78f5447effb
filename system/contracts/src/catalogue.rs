//! The list of all events: who sends each, who hears it, and its JSON Schema.

pub use platform::catalogue::Entry;
use platform::event::Event;

use crate::{
    ChargeCreated, ChargeUpdated, OrderCancelled, OrderCompleted, OrderCreated, OrderExpired,
    OrderUpdated, TicketCreated, TicketUpdated, UserBanned, UserCreated, UserUnbanned, UserUpdated,
};

const EVERY_SESSION: &[&str] = &["auth", "tickets", "orders", "payments"];
const ORDER_READERS: &[&str] = &["tickets", "expiration", "payments"];

/// All events, in the order in which a purchase meets them.
///
/// ```
/// let names: Vec<_> = contracts::catalogue::all().iter().map(|entry| entry.name).collect();
/// assert!(names.contains(&"OrderCreated"));
/// ```
pub fn all() -> Vec<Entry> {
    vec![
        entry::<UserCreated>("auth", &[]),
        entry::<UserUpdated>("auth", &[]),
        entry::<UserBanned>("auth", EVERY_SESSION),
        entry::<UserUnbanned>("auth", EVERY_SESSION),
        entry::<TicketCreated>("tickets", &["orders"]),
        entry::<TicketUpdated>("tickets", &["orders"]),
        entry::<OrderCreated>("orders", ORDER_READERS),
        entry::<OrderUpdated>("orders", ORDER_READERS),
        entry::<OrderCancelled>("orders", ORDER_READERS),
        entry::<OrderCompleted>("orders", ORDER_READERS),
        entry::<OrderExpired>("expiration", &["orders"]),
        entry::<ChargeCreated>("payments", &["orders"]),
        entry::<ChargeUpdated>("payments", &["orders"]),
    ]
}

fn entry<E: Event>(from: &'static str, to: &'static [&'static str]) -> Entry {
    Entry { name: E::NAME, subject: E::SUBJECT, from, to, schema: schemars::schema_for!(E) }
}
