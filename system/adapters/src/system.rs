//! The system clock and the operating system's randomness.

use async_trait::async_trait;
use jiff::Timestamp;
use rand::TryRng;

use ports::clock::Clock;
use ports::entropy::Entropy;

/// The system clock; waiting needs a tokio runtime.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

#[async_trait]
impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        let now = Timestamp::now().as_millisecond();
        Timestamp::from_millisecond(now).expect("the system clock is in range")
    }

    async fn sleep_until(&self, at: Timestamp) {
        // Rounded up: waking a moment early would find nothing due.
        while let Ok(left) = std::time::Duration::try_from(at.duration_since(Timestamp::now())) {
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
        rand::rngs::SysRng.try_fill_bytes(buffer).expect("the system has randomness");
    }
}
