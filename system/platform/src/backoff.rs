//! Exponential back-off: the only place that computes the pause before a retry.
//!
//! It has no jitter, because a simulated run must not draw randomness that no port records, and
//! it never waits: the caller sleeps on its clock.

use std::time::Duration;

/// A schedule of pauses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backoff {
    /// The pause after the first failure.
    pub first: Duration,
    /// Ratio of each pause to the one before it.
    pub factor: u32,
    /// The longest pause.
    pub max: Duration,
}

impl Backoff {
    /// Returns the pause after this many consecutive failures, counted from 1.
    ///
    /// ```
    /// use std::time::Duration;
    /// use platform::backoff::Backoff;
    ///
    /// let secs = Duration::from_secs;
    /// let backoff = Backoff { first: secs(1), factor: 2, max: secs(5) };
    /// let pauses = [1, 2, 3, 4, u32::MAX].map(|failures| backoff.delay(failures));
    /// assert_eq!(pauses, [secs(1), secs(2), secs(4), secs(5), secs(5)]);
    /// ```
    #[must_use]
    pub fn delay(&self, failures: u32) -> Duration {
        let factor = self.factor.saturating_pow(failures.saturating_sub(1));
        self.first.saturating_mul(factor).min(self.max)
    }
}
