//! Who decides: a chooser picks what goes on next.
//!
//! All nondeterminism of a run is the list of a chooser's answers. A chooser sees calls, not
//! what they carry, and executes nothing.

pub mod exhaustive;
mod pct;
mod random;
mod replay;

use ports::Timestamp;

use super::access::Access;
use super::kernel::Call;

pub use exhaustive::Exhaustive;
pub use pct::Pct;
pub use random::Random;
pub use replay::Replay;

/// What could go on next.
#[derive(Debug, Clone, Copy)]
pub struct SchedulingPoint<'a> {
    /// The parked calls, oldest first; never none.
    pub parked: &'a [&'a Call],
    /// The next timer, where time may pass before any of them goes on.
    pub timer: Option<Timestamp>,
    /// The virtual time.
    pub now: Timestamp,
    /// How often everything has played out so far, before time or the harness went on.
    pub rests: u64,
    /// Whether the whole system was at rest since the last decision.
    pub settled: bool,
    /// What happened since the last decision touched, for a curious chooser.
    pub accesses: &'a [Access],
}

impl<'a> SchedulingPoint<'a> {
    /// These calls at the beginning of time, with no timer.
    pub fn new(parked: &'a [&'a Call]) -> Self {
        let now = Timestamp::UNIX_EPOCH;
        Self { parked, timer: None, now, rests: 0, settled: false, accesses: &[] }
    }
}

/// What a chooser answers that gives the run up: nothing goes on any more.
pub const GIVE_UP: usize = usize::MAX;

/// Makes the decisions of a run.
pub trait Scheduler: Send {
    /// The position of the call that goes on; one past the last for time to pass instead,
    /// where there is a timer.
    fn choose(&mut self, moment: &SchedulingPoint<'_>) -> usize;

    /// Whether it wants to know what steps touch.
    fn wants_accesses(&self) -> bool {
        false
    }
}

/// Always the call that has waited longest: the polite order.
#[derive(Debug, Clone, Copy, Default)]
pub struct Fifo;

impl Scheduler for Fifo {
    fn choose(&mut self, _moment: &SchedulingPoint<'_>) -> usize {
        0
    }
}
