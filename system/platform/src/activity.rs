//! The outstanding work of one service instance, so that an observer can detect quiescence.
//!
//! It decides nothing and delays nothing. The harness reads it, and the metrics count failing
//! tasks from it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::SeqCst};

use jiff::Timestamp;
use parking_lot::Mutex;

use crate::wake::Wake;

/// The state of one background task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TaskState {
    /// In a step, or about to begin one.
    Working,
    /// Without work until `next`, or until woken.
    Idle {
        /// The time at which work falls due, if one is known.
        next: Option<Timestamp>,
    },
    /// The last step failed with this error and will be retried.
    Failing(String),
}

/// The counters of one instance.
#[derive(Debug, Default)]
pub struct Activity {
    busy: AtomicUsize,
    begun: AtomicU64,
    tasks: Mutex<BTreeMap<String, (TaskState, Wake)>>,
}

/// Counts one request or delivery as in flight until it is dropped.
#[derive(Debug)]
#[must_use = "dropping the guard ends the work that it counts"]
pub struct Busy(Arc<Activity>);

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.busy.fetch_sub(1, SeqCst);
    }
}

impl Activity {
    /// Marks the start of a request or a handler.
    pub fn begin(self: &Arc<Self>) -> Busy {
        self.busy.fetch_add(1, SeqCst);
        self.begun.fetch_add(1, SeqCst);
        Busy(Arc::clone(self))
    }

    /// Returns the number of requests and handlers in flight.
    pub fn busy(&self) -> usize {
        self.busy.load(SeqCst)
    }

    /// Returns the number of pieces of work that have ever begun: two equal readings mean that
    /// none began in between.
    pub fn begun(&self) -> u64 {
        self.begun.load(SeqCst)
    }

    /// Adds a task, which counts as working until its state is set.
    pub fn add_task(&self, name: &str, wake: Wake) {
        self.tasks.lock().insert(name.to_owned(), (TaskState::Working, wake));
    }

    /// Records the state of a task.
    pub fn set_task(&self, name: &str, state: TaskState) {
        if state == TaskState::Working {
            self.begun.fetch_add(1, SeqCst);
        }
        if let Some(task) = self.tasks.lock().get_mut(name) {
            task.0 = state;
        }
    }

    /// Returns the number of tasks whose last step failed.
    pub fn failing(&self) -> u64 {
        let failing = |(state, _): &&(TaskState, Wake)| matches!(state, TaskState::Failing(_));
        self.tasks.lock().values().filter(failing).count() as u64
    }

    /// Describes the work that is outstanding at `now`, one line each; empty if the instance is
    /// quiescent. A task that is due later is not outstanding.
    pub fn outstanding(&self, now: Timestamp) -> Vec<String> {
        let mut reasons = Vec::new();
        if self.busy() > 0 {
            reasons.push(format!("{} requests or deliveries in flight", self.busy()));
        }
        for (name, (state, wake)) in &*self.tasks.lock() {
            match state {
                _ if wake.is_set() => reasons.push(format!("{name} has pending work")),
                TaskState::Working => reasons.push(format!("{name} is working")),
                TaskState::Failing(why) => reasons.push(format!("{name} is failing: {why}")),
                TaskState::Idle { next: Some(next) } if *next <= now => {
                    reasons.push(format!("{name} has been due since {next}"));
                }
                TaskState::Idle { .. } => {}
            }
        }
        reasons
    }
}
