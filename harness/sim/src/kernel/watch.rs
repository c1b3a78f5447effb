//! Decisions that deviate from FIFO, recorded for explanations of a run.

use crate::call::Call;
use crate::scheduler::Decision;

/// A decision that deviates from FIFO.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reordering {
    /// The number of the decision in its run, from 0.
    pub number: u32,
    /// The progress of the run at that decision, as measured by the `mark` of
    /// [`Kernel::watch`](crate::kernel::Kernel::watch).
    pub mark: usize,
    /// The call that had waited longest.
    pub waited: Call,
    /// The call that ran instead; `None` where time advanced.
    pub went: Option<Call>,
}

/// The recorder of one run.
pub(super) struct Watch {
    mark: Box<dyn Fn() -> usize + Send>,
    reorderings: Vec<Reordering>,
}

impl Watch {
    pub(super) fn new(mark: Box<dyn Fn() -> usize + Send>) -> Self {
        Self { mark, reorderings: Vec::new() }
    }

    pub(super) fn reorderings(&self) -> &[Reordering] {
        &self.reorderings
    }

    /// Records the decision among these pending calls, unless it is FIFO's.
    pub(super) fn note(&mut self, number: usize, decision: Decision, pending: &[Call]) {
        let went = match decision {
            Decision::FIFO | Decision::Stop => return,
            Decision::Run(position) => Some(pending[position as usize].clone()),
            Decision::AdvanceTime => None,
        };
        self.reorderings.push(Reordering {
            number: u32::try_from(number).expect("a run has fewer than 2^32 decisions"),
            mark: (self.mark)(),
            waited: pending[0].clone(),
            went,
        });
    }
}
