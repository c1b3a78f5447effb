//! Schedulers: strategies that decide which pending call runs next.
//!
//! All nondeterminism of a run is the list of its scheduler's decisions. A scheduler sees
//! calls, not their arguments, and executes nothing.
//!
//! | scheduler | order |
//! |---|---|
//! | [`Fifo`] | the call that has waited longest |
//! | [`Random`] | uniformly random, from a seed |
//! | [`Pct`] | random priorities with a bounded number of changes |
//! | [`exhaustive`] | every order that can make a difference, one run at a time |
//! | [`Replay`] | a recorded order |

mod decision;
pub mod exhaustive;
mod fifo;
mod interface;
mod pct;
mod random;
mod replay;

pub use decision::{Decision, InvalidDecision};
pub use fifo::Fifo;
pub use interface::{Scheduler, SchedulingPoint};
pub use pct::Pct;
pub use random::Random;
pub use replay::Replay;
