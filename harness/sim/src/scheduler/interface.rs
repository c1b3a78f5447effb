//! The interface between the kernel and its schedulers.

use ports::Timestamp;

use super::decision::Decision;
use crate::access::Access;
use crate::call::Call;

/// The state of a run in which a decision is due.
#[derive(Debug, Clone, Copy)]
pub struct SchedulingPoint<'a> {
    /// The pending calls, oldest first; at least one.
    pub pending: &'a [Call],
    /// The next timer; `None` where time cannot advance.
    pub timer: Option<Timestamp>,
    /// The virtual time.
    pub now: Timestamp,
    /// The number of times that no call was left pending and the run continued, because time
    /// advanced or the harness acted.
    pub quiescent_count: u64,
    /// Whether the harness has noted since the last decision that the whole system is
    /// quiescent.
    pub is_quiescent: bool,
    /// The accesses of the step since the last decision; empty unless the scheduler
    /// [wants](Scheduler::wants_accesses) them.
    pub accesses: &'a [Access],
}

impl<'a> SchedulingPoint<'a> {
    /// These calls at the Unix epoch, with no timer.
    pub fn new(pending: &'a [Call]) -> Self {
        Self {
            pending,
            timer: None,
            now: Timestamp::UNIX_EPOCH,
            quiescent_count: 0,
            is_quiescent: false,
            accesses: &[],
        }
    }
}

/// Makes the decisions of a run.
///
/// ```
/// use sim::scheduler::{Decision, Scheduler, SchedulingPoint};
///
/// /// The call that has waited least.
/// struct Lifo;
///
/// impl Scheduler for Lifo {
///     fn decide(&mut self, point: &SchedulingPoint<'_>) -> Decision {
///         Decision::Run(point.pending.len() as u32 - 1)
///     }
/// }
/// ```
pub trait Scheduler: Send {
    /// The next decision. A call must be one of the pending calls, and time can advance only
    /// where a timer is set; the kernel panics otherwise.
    fn decide(&mut self, point: &SchedulingPoint<'_>) -> Decision;

    /// Whether the kernel records the accesses of each step for this scheduler.
    fn wants_accesses(&self) -> bool {
        false
    }
}
