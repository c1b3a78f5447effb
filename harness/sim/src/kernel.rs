//! The kernel: parked calls, virtual time, and one decision at a time.
//!
//! Every call on a simulated port takes a [`turn`](Kernel::turn): it parks until the chooser
//! picks it, and then has its effect at once. When no call is parked, time jumps to the next
//! timer. A run is determined by its decisions: the kernel reads no clock, draws no
//! randomness and keeps nothing in hash order.
//!
//! It knows neither what a call does nor who polls the futures; see [`drive`] and the
//! simulated world for that.

mod wait;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, Waker};

use futures::executor::LocalPool;
use futures::task::LocalSpawnExt;
use ports::Timestamp;
use ports::causality::Causality;

use super::access::Access;
use super::scheduler::{GIVE_UP, Scheduler, SchedulingPoint};

pub use wait::{Sleep, Turn};

/// One of the five ports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Port {
    /// The store.
    Store,
    /// The bus.
    Bus,
    /// HTTP to the outside.
    Http,
}

/// A call on a port, as the chooser sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// Which service instance calls; 0 for the harness itself.
    pub instance: u32,
    /// On whose behalf: calls of one lane come one after the other, as the steps of one
    /// request or of the handling of one event do.
    pub lane: u64,
    /// Which port.
    pub port: Port,
    /// What it does: `insert`, `publish`, `next`, `ack` ...
    pub operation: &'static str,
    /// What it does it to: `database/collection/id`, a subject, a consumer. Two calls on
    /// different targets of one port are independent, as a rule of thumb; the exact rule is
    /// in [`super::scheduler::exhaustive`].
    pub target: String,
    /// Which of the run's calls it is, counted as they park; 0 before that.
    pub number: u64,
}

impl Call {
    /// A call on behalf of whatever is being handled now.
    pub fn new(instance: u32, port: Port, operation: &'static str, target: String) -> Self {
        let digits = |origin: &Causality| u64::from_str_radix(&origin.correlation[..16], 16);
        let origin = Causality::peek(digits).and_then(Result::ok).unwrap_or_default();
        Self { instance, lane: origin ^ u64::from(instance), port, operation, target, number: 0 }
    }
}

/// The kernel of one run. Clones are the same kernel.
#[derive(Clone)]
pub struct Kernel(Arc<Mutex<State>>);

struct State {
    now: Timestamp,
    scheduler: Box<dyn Scheduler>,
    /// In the order in which they parked.
    parked: Vec<Parked>,
    /// Chosen, and not yet polled since.
    granted: Vec<u64>,
    timers: BTreeMap<(Timestamp, u64), Waker>,
    tickets: u64,
    steps: u64,
    decisions: Vec<u32>,
    /// Where somebody wants to know: what went first although others had waited longer.
    watched: Option<Watch>,
    /// Where the chooser wants to know: what the step since the last decision touched.
    accesses: Option<Vec<Access>>,
    /// How often nothing was parked and time went on, or the harness did.
    rests: u64,
    /// Whether the whole system was at rest since the last decision.
    settled: bool,
    /// Whether the chooser has given the run up.
    given_up: bool,
}

/// Somebody who watches a run.
struct Watch {
    /// How far the run is, in the watcher's own measure.
    mark: Box<dyn Fn() -> usize + Send>,
    turned: Vec<Reordering>,
}

/// A decision that was not the polite one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reordering {
    /// Its number among the decisions.
    pub number: u32,
    /// How far the run was then, as whoever watches measures it.
    pub mark: usize,
    /// The call that had waited longest.
    pub waited: Call,
    /// The call that went on in its stead; `None` where time passed.
    pub went: Option<Call>,
}

struct Parked {
    ticket: u64,
    call: Call,
    waker: Waker,
}

/// What one step of the kernel was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Advance {
    /// A parked call was let go on.
    Decided,
    /// Time jumped to a timer.
    Jumped,
    /// Nothing is parked and no timer is set; or too much was already for the run to end by
    /// itself.
    Nothing,
}

impl Kernel {
    /// A kernel at this virtual time, with this chooser.
    pub fn new(start: Timestamp, scheduler: Box<dyn Scheduler>) -> Self {
        Self(Arc::new(Mutex::new(State {
            now: start,
            scheduler,
            parked: Vec::new(),
            granted: Vec::new(),
            timers: BTreeMap::new(),
            tickets: 0,
            steps: 0,
            decisions: Vec::new(),
            watched: None,
            accesses: None,
            rests: 0,
            settled: false,
            given_up: false,
        })))
    }

    /// The virtual time.
    pub fn now(&self) -> Timestamp {
        self.state().now
    }

    /// Parks until the chooser picks this call. What the caller does next, up to its next
    /// turn, happens at that moment. Dropping the future gives the turn up.
    pub fn turn(&self, call: Call) -> Turn {
        Turn { kernel: self.clone(), call: Some(call), ticket: 0 }
    }

    /// Waits until this virtual time.
    pub fn sleep_until(&self, at: Timestamp) -> Sleep {
        Sleep { kernel: self.clone(), at, ticket: None }
    }

    /// Makes one decision; with nothing to decide, lets time jump to the next timer, but not
    /// past `horizon`. What is due by now goes on first, so that it and what is parked meet.
    pub fn advance(&self, horizon: Timestamp) -> Advance {
        let mut state = self.state();
        state.steps += 1;
        if state.given_up {
            return Advance::Nothing;
        }
        let due = state.take_due();
        if !due.is_empty() {
            drop(state);
            due.into_iter().for_each(Waker::wake);
            return Advance::Jumped;
        }
        let timer = state.timers.first_key_value().map(|(&(at, _), _)| at);
        let timer = timer.filter(|&at| at <= horizon);
        let (waker, advance) = match state.decide(timer) {
            Some(waker) => (waker, Advance::Decided),
            None if timer.is_none() || state.given_up => return Advance::Nothing,
            None => {
                let ((at, _), waker) = state.timers.pop_first().expect("it was just seen");
                state.now = state.now.max(at);
                state.rests += u64::from(state.parked.is_empty());
                (waker, Advance::Jumped)
            }
        };
        drop(state);
        waker.wake();
        advance
    }

