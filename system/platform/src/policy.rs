//! The delivery policy: ack wait, retries, concurrency, and the period of the sweep.

use std::time::Duration;

use crate::backoff::Backoff;
use ports::bus::StreamLimits;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// The delivery of messages, and the interval at which the leftovers of a crash are looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// Time until the bus redelivers an unacknowledged message.
    pub ack_wait: Duration,
    /// Number of deliveries after which a message becomes a dead letter.
    pub max_deliver: u32,
    /// The pause before the second delivery; it grows fourfold with each further one.
    pub first_back_off: Duration,
    /// The longest pause between deliveries.
    pub max_back_off: Duration,
    /// Number of messages that one consumer handles concurrently.
    pub max_in_flight: u32,
    /// Number of documents whose events one step of a relay publishes.
    pub relay_batch: u32,
    /// The time after which events that were published are removed from their outboxes, those of
    /// all documents in one write. Until then, another instance that starts or sweeps publishes
    /// them again, which adds nothing.
    pub clear_after: Duration,
    /// The longest time between two steps of a task: a step finds what a crashed instance left
    /// unfinished.
    pub sweep: Duration,
    /// The limits of the event stream. Its age bounds how long a service may be away without
    /// missing an event.
    pub events: StreamLimits,
    /// The limits of the stream of dead letters. Its age bounds how long a letter can be replayed.
    pub dead_letters: StreamLimits,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            ack_wait: Duration::from_secs(30),
            max_deliver: 10,
            first_back_off: Duration::from_millis(100),
            max_back_off: Duration::from_secs(60),
            max_in_flight: 16,
            relay_batch: 100,
            clear_after: Duration::from_secs(1),
            sweep: Duration::from_secs(30),
            events: StreamLimits { max_age: Some(40 * DAY), max_bytes: None },
            dead_letters: StreamLimits { max_age: Some(90 * DAY), max_bytes: None },
        }
    }
}

impl Policy {
    /// Returns the pause after this delivery attempt, counted from 1.
    #[must_use]
    pub fn back_off(&self, attempt: u32) -> Duration {
        let backoff = Backoff { first: self.first_back_off, factor: 4, max: self.max_back_off };
        backoff.delay(attempt)
    }
}
