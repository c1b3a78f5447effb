//! Read your writes across services: a bounded retry while an event may still be in flight.
//!
//! A client can refer to a document of one service before its event has been processed by
//! another. A document id carries its creation time, so a service that does not know a recent
//! id retries for a short while. After that it responds with 503 as long as the event may be late,
//! and with 404 for an old id; it cannot tell a recent id that was invented from one whose event is
//! late. This module only waits and decides: the caller repeats the read.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use crate::backoff::Backoff;
use crate::http::ApiError;
use ports::clock::{Clock, after};
use ports::entropy::id_time;

/// Age of a document up to which the service waits for its event.
const PROPAGATION_WINDOW: Duration = Duration::from_secs(2);

/// Age of a document up to which its event may be late, because the bus or the publisher was away:
/// a client must not learn from a 404 that it does not exist.
const LATENESS_WINDOW: Duration = Duration::from_secs(600);

/// The pauses between reads.
const READ_BACKOFF: Backoff =
    Backoff { first: Duration::from_millis(5), factor: 2, max: PROPAGATION_WINDOW };

/// The retries of a read that has not found a document.
pub struct StaleReadRetry {
    clock: Arc<dyn Clock>,
    deadline: Timestamp,
    /// The time from which on the document counts as unknown.
    unknown_from: Timestamp,
    failures: u32,
}

impl StaleReadRetry {
    /// Allows retries until the document with this id is older than the propagation window.
    pub fn new(id: &str, clock: &Arc<dyn Clock>) -> Self {
        let now = clock.now();
        // The clock of the instance that created the id may be slightly ahead.
        let created = id_time(id).filter(|&created| created <= after(now, PROPAGATION_WINDOW));
        Self {
            clock: Arc::clone(clock),
            deadline: created.map_or(now, |at| after(at.min(now), PROPAGATION_WINDOW)),
            unknown_from: created.map_or(now, |at| after(at.min(now), LATENESS_WINDOW)),
            failures: 0,
        }
    }

    /// Returns the response to a request for a document that was not found: 503 while its event
    /// may be late, and 404 after that.
    #[must_use]
    pub fn not_found(&self) -> ApiError {
        if self.clock.now() < self.unknown_from {
            ApiError::unavailable()
        } else {
            ApiError::not_found()
        }
    }

    /// Waits and returns true if the read should be repeated; returns false at once after the
    /// deadline.
    pub async fn wait(&mut self) -> bool {
        if self.clock.now() >= self.deadline {
            return false;
        }
        self.failures += 1;
        self.clock.sleep(READ_BACKOFF.delay(self.failures)).await;
        true
    }
}

#[cfg(test)]
mod tests {
    use async_trait::async_trait;
    use futures::executor::block_on;
    use parking_lot::Mutex;

    use super::*;
    use ports::entropy::Entropy;

    /// A clock on which every wait advances the time at once.
    struct VirtualClock(Mutex<Timestamp>);

    #[async_trait]
    impl Clock for VirtualClock {
        fn now(&self) -> Timestamp {
            *self.0.lock()
        }

        async fn sleep_until(&self, at: Timestamp) {
            *self.0.lock() = at;
        }
    }

    struct Zeros;

    impl Entropy for Zeros {
        fn fill(&self, buffer: &mut [u8]) {
            buffer.fill(0);
        }
    }

    /// The total wait for an id created this many milliseconds from now.
    fn total_wait(created_ms: i64) -> Duration {
        retried(created_ms).0
    }

    /// The total wait, and the status of the response after it.
    fn retried(created_ms: i64) -> (Duration, u16) {
        let now = Timestamp::from_millisecond(1_700_000_000_000).unwrap();
        let entropy: &dyn Entropy = &Zeros;
        let created = Timestamp::from_millisecond(now.as_millisecond() + created_ms).unwrap();
        let clock: Arc<dyn Clock> = Arc::new(VirtualClock(Mutex::new(now)));
        let mut retry = StaleReadRetry::new(&entropy.id(created), &clock);
        while block_on(retry.wait()) {}
        let status = retry.not_found().status().as_u16();
        (clock.now().duration_since(now).unsigned_abs(), status)
    }

    #[test]
    fn a_recent_id_is_retried_until_it_leaves_the_window() {
        assert!(total_wait(-10) >= PROPAGATION_WINDOW / 2);
        assert!(total_wait(-10) <= PROPAGATION_WINDOW * 2);
        assert!(total_wait(500) <= PROPAGATION_WINDOW * 2);
    }

    #[test]
    fn a_recent_id_is_not_denied() {
        assert_eq!(retried(-10).1, 503);
        assert_eq!(retried(1_000).1, 503);
        assert_eq!(retried(-599_999).1, 503);
        assert_eq!(retried(-600_000).1, 404);
        assert_eq!(retried(3_600_000).1, 404);
    }

    #[test]
    fn an_old_or_invented_id_is_not_retried() {
        assert_eq!(total_wait(-2_001), Duration::ZERO);
        assert_eq!(total_wait(3_600_000), Duration::ZERO);
        let clock: Arc<dyn Clock> = Arc::new(VirtualClock(Mutex::new(Timestamp::UNIX_EPOCH)));
        assert!(!block_on(StaleReadRetry::new("ffffffffffffffffffffffff", &clock).wait()));
        assert!(!block_on(StaleReadRetry::new("not an id", &clock).wait()));
    }
}
