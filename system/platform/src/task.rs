//! Background tasks: a step that reports its result, and the loop that repeats it.
//!
//! A task keeps no work in memory alone: it reads the store at its start and once per sweep, so a
//! crash loses nothing.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures::future::{Either, select};
use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

use crate::activity::{Activity, TaskState};
use crate::backoff::Backoff;
use crate::chain::Chain;
use crate::metrics::{Counter, RelayMetrics};
use crate::policy::Policy;
use ports::bus::PublishError;
use ports::clock::{Clock, after};
use ports::store::{ReadError, WriteError};

pub use crate::wake::Wake;

/// The pauses after failed steps.
const STEP_BACKOFF: Backoff =
    Backoff { first: Duration::from_millis(100), factor: 2, max: Duration::from_secs(10) };

/// The result of one step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// There may be more work: step again at once.
    Worked,
    /// There is no work now.
    Idle {
        /// The time at which work falls due, if one is known.
        next: Option<Timestamp>,
    },
}

/// A failed step, which is retried after a pause.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct StepError(Box<dyn Error + Send + Sync>);

impl StepError {
    /// Wraps a cause: an error, or a message.
    pub fn new(cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self(cause.into())
    }
}

impl From<ReadError> for StepError {
    fn from(error: ReadError) -> Self {
        Self::new(error)
    }
}

impl From<WriteError> for StepError {
    fn from(error: WriteError) -> Self {
        Self::new(error)
    }
}

impl From<PublishError> for StepError {
    fn from(error: PublishError) -> Self {
        Self::new(error)
    }
}

/// A background task of a service.
#[async_trait]
pub trait Task: Send + Sync {
    /// The name, for logs and reports.
    fn name(&self) -> String;
    /// The signal that makes it step before its time.
    fn wake(&self) -> Wake;
    /// Does a bounded piece of work.
    async fn step(&self) -> Result<Step, StepError>;
    /// The collection that it relays and its figures; `None` for a task that is no relay.
    fn relay(&self) -> Option<(&'static str, RelayMetrics)> {
        None
    }
    /// Takes over what the policy says about it, before its first step.
    fn configure(&self, _policy: &Policy) {}
    /// The counter of the work that it has abandoned because it can never succeed, so that an
    /// operator must finish it; `None` for a task that abandons none.
    fn abandoned(&self) -> Option<Counter> {
        None
    }
}

/// Steps the task until `stop`, at least once per `sweep`: a periodic step finds the work that a
/// crashed instance left behind.
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
        let stepped = task.step().await;
        let now = clock.now();
        let mut until = after(now, sweep);
        match stepped {
            Ok(Step::Worked) => {
                failures = 0;
                continue;
            }
            Ok(Step::Idle { next }) => {
                failures = 0;
                until = next.map_or(until, |next| next.min(until));
                activity.set_task(&name, TaskState::Idle { next });
            }
            Err(error) => {
                failures += 1;
                let why = Chain(&error).to_string();
                tracing::warn!(task = name, failures, why, "step failed");
                until = after(now, STEP_BACKOFF.delay(failures));
                activity.set_task(&name, TaskState::Failing(why));
            }
        }
        let woken = std::pin::pin!(wake.notified());
        let pause = select(woken, clock.sleep_until(until));
        match select(std::pin::pin!(stop.cancelled()), pause).await {
            Either::Left(_) => return,
            Either::Right(_) => {}
        }
    }
}
