//! What one service instance is busy with, so that an observer can tell rest from work.
//!
//! It decides nothing and delays nothing. Shutdown and the harness's `settle` read it.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};

use jiff::Timestamp;

use crate::task::Wake;

/// The state of one background task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TaskState {
    /// In a step, or about to be.
    Working,
    /// Nothing to do before `next`, or until woken.
    Idle {
        /// When something falls due.
        next: Option<Timestamp>,
    },
    /// The last step failed; it will be tried again.
    Failing(String),
}

/// The counters of one instance.
#[derive(Debug, Default)]
pub struct Activity {
    busy: AtomicUsize,
    begun: AtomicU64,
    tasks: Mutex<BTreeMap<String, (TaskState, Wake)>>,
}

/// Counts as busy until dropped.
#[derive(Debug)]
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

    /// How many requests and handlers are under way.
    pub fn busy(&self) -> usize {
        self.busy.load(SeqCst)
    }

    /// How many pieces of work have ever begun: two equal readings mean that none began
    /// in between.
    pub fn begun(&self) -> u64 {
        self.begun.load(SeqCst)
    }

    /// Adds a task, which counts as working until it says otherwise.
    pub fn add_task(&self, name: &str, wake: Wake) {
        self.tasks
            .lock()
            .expect("no panic holds this lock")
            .insert(name.to_owned(), (TaskState::Working, wake));
    }

    /// Records the state of a task.
    pub fn set_task(&self, name: &str, state: TaskState) {
        if state == TaskState::Working {
            self.begun.fetch_add(1, SeqCst);
        }
        if let Some(task) = self.tasks.lock().expect("no panic holds this lock").get_mut(name) {
            task.0 = state;
        }
    }

    /// How many tasks are failing: their last step did.
    pub fn failing(&self) -> u64 {
        let tasks = self.tasks.lock().expect("no panic holds this lock");
        let failing = |(state, _): &&(TaskState, Wake)| matches!(state, TaskState::Failing(_));
        tasks.values().filter(failing).count() as u64
    }

    /// What keeps this instance from rest at time `now`, in words; empty at rest.
    pub fn unrest(&self, now: Timestamp) -> Vec<String> {
        let mut reasons = Vec::new();
        if self.busy() > 0 {
            reasons.push(format!("{} requests or deliveries under way", self.busy()));
        }
        for (name, (state, wake)) in &*self.tasks.lock().expect("no panic holds this lock") {
            match state {
                _ if wake.is_set() => reasons.push(format!("{name} has work waiting")),
                TaskState::Working => reasons.push(format!("{name} is working")),
                TaskState::Failing(why) => reasons.push(format!("{name} is failing: {why}")),
                TaskState::Idle { next: Some(next) } if *next <= now => {
                    reasons.push(format!("{name} is due since {next}"));
                }
                TaskState::Idle { .. } => {}
            }
        }
        reasons
    }
}
