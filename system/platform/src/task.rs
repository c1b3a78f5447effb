//! Background work: a step that returns what it did, and the loop around it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::time::Duration;

use async_trait::async_trait;
use futures::future::{Either, select};
use jiff::Timestamp;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::activity::{Activity, TaskState};
use crate::metrics::Published;
use ports::clock::{Clock, after};

/// What one step did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// There may be more: step again at once.
    Worked,
    /// Nothing to do now.
    Idle {
        /// When something falls due, where that is known.
        next: Option<Timestamp>,
    },
}

/// Why a step failed; it is tried again after a pause.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct StepError(pub String);

/// A background task of a service.
#[async_trait]
pub trait Task: Send + Sync {
    /// Its name, for logs and reports.
    fn name(&self) -> String;
    /// What wakes it before its time.
    fn wake(&self) -> Wake;
    /// Does a bounded piece of work.
    async fn step(&self) -> Result<Step, StepError>;
    /// How many events it has published, where publishing is what it does.
    fn published(&self) -> Option<Published> {
        None
    }
}

/// Tells a task that there is something to do. Clones wake the same task.
#[derive(Debug, Clone, Default)]
pub struct Wake(Arc<Signal>);

#[derive(Debug, Default)]
struct Signal {
    notify: Notify,
    set: AtomicBool,
}

impl Wake {
    /// Makes the task step soon.
    pub fn wake(&self) {
        self.0.set.store(true, SeqCst);
        self.0.notify.notify_one();
    }

    /// Whether it was woken and has not begun a step since.
    pub fn is_set(&self) -> bool {
        self.0.set.load(SeqCst)
    }

    fn clear(&self) {
        self.0.set.store(false, SeqCst);
    }
}

/// Steps the task until `stop`, at least once every `sweep`: what a crashed instance left
/// behind is found then.
pub(crate) async fn run(
    task: Arc<dyn Task>,
    clock: Arc<dyn Clock>,
    activity: Arc<Activity>,
    sweep: Duration,
    stop: CancellationToken,
) {
    let (name, wake) = (task.name(), task.wake());
    let mut failures = 0;
    while !stop.is_cancelled() {
        wake.clear();
        activity.set_task(&name, TaskState::Working);
        let outcome = task.step().await;
        let now = clock.now();
        let mut until = after(now, sweep);
        match outcome {
            Ok(Step::Worked) => {
                failures = 0;
                continue;
            }
            Ok(Step::Idle { next }) => {
                failures = 0;
                until = next.map_or(until, |next| next.min(until));
                activity.set_task(&name, TaskState::Idle { next });
            }
            Err(StepError(why)) => {
                failures += 1;
                tracing::warn!(task = name, failures, why, "step failed");
                until = after(now, back_off(failures));
                activity.set_task(&name, TaskState::Failing(why));
            }
        }
        let woken = std::pin::pin!(wake.0.notify.notified());
        let rest = select(woken, clock.sleep_until(until));
        match select(std::pin::pin!(stop.cancelled()), rest).await {
            Either::Left(_) => return,
            Either::Right(_) => {}
        }
    }
}

/// 100 ms, doubled with each failure, 10 s at most.
fn back_off(failures: u32) -> Duration {
    Duration::from_millis(100 << (failures.min(8) - 1)).min(Duration::from_secs(10))
}
