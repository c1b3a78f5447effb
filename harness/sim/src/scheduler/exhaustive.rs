//! Exhaustive search: depth first over all schedules of a small scope, without those that
//! differ from one seen before only in the order of independent steps.
//!
//! A run is stateless: [`Search`] runs the scope again and again, each time with an
//! [`Exhaustive`] chooser that repeats the decisions up to the last point where something is
//! left to try, tries it, and then takes what it likes. The algorithm is source-set dynamic
//! partial order reduction:
//!
//! - **Races** (Flanagan and Godefroid, «Dynamic partial-order reduction for model checking
//!   software», POPL 2005). Nothing is branched on in advance. In the run as it happened, two
//!   steps race if they depend on each other, neither was caused by the other, and nothing in
//!   between orders them. Only a race makes it worth coming back to the earlier step's decision
//!   and letting the later one go first. See `races.rs`.
//! - **Source sets** (Abdulla, Aronis, Jonsson and Sagonas, «Optimal dynamic partial order
//!   reduction», POPL 2014, algorithm 1). What to try instead is any first step of the way to
//!   the reversed race, and nothing where one of these is to be tried already.
//! - **Sleep sets** (Godefroid, «Partial-order methods for the verification of concurrent
//!   systems», 1996). What was tried at a decision sleeps in its later branches until a step
//!   that depends on it: before that it would only repeat what was seen. A run in which all
//!   that is parked sleeps is given up.
//! - **Rests.** Time passes only when nothing is parked, so nothing that happens after that can
//!   be swapped with what happened before: no race crosses it. Where moreover the whole system
//!   is at rest, and everything was brought to where it is by the same lasting changes in the
//!   same order as in a run before, whatever can come after was tried from there already: such
//!   a run goes on politely to its end and is judged, and nothing in the rest of it is branched
//!   on. See `rest.rs`.
//!
//! **Soundness.** By theorem 5 of Abdulla et al. a run of each equivalence class is seen,
//! provided that «happens before» is a valid assignment: that steps which the relation leaves
//! unordered lead to the same state in both orders, and stay unordered whatever else is swapped
//! around them. That is what [`independence`] is written for; it is held to account by tests
//! that compare the final states of random small programs with and without reduction.
//!
//! What it does not do: it decides no faults, and lets no time pass while calls are parked.

pub mod independence;
mod races;
mod rest;
#[cfg(test)]
mod tests;
mod tree;

use std::sync::{Arc, Mutex, MutexGuard};

use super::{GIVE_UP, Scheduler, SchedulingPoint};
use crate::kernel::Kernel;
use independence::Coupling;
use tree::Tree;

/// What a search has seen and spared so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Runs that were seen to their end.
    pub visited: u64,
    /// Of these, those that came to rest where one before had, and were not branched on after.
    pub joined: u64,
    /// Runs that were given up, because all that could come was seen.
    pub given_up: u64,
    /// Decisions that were made for the first time: states of the system seen on the way.
    pub states: u64,
    /// Choices that were not tried because they race with nothing.
    pub raceless: u64,
    /// Choices that were not tried because they slept.
    pub asleep: u64,
    /// The decisions of the longest run.
    pub longest: usize,
}

/// A depth-first search over the schedules of a scope. Clones are the same search.
#[derive(Clone)]
pub struct Search(Arc<Mutex<Tree>>);

impl Search {
    /// A search that has seen nothing.
    pub fn new(coupling: Coupling) -> Self {
        Self(Arc::new(Mutex::new(Tree::new(coupling, true))))
    }

    /// A search that spares nothing: every schedule, and so for the smallest of scopes only.
    pub fn without_reduction() -> Self {
        Self(Arc::new(Mutex::new(Tree::new(Coupling::Free, false))))
    }

    /// Who decides in the next run.
    pub fn scheduler(&self) -> Box<dyn Scheduler> {
        self.tree().begin();
        Box::new(Exhaustive(self.clone()))
    }

    /// Takes in the end of the run; returns whether it was seen to its end, and is to be
    /// judged.
    ///
    /// # Panics
    ///
    /// When the run was not the same as the one before up to where they part: something is
    /// decided outside the kernel.
    pub fn end(&self, kernel: &Kernel) -> bool {
        self.tree().end(&kernel.take_accesses())
    }

    /// Goes back to the last decision at which something is left to try; `false` where there
    /// is none: the scope is complete.
    pub fn go_back(&self) -> bool {
        self.tree().go_back()
    }

    /// What it has seen so far.
    pub fn counts(&self) -> Counts {
        self.tree().counts
    }

    fn tree(&self) -> MutexGuard<'_, Tree> {
        self.0.lock().expect("no panic holds this lock")
    }
}

/// The chooser of one run of a [`Search`].
pub struct Exhaustive(Search);

impl Scheduler for Exhaustive {
    fn choose(&mut self, moment: &SchedulingPoint<'_>) -> usize {
        self.0.tree().choose(moment).unwrap_or(GIVE_UP)
    }

    fn wants_accesses(&self) -> bool {
        true
    }
}
