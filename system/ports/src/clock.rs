//! The clock port: the current time, and waiting. Times are UTC, in whole milliseconds.
//!
//! It never measures anything: a duration is the difference of two readings.

use std::time::Duration;

use async_trait::async_trait;
use futures::future::{Either, select};
use jiff::Timestamp;

/// A clock.
#[async_trait]
pub trait Clock: Send + Sync {
    /// Returns the current time, truncated to whole milliseconds.
    fn now(&self) -> Timestamp;
    /// Waits until this time; returns immediately if it has passed.
    async fn sleep_until(&self, at: Timestamp);
}

impl dyn Clock + '_ {
    /// Waits for this duration.
    pub async fn sleep(&self, duration: Duration) {
        self.sleep_until(after(self.now(), duration)).await;
    }

    /// Runs `work` with a timeout: returns its output, or drops it and returns `None` once it
    /// takes longer than `limit`.
    pub async fn within<T>(
        &self,
        limit: Duration,
        work: impl Future<Output = T> + Send,
    ) -> Option<T> {
        let limit = self.sleep(limit);
        match select(std::pin::pin!(work), std::pin::pin!(limit)).await {
            Either::Left((done, _)) => Some(done),
            Either::Right(_) => None,
        }
    }
}

/// Returns `at - duration`, saturating at [`Timestamp::MIN`].
#[must_use]
pub fn before(at: Timestamp, duration: Duration) -> Timestamp {
    at.checked_sub(duration).unwrap_or(Timestamp::MIN)
}

/// Returns `at + duration`, saturating at [`Timestamp::MAX`].
#[must_use]
pub fn after(at: Timestamp, duration: Duration) -> Timestamp {
    at.checked_add(duration).unwrap_or(Timestamp::MAX)
}