    /// Whether no call is parked, or none will ever go on.
    pub fn is_stalled(&self) -> bool {
        let state = self.state();
        state.parked.is_empty() || state.given_up
    }

    /// Notes what the step under way touches, where the chooser wants to know.
    pub fn access(&self, what: impl FnOnce() -> Access) {
        if let Some(accesses) = &mut self.state().accesses {
            accesses.push(what());
        }
    }

    /// What the last step touched that the chooser was not told of.
    pub fn take_accesses(&self) -> Vec<Access> {
        self.state().accesses.as_mut().map(std::mem::take).unwrap_or_default()
    }

    /// Whether touches are noted.
    pub fn records_accesses(&self) -> bool {
        self.state().accesses.is_some()
    }

    /// Tells the chooser that the whole system is at rest before what comes next.
    pub fn settled(&self) {
        let mut state = self.state();
        state.rests += 1;
        state.settled = true;
    }

    /// Sets the virtual time forward to `at`, if it is later, without running what was due.
    pub fn jump_to(&self, at: Timestamp) {
        let mut state = self.state();
        state.now = state.now.max(at);
    }

    /// Remembers from now on which decisions were not the polite one, for [`Self::turned`].
    /// `mark` says how far the run is at each, for instance how many records there are; it
    /// must not ask the kernel.
    pub fn watch(&self, mark: impl Fn() -> usize + Send + 'static) {
        let turned = Vec::new();
        self.state().watched = Some(Watch { mark: Box::new(mark), turned });
    }

    /// The decisions since [`Self::watch`] that were not the polite one.
    pub fn turned(&self) -> Vec<Reordering> {
        let state = self.state();
        state.watched.as_ref().map_or_else(Vec::new, |watch| watch.turned.clone())
    }

    /// How many steps there were: decisions, and jumps to a timer.
    pub fn steps(&self) -> u64 {
        self.state().steps
    }

    /// The decisions of this chooser so far, each the position of the chosen call among those
    /// parked; one past the last where time passed instead.
    pub fn decisions(&self) -> Vec<u32> {
        self.state().decisions.clone()
    }

    /// Replaces the chooser, and counts decisions from here; the old one is returned.
    pub fn set_scheduler(&self, scheduler: Box<dyn Scheduler>) -> Box<dyn Scheduler> {
        let mut state = self.state();
        state.decisions.clear();
        state.accesses = scheduler.wants_accesses().then(Vec::new);
        std::mem::replace(&mut state.scheduler, scheduler)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().expect("no panic holds this lock")
    }
}

impl State {
    /// The timers that are due by now.
    fn take_due(&mut self) -> Vec<Waker> {
        let mut due = Vec::new();
        while let Some(timer) = self.timers.first_entry().filter(|timer| timer.key().0 <= self.now)
        {
            due.push(timer.remove());
        }
        due
    }

    /// Lets a parked call go on; `None` where time is to pass instead, to this timer.
    fn decide(&mut self, timer: Option<Timestamp>) -> Option<Waker> {
        if self.parked.is_empty() {
            return None;
        }
        let calls: Vec<&Call> = self.parked.iter().map(|parked| &parked.call).collect();
        let chosen = self.scheduler.choose(&SchedulingPoint {
            parked: &calls,
            timer,
            now: self.now,
            rests: self.rests,
            settled: std::mem::take(&mut self.settled),
            accesses: self.accesses.as_deref().unwrap_or_default(),
        });
        if let Some(accesses) = &mut self.accesses {
            accesses.clear();
        }
        if chosen == GIVE_UP {
            self.given_up = true;
            return None;
        }
        if chosen > 0
            && let Some(watch) = &mut self.watched
        {
            watch.turned.push(Reordering {
                mark: (watch.mark)(),
                number: u32::try_from(self.decisions.len()).expect("a run has few decisions"),
                waited: self.parked[0].call.clone(),
                went: self.parked.get(chosen).map(|parked| parked.call.clone()),
            });
        }
        self.decisions.push(u32::try_from(chosen).expect("few calls are parked at once"));
        if chosen == self.parked.len() && timer.is_some() {
            return None;
        }
        let parked = self.parked.remove(chosen);
        self.granted.push(parked.ticket);
        Some(parked.waker)
    }

    fn ticket(&mut self) -> u64 {
        self.tickets += 1;
        self.tickets
    }
}

/// Runs one future to its end under this kernel, with nothing else around it.
///
/// # Panics
///
/// When the future waits for something that can never come.
pub fn drive<T: 'static>(kernel: &Kernel, work: impl Future<Output = T> + 'static) -> T {
    let mut pool = LocalPool::new();
    let task = pool.spawner().spawn_local_with_handle(work).expect("the pool is open");
    let mut task = std::pin::pin!(task);
    loop {
        pool.run_until_stalled();
        let mut cx = Context::from_waker(Waker::noop());
        if let Poll::Ready(done) = task.as_mut().poll(&mut cx) {
            return done;
        }
        let advance = kernel.advance(Timestamp::MAX);
        assert!(advance != Advance::Nothing, "the simulation is stuck: nothing can ever happen");
    }
}
