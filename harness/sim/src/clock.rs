//! The virtual clock.

use async_trait::async_trait;
use ports::Timestamp;
use ports::clock::Clock;

use crate::kernel::Kernel;

/// The kernel's virtual time behind the clock port.
#[derive(Clone)]
pub struct SimClock(pub Kernel);

#[async_trait]
impl Clock for SimClock {
    fn now(&self) -> Timestamp {
        self.0.now()
    }

    async fn sleep_until(&self, at: Timestamp) {
        self.0.sleep_until(at).await;
    }
}
