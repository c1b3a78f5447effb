//! Exhaustive search: depth first over all schedules of a small scope, except for those that
//! differ from an explored schedule only in the order of independent steps.
//!
//! The search is stateless: [`Search`] runs the scope again and again, each time with a
//! scheduler that repeats the decisions up to the last point with an untried alternative, takes
//! that alternative, and from there on the oldest call that is not asleep. The algorithm is
//! source-set dynamic partial order reduction:
//!
//! - **Races** (Flanagan and Godefroid, "Dynamic partial-order reduction for model checking
//!   software", POPL 2005). Nothing is branched on in advance. In an executed run, two steps
//!   race if they are dependent, neither caused the other, and no step in between orders them.
//!   Only for a race does the search return to the decision of the earlier step, to run the
//!   later one first. See `races.rs`.
//! - **Source sets** (Abdulla, Aronis, Jonsson and Sagonas, "Optimal dynamic partial order
//!   reduction", POPL 2014, algorithm 1). The alternative is any first step towards the
//!   reversed race, and there is none to add where such a step is an alternative already.
//! - **Sleep sets** (Godefroid, "Partial-order methods for the verification of concurrent
//!   systems", 1996). A call that was explored at a decision sleeps in the later branches of
//!   that decision until a step depends on it: before that, it would only repeat an explored
//!   schedule. A run in which every pending call sleeps is stopped.
//! - **Quiescence.** Time passes only when no call is pending, so no step after that can be
//!   swapped with a step before it: no race crosses it. Where moreover the whole system is
//!   quiescent, and the same durable changes led there in the same order as in an earlier run,
//!   everything that can follow was explored from there: such a run is scheduled FIFO to its
//!   end and judged, and nothing in the rest of it is branched on. See `quiescence.rs`.
//!
//! **Soundness.** By theorem 5 of Abdulla et al. the search explores one run of each equivalence
//! class, provided that the happens-before relation is a valid assignment: steps that it leaves
//! unordered lead to the same state in both orders, and stay unordered when other steps are
//! swapped around them. [`independence`] is written for that property, and the tests hold it to
//! account: they compare the outcomes of random small programs with and without reduction.
//!
//! **Hash compaction.** Resources and quiescent states are identified by 64-bit digests, so
//! "complete" means complete up to a collision. Among `n` digests the probability of any
//! collision is below n²/2⁶⁵: for a scope of 10⁵ quiescent states about 3·10⁻¹⁰, and for the
//! 10³ resources of a run about 3·10⁻¹⁴. A collision of resources only adds dependences; a
//! collision of states can hide schedules.
//!
//! The search injects no faults and advances no time while calls are pending.

mod counts;
pub mod independence;
mod node;
mod quiescence;
mod races;
#[cfg(test)]
mod tests;
mod tree;

use std::sync::Arc;

use parking_lot::{Mutex, MutexGuard};

use super::decision::Decision;
use super::interface::{Scheduler, SchedulingPoint};
use crate::access::Access;
use independence::Coupling;
use tree::Tree;

pub use counts::Counts;

/// A depth-first search over the schedules of a scope. Clones share the same search.
///
/// One run: take a [`scheduler`](Self::scheduler), run the scope under it, hand the last
/// accesses to [`end`](Self::end), then [`go_back`](Self::go_back) until it returns `false`.
#[derive(Clone)]
pub struct Search(Arc<Mutex<Tree>>);

impl Search {
    /// A search that has explored nothing.
    pub fn new(coupling: Coupling) -> Self {
        Self(Arc::new(Mutex::new(Tree::new(coupling, true))))
    }

    /// A search without reduction: every schedule, and so for the smallest scopes only.
    pub fn without_reduction() -> Self {
        Self(Arc::new(Mutex::new(Tree::new(Coupling::Free, false))))
    }

    /// The scheduler of the next run.
    ///
    /// # Panics
    ///
    /// The scheduler panics when a run does not repeat the previous one up to the decision at
    /// which they part: something is nondeterministic outside the kernel.
    pub fn scheduler(&self) -> Box<dyn Scheduler> {
        self.tree().begin();
        Box::new(Exhaustive(self.clone()))
    }

    /// Ends the run; `accesses` are those since its last decision
    /// ([`Kernel::take_accesses`](crate::kernel::Kernel::take_accesses)). Returns whether the
    /// run reached its end and is to be judged.
    pub fn end(&self, accesses: &[Access]) -> bool {
        self.tree().end(accesses)
    }

    /// Returns to the last decision with an untried alternative; `false` where there is none,
    /// so that the scope is complete.
    pub fn go_back(&self) -> bool {
        self.tree().go_back()
    }

    /// The statistics so far.
    pub fn counts(&self) -> Counts {
        self.tree().counts
    }

    fn tree(&self) -> MutexGuard<'_, Tree> {
        self.0.lock()
    }
}

/// The scheduler of one run of a [`Search`].
struct Exhaustive(Search);

impl Scheduler for Exhaustive {
    fn decide(&mut self, point: &SchedulingPoint<'_>) -> Decision {
        self.0.tree().choose(point).map_or(Decision::Stop, Decision::run)
    }

    fn wants_accesses(&self) -> bool {
        self.0.tree().reduces
    }
}
