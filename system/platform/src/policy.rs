//! The delivery policy: ack wait, retries, concurrency, the period of the sweep, and the time for
//! which events, dead letters and documents are kept.

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
    /// The time after its end at which a document is removed; `None` for never. At least
    /// [`Policy::least_documents`]. See [`crate::renewal`].
    pub documents: Option<Duration>,
}

/// A limit on documents that contradicts the limit on events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RetentionError {
    /// An event would outlive the documents that it is about.
    #[error(
        "documents are removed, but events are kept for ever: an old event could arrive after \
             its document has been removed, and would be taken for news"
    )]
    EventsStay,
    /// An event could arrive after the documents that it is about have been removed.
    #[error("documents are kept for {} after their end, but an event can arrive {} after it: keep \
             documents for at least that long", days(.documents), days(.least))]
    TooShort {
        /// [`Policy::documents`].
        documents: Duration,
        /// [`Policy::least_documents`].
        least: Duration,
    },
}

/// The duration in days, or in hours below a day.
fn days(duration: &Duration) -> String {
    let hours = duration.as_secs_f64() / 3600.0;
    if hours < 24.0 { format!("{hours:.1} h") } else { format!("{:.1} days", hours / 24.0) }
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
            documents: Some(80 * DAY),
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

    /// The age of a document's newest event at which it is renewed, before the event leaves the
    /// stream; `None` if none leaves.
    #[must_use]
    pub fn renewal_age(&self) -> Option<Duration> {
        self.events.max_age.map(|age| age * 4 / 5)
    }

    /// The time for which a document stays after its last renewal, and the age from which an event
    /// is no longer handled: whatever it is about may have been removed. `None` if nothing is.
    ///
    /// A document was last changed before its last renewal. So an event that precedes that change
    /// is older than this once the document has been removed, and cannot bring it back.
    #[must_use]
    pub fn horizon(&self) -> Option<Duration> {
        Some(self.documents?.saturating_sub(self.renewal_age()?))
    }

    /// The shortest time for which documents may be kept after their end; `None` if they must be
    /// kept for ever. The last renewal comes when four fifths of the age of events have passed.
    /// Then an event stays for that age in the stream, and may have waited in its outbox before.
    #[must_use]
    pub fn least_documents(&self) -> Option<Duration> {
        let age = self.events.max_age?;
        Some(self.renewal_age()? + age + DAY.min(age / 10))
    }

    /// Checks that no event outlives the documents that it is about.
    ///
    /// # Errors
    ///
    /// [`RetentionError`], if documents are removed too early.
    pub fn check(&self) -> Result<(), RetentionError> {
        let Some(documents) = self.documents else { return Ok(()) };
        let least = self.least_documents().ok_or(RetentionError::EventsStay)?;
        if documents < least {
            return Err(RetentionError::TooShort { documents, least });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(events: Option<Duration>, documents: Option<Duration>) -> Policy {
        let events = StreamLimits { max_age: events, max_bytes: None };
        Policy { events, documents, ..Policy::default() }
    }

    #[test]
    fn the_default_keeps_documents_longer_than_events() {
        assert_eq!(Policy::default().check(), Ok(()));
        assert_eq!(Policy::default().least_documents(), Some(73 * DAY));
        assert_eq!(Policy::default().horizon(), Some(48 * DAY));
    }

    #[test]
    fn documents_that_an_event_could_outlive_are_refused() {
        assert_eq!(kept(Some(10 * DAY), Some(19 * DAY)).check(), Ok(()));
        let short = kept(Some(10 * DAY), Some(19 * DAY - Duration::from_millis(1)));
        assert!(matches!(short.check(), Err(RetentionError::TooShort { .. })));
        assert_eq!(kept(None, Some(900 * DAY)).check(), Err(RetentionError::EventsStay));
        assert_eq!(kept(None, None).check(), Ok(()));
        assert_eq!(kept(Some(10 * DAY), None).check(), Ok(()));
    }

    #[test]
    fn an_event_in_the_stream_is_never_past_the_horizon() {
        for hours in [1, 30, 24 * 40, 24 * 400] {
            let age = Duration::from_secs(hours * 3600);
            let policy = kept(Some(age), kept(Some(age), None).least_documents());
            assert!(policy.horizon() > Some(age), "{policy:?}");
        }
    }
}
