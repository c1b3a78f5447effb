//! The description of an event type as data: its producer, its consumers and its schema.
//!
//! A system lists its events as [`Entry`] values, so that a tool which knows none of them can
//! check payloads and draw who talks to whom. Nothing here publishes or subscribes.

use schemars::Schema;

use crate::event::Event;

/// One event type of a system.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// The name of the type: `OrderCreated`.
    pub name: &'static str,
    /// The subject, without the namespace: `order.created`.
    pub subject: &'static str,
    /// The service that publishes it.
    pub from: &'static str,
    /// The services that consume it.
    pub to: &'static [&'static str],
    /// The JSON Schema of its payload.
    pub schema: Schema,
}

impl Entry {
    /// Describes the event type `E`.
    #[must_use]
    pub fn of<E: Event>(from: &'static str, to: &'static [&'static str]) -> Self {
        Self { name: E::NAME, subject: E::SUBJECT, from, to, schema: schemars::schema_for!(E) }
    }
}
