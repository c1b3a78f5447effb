//! The times at which the documents of a collection fall due, as far as a task must know them: the
//! earliest one. So the task reads the store when a document is due, not when one is added.
//!
//! It is a hint, not a record: the task also reads at its start and once per sweep, and so finds
//! what another instance added or a crashed one left behind.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use parking_lot::Mutex;

use crate::policy::Policy;
use crate::task::{Step, StepError};
use crate::wake::Wake;
use ports::clock::after;

/// The agenda of one task. Clones share it.
#[derive(Debug, Clone)]
pub struct Agenda(Arc<Shared>);

/// The documents that a read of the store leaves for later.
#[derive(Debug)]
pub struct Rest {
    /// The time at which the next document is due, of those that the read found.
    pub next: Option<Timestamp>,
    /// True if the read found as many documents as it may.
    pub is_full: bool,
}

#[derive(Debug)]
struct Shared {
    wake: Wake,
    times: Mutex<Times>,
}

#[derive(Debug)]
struct Times {
    /// The earliest time at which a document is due, if one is known.
    due: Option<Timestamp>,
    /// The time of the next read of the store, whatever is due.
    next_read: Timestamp,
    sweep: Duration,
}

impl Default for Agenda {
    fn default() -> Self {
        // The first step reads.
        let times = Times { due: None, next_read: Timestamp::MIN, sweep: Policy::default().sweep };
        Self(Arc::new(Shared { wake: Wake::default(), times: Mutex::new(times) }))
    }
}

impl Agenda {
    /// Adds the time at which a document is due.
    pub fn add(&self, due: Timestamp) {
        {
            let mut times = self.0.times.lock();
            if times.due.is_some_and(|earliest| earliest <= due) {
                return;
            }
            times.due = Some(due);
        }
        self.0.wake.wake();
    }

    /// Makes the task read: a write of unknown outcome may have added a document.
    pub fn read(&self) {
        self.read_next();
        self.0.wake.wake();
    }

    /// The signal of its task.
    #[must_use]
    pub fn wake(&self) -> Wake {
        self.0.wake.clone()
    }

    /// Takes over what the policy says about its task.
    pub fn configure(&self, policy: &Policy) {
        self.0.times.lock().sweep = policy.sweep;
    }

    /// The step of its task. `read` finds the documents that are due in the store and deals with
    /// them; it runs only if one may be due.
    ///
    /// # Errors
    ///
    /// As `read`; then the next step reads again.
    pub async fn step(
        &self,
        now: Timestamp,
        read: impl Future<Output = Result<Rest, StepError>>,
    ) -> Result<Step, StepError> {
        if let Some(idle) = self.idle(now) {
            return Ok(idle);
        }
        self.begin_read(now);
        match read.await {
            // More documents may be due than the read could find.
            Ok(Rest { next: None, is_full: true }) => {
                self.read_next();
                Ok(Step::Worked)
            }
            Ok(Rest { next, .. }) => Ok(self.end_read(next)),
            Err(error) => {
                self.read_next();
                Err(error)
            }
        }
    }

    /// The next step reads, whatever causes it.
    fn read_next(&self) {
        self.0.times.lock().next_read = Timestamp::MIN;
    }

    /// The step of a task that has nothing to read now.
    fn idle(&self, now: Timestamp) -> Option<Step> {
        let times = self.0.times.lock();
        let is_idle = times.next_read > now && times.due.is_none_or(|due| due > now);
        is_idle.then(|| times.idle())
    }

    /// Begins a read of the store, which finds what was added before.
    fn begin_read(&self, now: Timestamp) {
        let mut times = self.0.times.lock();
        times.due = None;
        times.next_read = after(now, times.sweep);
    }

    /// Ends a read that found no more documents that are due, but this time as the next one.
    fn end_read(&self, next: Option<Timestamp>) -> Step {
        let mut times = self.0.times.lock();
        times.due = times.due.into_iter().chain(next).min();
        times.idle()
    }
}

impl Times {
    fn idle(&self) -> Step {
        Step::Idle { next: Some(self.due.map_or(self.next_read, |due| due.min(self.next_read))) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn idle(until: i64) -> Step {
        Step::Idle { next: Some(at(until)) }
    }

    #[test]
    fn the_store_is_read_at_the_start_when_something_is_due_and_once_per_sweep() {
        let agenda = Agenda::default();
        agenda.configure(&Policy { sweep: Duration::from_secs(30), ..Policy::default() });
        assert_eq!(agenda.idle(at(0)), None);
        agenda.begin_read(at(0));
        assert_eq!(agenda.end_read(None), idle(30));
        agenda.add(at(20));
        agenda.add(at(25));
        assert_eq!(agenda.idle(at(19)), Some(idle(20)));
        assert_eq!(agenda.idle(at(20)), None);
        agenda.begin_read(at(20));
        assert_eq!(agenda.end_read(Some(at(60))), idle(50));
        assert_eq!(agenda.idle(at(50)), None);
    }

    #[test]
    fn a_time_that_is_added_during_a_read_is_not_forgotten() {
        let agenda = Agenda::default();
        agenda.begin_read(at(0));
        agenda.add(at(5));
        assert_eq!(agenda.end_read(Some(at(7))), idle(5));
        agenda.read();
        assert_eq!(agenda.idle(at(1)), None);
    }
}
