//! Who decides: a chooser picks what goes on next.
//!
//! All nondeterminism of a run is the list of a chooser's answers. A chooser sees calls, not
//! what they carry, and executes nothing.

mod pct;
mod random;
mod replay;

use platform::Timestamp;

use super::kernel::Call;

pub use pct::Pct;
pub use random::Random;
pub use replay::Replay;

/// What could go on next.
#[derive(Debug, Clone, Copy)]
pub struct Moment<'a> {
    /// The parked calls, oldest first; never none.
    pub parked: &'a [&'a Call],
    /// The next timer, where time may pass before any of them goes on.
    pub timer: Option<Timestamp>,
}

/// Makes the decisions of a run.
pub trait Chooser: Send {
    /// The position of the call that goes on; one past the last for time to pass instead,
    /// where there is a timer.
    fn choose(&mut self, moment: &Moment<'_>) -> usize;
}

/// Always the call that has waited longest: the polite order.
#[derive(Debug, Clone, Copy, Default)]
pub struct InOrder;

impl Chooser for InOrder {
    fn choose(&mut self, _moment: &Moment<'_>) -> usize {
        0
    }
}
