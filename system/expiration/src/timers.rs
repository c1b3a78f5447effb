//! The task that fires timers when they are due.
//!
//! It keeps nothing in memory: each step reads the store anew, the first one after a start
//! too. So a timer survives a crash, and any instance may fire it.

use std::convert::Infallible;

use async_trait::async_trait;
use platform::task::{Step, StepError, Task, Wake};

use crate::model::{self, Timer};
use crate::{App, store};

/// How many timers one step reads.
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
        let armed = store::armed(&self.0.timers, BATCH).await;
        let armed = armed.map_err(|e| StepError(e.to_string()))?;
        let due: Vec<&Timer> = armed.iter().filter(|timer| timer.is_due(now)).collect();
        if due.is_empty() {
            return Ok(Step::Idle { next: armed.first().and_then(|timer| timer.due) });
        }
        for timer in due {
            let fire = |timer: Option<&Timer>| Ok::<_, Infallible>(model::fire(timer, now));
            let fired = self.0.timers.change(&timer.id, fire).await;
            fired.map_err(|e| StepError(e.to_string()))?;
        }
        Ok(Step::Worked)
    }
}
