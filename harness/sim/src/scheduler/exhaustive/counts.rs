//! The statistics of a search.

/// The statistics of a search.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Runs that reached their end.
    pub visited: u64,
    /// Those among them that reached a known quiescent state, and were not branched on after it.
    pub joined: u64,
    /// Runs that were stopped because every continuation was explored before.
    pub given_up: u64,
    /// Decisions made for the first time: the states of the system that were reached.
    pub states: u64,
    /// Alternatives that were not tried because they race with nothing.
    pub raceless: u64,
    /// Alternatives that were not tried because they slept.
    pub asleep: u64,
    /// The number of decisions of the longest run.
    pub longest: usize,
}
