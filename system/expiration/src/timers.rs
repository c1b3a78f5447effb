//! The task that fires due timers.
//!
//! It keeps nothing in memory: each step reads the store again, including the first one after a
//! start. So a timer survives a crash, and any instance may fire it.

use async_trait::async_trait;
use platform::task::{Step, StepError, Task};
use platform::wake::Wake;

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
        self.0.armed.clone()
    }

    async fn step(&self) -> Result<Step, StepError> {
        let now = self.0.clock.now();
        let armed = store::armed(&self.0.timers, BATCH).await?;
        let due: Vec<&Timer> = armed.iter().filter(|timer| timer.is_due(now)).collect();
        if due.is_empty() {
            return Ok(Step::Idle { next: armed.first().and_then(|timer| timer.due) });
        }
        for timer in due {
            self.0.timers.apply(&timer.id, |timer| model::fire(timer, now)).await?;
        }
        Ok(Step::Worked)
    }
}
