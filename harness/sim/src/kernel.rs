//! The kernel: pending calls, virtual time, and one decision at a time.
//!
//! Every call on a simulated port becomes pending in [`Kernel::step`], waits until the
//! scheduler picks it, and then takes effect at once. When no call is pending, time jumps to
//! the next timer. The decisions determine a run: the kernel reads no clock, draws no
//! randomness and iterates over nothing in hash order.
//!
//! The kernel neither knows the effect of a call nor polls futures. [`drive`] polls a single
//! future; a world with many tasks has its own executor and calls [`Kernel::advance`] whenever
//! no task can make progress.

mod state;
mod wait;
mod watch;

use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use futures::executor::LocalPool;
use futures::task::LocalSpawnExt;
use parking_lot::{Mutex, MutexGuard};
use ports::Timestamp;

use crate::access::Access;
use crate::call::Call;
use crate::scheduler::{Decision, Scheduler};
use state::State;

pub use wait::{Sleep, Step};
pub use watch::Choice;

/// The kernel of one run. Clones share the same state.
#[derive(Clone)]
pub struct Kernel(Arc<Mutex<State>>);

/// The result of [`Kernel::advance`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Advance {
    /// A pending call was released.
    Decided,
    /// Time jumped to a timer, or timers that were already due fired.
    Jumped,
    /// Nothing can happen up to the horizon, or the scheduler stopped the run.
    Nothing,
}

impl Kernel {
    /// A kernel at this virtual time.
    pub fn new(start: Timestamp, scheduler: Box<dyn Scheduler>) -> Self {
        Self(Arc::new(Mutex::new(State::new(start, scheduler))))
    }

    /// The virtual time.
    pub fn now(&self) -> Timestamp {
        self.state().now
    }

    /// Makes the call pending and waits until the scheduler picks it. The code that follows, up
    /// to the caller's next `step`, runs at that moment. Dropping the future withdraws the call.
    pub fn step(&self, call: Call) -> Step {
        Step::new(Arc::clone(&self.0), call)
    }

    /// Waits until this virtual time.
    pub fn sleep_until(&self, at: Timestamp) -> Sleep {
        Sleep::new(Arc::clone(&self.0), at)
    }

    /// Makes one decision or, where none is due, lets time jump to the next timer, but not past
    /// `horizon`. Timers that are already due fire before the decision, so that their tasks
    /// compete with the pending calls.
    ///
    /// # Panics
    ///
    /// When the scheduler picks a call that is not pending, or advances time without a timer.
    pub fn advance(&self, horizon: Timestamp) -> Advance {
        let mut state = self.state();
        state.steps += 1;
        if state.stopped {
            return Advance::Nothing;
        }
        let due = state.take_due();
        if !due.is_empty() {
            drop(state);
            due.into_iter().for_each(Waker::wake);
            return Advance::Jumped;
        }
        let timer = state.next_timer().filter(|&at| at <= horizon);
        let decision = if state.pending.is_empty() {
            state.quiescent_count += u64::from(timer.is_some());
            timer.map(|_| Decision::AdvanceTime)
        } else {
            Some(state.decide(timer))
        };
        let (waker, advance) = match decision {
            Some(Decision::Run(position)) => (state.release(position), Advance::Decided),
            Some(Decision::AdvanceTime) => (state.jump(), Advance::Jumped),
            Some(Decision::Stop) | None => return Advance::Nothing,
        };
        drop(state);
        waker.wake();
        advance
    }

    /// Whether no call is pending, or none will ever be released.
    pub fn is_stalled(&self) -> bool {
        let state = self.state();
        state.pending.is_empty() || state.stopped
    }

    /// Records an access of the current step, where the scheduler wants accesses.
    pub fn access(&self, access: impl FnOnce() -> Access) {
        if let Some(accesses) = &mut self.state().accesses {
            accesses.push(access());
        }
    }

    /// Takes the accesses recorded since the last decision.
    pub fn take_accesses(&self) -> Vec<Access> {
        self.state().accesses.as_mut().map(std::mem::take).unwrap_or_default()
    }

    /// Whether accesses are recorded.
    pub fn records_accesses(&self) -> bool {
        self.state().accesses.is_some()
    }

    /// Notes for the scheduler that the whole system is quiescent before whatever comes next.
    pub fn note_quiescence(&self) {
        let mut state = self.state();
        state.quiescent_count += 1;
        state.is_quiescent = true;
    }

    /// Advances the virtual time to `at`, unless it is later already. Timers that become due
    /// fire at the next [`Self::advance`].
    pub fn jump_to(&self, at: Timestamp) {
        let mut state = self.state();
        state.now = state.now.max(at);
    }

    /// The times that passed because the scheduler advanced time while calls were pending, from
    /// and to: no service is to blame for them.
    pub fn hurried(&self) -> Vec<(Timestamp, Timestamp)> {
        self.state().hurried.clone()
    }

    /// Records from now on every decision with what was pending, for [`Self::choices`].
    /// `mark` measures the progress of the run at each of them, for example as the number of
    /// trace records; it must not call the kernel.
    pub fn watch(&self, mark: impl Fn() -> usize + Send + 'static) {
        self.state().watch = Some(watch::Watch::new(Box::new(mark)));
    }

    /// The decisions since [`Self::watch`].
    pub fn choices(&self) -> Vec<Choice> {
        let state = self.state();
        state.watch.as_ref().map_or_else(Vec::new, |watch| watch.choices().to_vec())
    }

    /// The number of calls of [`Self::advance`] so far, which bounds a run that never becomes
    /// quiescent.
    pub fn steps(&self) -> u64 {
        self.state().steps
    }

    /// The decisions of the current scheduler so far.
    pub fn decisions(&self) -> Vec<Decision> {
        self.state().decisions.clone()
    }

    /// Forgets the decisions so far, which a world that goes on without end must not keep.
    pub fn forget_decisions(&self) {
        self.state().decisions.clear();
    }

    /// Replaces the scheduler and returns the previous one. Decisions are numbered anew.
    pub fn set_scheduler(&self, scheduler: Box<dyn Scheduler>) -> Box<dyn Scheduler> {
        let mut state = self.state();
        state.decisions.clear();
        state.accesses = scheduler.wants_accesses().then(Vec::new);
        std::mem::replace(&mut state.scheduler, scheduler)
    }

    /// The seed of the randomness that services draw; 0 until it is set.
    pub fn seed(&self) -> u64 {
        self.state().seed
    }

    /// Replaces the seed and returns the previous one.
    pub fn set_seed(&self, seed: u64) -> u64 {
        std::mem::replace(&mut self.state().seed, seed)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock()
    }
}

/// Runs one future to completion under this kernel.
///
/// # Panics
///
/// When the future waits for something that can never happen.
pub fn drive<T: 'static>(kernel: &Kernel, work: impl Future<Output = T> + 'static) -> T {
    let mut pool = LocalPool::new();
    let task = pool.spawner().spawn_local_with_handle(work).expect("the pool accepts tasks");
    let mut task = std::pin::pin!(task);
    loop {
        pool.run_until_stalled();
        let mut cx = Context::from_waker(Waker::noop());
        if let Poll::Ready(output) = task.as_mut().poll(&mut cx) {
            return output;
        }
        let advance = kernel.advance(Timestamp::MAX);
        assert!(advance != Advance::Nothing, "deadlock: no call is pending and no timer is set");
    }
}
