//! The clock port: what time it is, and waiting. Times are UTC, in whole milliseconds.

use std::time::Duration;

use async_trait::async_trait;
use futures::future::{Either, select};
use jiff::Timestamp;

/// A clock.
#[async_trait]
pub trait Clock: Send + Sync {
    /// The time now, cut to whole milliseconds.
    fn now(&self) -> Timestamp;
    /// Waits until this time; returns at once where it has passed.
    async fn sleep_until(&self, at: Timestamp);
}

impl dyn Clock + '_ {
    /// Waits this long.
    pub async fn sleep(&self, duration: Duration) {
        self.sleep_until(after(self.now(), duration)).await;
    }

    /// What `work` returns, or `None` where it takes longer than `limit`; it is dropped then.
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

/// `duration` after `at`, at the end of time at the latest.
pub fn after(at: Timestamp, duration: Duration) -> Timestamp {
    at.checked_add(duration).unwrap_or(Timestamp::MAX)
}
