//! The task that fires due timers.
//!
//! It reads the store when a timer is due, at its start and once per sweep. So a timer survives a
//! crash, and any instance may fire it.

use async_trait::async_trait;
use platform::agenda::Rest;
use platform::policy::Policy;
use platform::task::{Step, StepError, Task};
use platform::wake::Wake;
use ports::Timestamp;

use crate::app::App;
use crate::model::{self, Timer};
use crate::store;

/// Upper bound on timers per step.
const BATCH: u32 = 50;

/// Fires timers.
pub struct Timers(pub App);

#[async_trait]
impl Task for Timers {
    fn name(&self) -> String {
        "timers".to_owned()
    }

    fn wake(&self) -> Wake {
        self.0.armed.wake()
    }

    fn configure(&self, policy: &Policy) {
        self.0.armed.configure(policy);
    }

    async fn step(&self) -> Result<Step, StepError> {
        let now = self.0.clock.now();
        self.0.armed.step(now, self.fire(now)).await
    }
}

impl Timers {
    /// Fires the timers that are due.
    async fn fire(&self, now: Timestamp) -> Result<Rest, StepError> {
        let armed = store::armed(&self.0.timers, BATCH).await?;
        let (due, later): (Vec<&Timer>, Vec<&Timer>) =
            armed.iter().partition(|timer| timer.is_due(now));
        for timer in due {
            self.0.timers.apply(&timer.id, |timer| model::fire(timer, now)).await?;
        }
        let next = later.first().and_then(|timer| timer.due);
        Ok(Rest { next, is_full: armed.len() == BATCH as usize })
    }
}
