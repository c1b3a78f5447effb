//! The description of an event type as data: its producer, its consumers and its schema.
//!
//! A system lists its events as [`Entry`] values, so that a tool which knows none of them can
//! check payloads and draw which service talks to which. Nothing here publishes or subscribes.

use schemars::Schema;

use crate::event::{EventGroup, EventType};

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

impl<P> EventGroup<P> {
    /// Describes each type of the group.
    #[must_use]
    pub fn entries(&self) -> Vec<Entry> {
        let entry = |event: &EventType| Entry {
            name: event.name,
            subject: event.subject,
            from: self.from,
            to: self.to,
            schema: (event.schema)(),
        };
        self.types().iter().map(entry).collect()
    }
}
