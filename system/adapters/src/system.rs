//! The system clock and the operating system's randomness.
//!
//! It never caches either; a simulated run uses the adapters of the crate `sim` instead.

use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use rand::TryRng;

use ports::clock::Clock;
use ports::entropy::Entropy;

/// The system clock, in whole milliseconds. Waiting needs a tokio runtime.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

#[async_trait]
impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        let now = Timestamp::now().as_millisecond();
        Timestamp::from_millisecond(now).expect("a whole millisecond of a timestamp is in range")
    }

    async fn sleep_until(&self, at: Timestamp) {
        // tokio may limit a long sleep, and the clock may be set back: check again each time.
        while let Ok(left) = Duration::try_from(at.duration_since(Timestamp::now())) {
            if left.is_zero() {
                return;
            }
            tokio::time::sleep(left).await;
        }
    }
}

/// The operating system's randomness.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemEntropy;

impl Entropy for SystemEntropy {
    fn fill(&self, buffer: &mut [u8]) {
        rand::rngs::SysRng.try_fill_bytes(buffer).expect("the system provides randomness");
    }
}
