//! Lies in the envelope of an event.

use super::Spoil;
use super::spoil::reheaded;

pub(super) const FAULTS: &[(&str, &str, Spoil)] = &[
    ("envelopes", "an event has the type of another", |e| {
        reheaded(e, "ce-type", "TicketUpdated");
    }),
    ("envelopes", "another version of CloudEvents", |e| reheaded(e, "ce-specversion", "1.1")),
    ("envelopes", "the message id differs from the ce-id", |e| reheaded(e, "ce-id", "another")),
    ("envelopes", "an event comes from another service", |e| reheaded(e, "ce-source", "tickets")),
    ("envelopes", "an event is about another aggregate", |e| reheaded(e, "ce-subject", "another")),
    ("envelopes", "an event is from the future", |e| {
        reheaded(e, "ce-time", "2036-01-01T00:00:00Z");
    }),
    ("envelopes", "an event is older than its cause", |e| {
        reheaded(e, "ce-time", "2016-01-01T00:00:00Z");
    }),
    ("envelopes", "an event is in the trace of another request", |e| {
        let other = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        reheaded(e, "traceparent", other);
    }),
];
