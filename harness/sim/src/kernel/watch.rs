//! The decisions of a run with what else could have happened, for explanations of it.

use ports::Timestamp;

use crate::call::Call;
use crate::scheduler::Decision;

/// A decision, and what else could have been decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// The number of the decision in its run, from 0.
    pub number: u32,
    /// The progress of the run at that decision, as measured by the `mark` of
    /// [`Kernel::watch`](crate::kernel::Kernel::watch).
    pub mark: usize,
    /// The calls that were pending; the first had waited longest.
    pub pending: Vec<Call>,
    /// The next timer, to which time could advance instead.
    pub timer: Option<Timestamp>,
    /// The decision.
    pub decision: Decision,
}

impl Choice {
    /// True if it deviates from FIFO.
    pub fn is_reordering(&self) -> bool {
        self.decision != Decision::FIFO
    }

    /// The call that had waited longest.
    pub fn waited(&self) -> &Call {
        &self.pending[0]
    }

    /// The call that ran; `None` where time advanced.
    pub fn went(&self) -> Option<&Call> {
        match self.decision {
            Decision::Run(position) => Some(&self.pending[position as usize]),
            Decision::AdvanceTime | Decision::Stop => None,
        }
    }
}

/// The recorder of one run.
pub(super) struct Watch {
    mark: Box<dyn Fn() -> usize + Send>,
    choices: Vec<Choice>,
}

impl Watch {
    pub(super) fn new(mark: Box<dyn Fn() -> usize + Send>) -> Self {
        Self { mark, choices: Vec::new() }
    }

    pub(super) fn choices(&self) -> &[Choice] {
        &self.choices
    }

    pub(super) fn note(
        &mut self,
        number: usize,
        decision: Decision,
        pending: &[Call],
        timer: Option<Timestamp>,
    ) {
        self.choices.push(Choice {
            number: u32::try_from(number).expect("a run has fewer than 2^32 decisions"),
            mark: (self.mark)(),
            pending: pending.to_vec(),
            timer,
            decision,
        });
    }
}
