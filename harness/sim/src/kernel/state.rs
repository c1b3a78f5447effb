//! The kernel's state: pending calls, timers and the decisions so far.
//!
//! It wakes no task: wakers are returned to the caller, which wakes them without the lock.

use std::collections::BTreeMap;
use std::task::Waker;

use ports::Timestamp;

use super::watch::Watch;
use crate::access::Access;
use crate::call::Call;
use crate::scheduler::{Decision, Scheduler, SchedulingPoint};

pub(super) struct State {
    pub(super) now: Timestamp,
    pub(super) seed: u64,
    pub(super) scheduler: Box<dyn Scheduler>,
    pub(super) pending: Pending,
    /// The numbers of the calls that were released and not polled since.
    granted: Vec<u64>,
    pub(super) timers: BTreeMap<(Timestamp, u64), Waker>,
    tickets: u64,
    pub(super) steps: u64,
    pub(super) decisions: Vec<Decision>,
    pub(super) watch: Option<Watch>,
    /// The accesses since the last decision; `None` where the scheduler does not want them.
    pub(super) accesses: Option<Vec<Access>>,
    /// See [`SchedulingPoint::quiescent_count`].
    pub(super) quiescent_count: u64,
    /// See [`SchedulingPoint::is_quiescent`].
    pub(super) is_quiescent: bool,
    /// Whether the scheduler has stopped the run.
    pub(super) stopped: bool,
    /// The times that passed while calls were pending: from and to.
    pub(super) hurried: Vec<(Timestamp, Timestamp)>,
}

/// The pending calls, oldest first. The wakers are apart, so that a scheduler borrows the calls
/// as they are.
#[derive(Default)]
pub(super) struct Pending {
    calls: Vec<Call>,
    wakers: Vec<Waker>,
}

impl Pending {
    pub(super) fn is_empty(&self) -> bool {
        self.calls.is_empty()
    }

    fn position(&self, number: u64) -> Option<usize> {
        self.calls.iter().position(|call| call.number == number)
    }

    fn remove(&mut self, position: usize) -> (Call, Waker) {
        (self.calls.remove(position), self.wakers.remove(position))
    }
}

impl State {
    pub(super) fn new(start: Timestamp, scheduler: Box<dyn Scheduler>) -> Self {
        Self {
            now: start,
            seed: 0,
            accesses: scheduler.wants_accesses().then(Vec::new),
            scheduler,
            pending: Pending::default(),
            granted: Vec::new(),
            timers: BTreeMap::new(),
            tickets: 0,
            steps: 0,
            decisions: Vec::new(),
            watch: None,
            quiescent_count: 0,
            is_quiescent: false,
            stopped: false,
            hurried: Vec::new(),
        }
    }

    /// A number for a call or a timer, unique in the run.
    pub(super) fn ticket(&mut self) -> u64 {
        self.tickets += 1;
        self.tickets
    }

    /// Adds a pending call and returns its number.
    pub(super) fn park(&mut self, mut call: Call, waker: Waker) -> u64 {
        call.number = self.ticket();
        let number = call.number;
        self.pending.calls.push(call);
        self.pending.wakers.push(waker);
        number
    }

    /// Whether the call was released; if so, its grant is used up.
    pub(super) fn take_grant(&mut self, number: u64) -> bool {
        let at = self.granted.iter().position(|&granted| granted == number);
        at.map(|at| self.granted.swap_remove(at)).is_some()
    }

    pub(super) fn update_waker(&mut self, number: u64, waker: &Waker) {
        if let Some(at) = self.pending.position(number) {
            self.pending.wakers[at].clone_from(waker);
        }
    }

    /// Removes a call whose future was dropped.
    pub(super) fn withdraw(&mut self, number: u64) {
        if let Some(at) = self.pending.position(number) {
            self.pending.remove(at);
        }
        self.granted.retain(|&granted| granted != number);
    }

    pub(super) fn take_due(&mut self) -> Vec<Waker> {
        let mut due = Vec::new();
        while let Some(timer) = self.timers.first_entry().filter(|timer| timer.key().0 <= self.now)
        {
            due.push(timer.remove());
        }
        due
    }

    pub(super) fn next_timer(&self) -> Option<Timestamp> {
        self.timers.first_key_value().map(|(&(at, _), _)| at)
    }

    /// Asks the scheduler for a decision, and records it.
    pub(super) fn decide(&mut self, timer: Option<Timestamp>) -> Decision {
        let decision = self.scheduler.decide(&SchedulingPoint {
            pending: &self.pending.calls,
            timer,
            now: self.now,
            quiescent_count: self.quiescent_count,
            is_quiescent: std::mem::take(&mut self.is_quiescent),
            accesses: self.accesses.as_deref().unwrap_or_default(),
        });
        if let Some(accesses) = &mut self.accesses {
            accesses.clear();
        }
        match decision {
            Decision::Run(position) => assert!(
                (position as usize) < self.pending.calls.len(),
                "the scheduler picked call {position} of {}",
                self.pending.calls.len()
            ),
            Decision::AdvanceTime => {
                assert!(timer.is_some(), "the scheduler advanced time, but no timer is set");
            }
            Decision::Stop => {
                self.stopped = true;
                return decision;
            }
        }
        if let Some(watch) = &mut self.watch {
            watch.note(self.decisions.len(), decision, &self.pending.calls, timer);
        }
        self.decisions.push(decision);
        decision
    }

    /// Releases a pending call, and returns its waker.
    pub(super) fn release(&mut self, position: u32) -> Waker {
        let (call, waker) = self.pending.remove(position as usize);
        self.granted.push(call.number);
        waker
    }

    /// Advances time to the next timer, and returns its waker.
    pub(super) fn jump(&mut self) -> Waker {
        let ((at, _), waker) = self.timers.pop_first().expect("time advances to a timer");
        if at > self.now {
            if !self.pending.is_empty() {
                self.hurried.push((self.now, at));
            }
            self.now = at;
        }
        waker
    }
}
