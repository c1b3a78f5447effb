//! The kin of a minimal case: its script under other orders of calls, and with a deadline's time
//! at the end.
//!
//! A minimal case has one cause. Its kin show by which other invariants the same cause can be
//! seen, and whether users feel a mechanism that is broken.

use std::collections::{BTreeMap, BTreeSet};

use super::explore::SchedulerChoice;
use crate::case::{Case, FaultPlan, Schedule};
use crate::faults::FaultKind;
use crate::invariants::Violation;
use crate::run::{self, Run};
use crate::script::Then;
use crate::session::RunError;
use crate::shrink::case::Shrunk;
use crate::subject::AnySubject;

/// The number of runs under other orders of calls.
const ORDERS: u64 = 48;

/// The number of runs with faults, where only a mechanism is broken so far.
const FAULTS: u64 = 96;

/// The violations of a minimal case and its kin.
#[derive(Debug, Default)]
pub(super) struct Kin {
    /// The violations, by their shape.
    pub(super) violations: BTreeMap<String, Violation>,
    /// A run in which users feel the mechanism that is broken: the case, and the harm.
    pub(super) harm: Option<(Case, String)>,
}

impl Kin {
    /// Runs the kin of a minimal case; `on_run` is called after each. `faults` are the kinds that
    /// may be injected to find a harm.
    ///
    /// # Errors
    ///
    /// When the harness fails.
    pub(super) fn of(
        subject: &AnySubject,
        shrunk: &Shrunk,
        faults: &BTreeSet<FaultKind>,
        mut on_run: impl FnMut(),
    ) -> Result<Self, RunError> {
        let mut kin = Self::default();
        kin.add(&shrunk.run);
        let case = &shrunk.run.exact;
        let is_harm = subject.is_harm(&shrunk.invariant);
        let faulty = if is_harm || faults.is_empty() { 0 } else { FAULTS };
        for number in 0..ORDERS + faulty {
            let mut other = ordered(case, number);
            if number % 4 == 3 {
                later(subject, &mut other, number / 4);
            }
            if number >= ORDERS {
                other.faults = FaultPlan::Chance(faults.iter().copied().collect());
            }
            let run = run::judge(subject, &other)?;
            on_run();
            // A fault may show another cause: a run with other faults counts only if it breaks
            // the mechanism too.
            let is_kin = number < ORDERS || run.violates(&shrunk.invariant);
            if !is_kin {
                continue;
            }
            if number < ORDERS {
                kin.add(&run);
            }
            let worst = run.violation().filter(|worst| subject.is_harm(&worst.invariant));
            if let (false, None, Some(worst)) = (is_harm, &kin.harm, worst)
                && run.violates(&shrunk.invariant)
            {
                kin.harm = Some((run.exact.clone(), worst.invariant.clone()));
            }
            if number >= ORDERS && kin.harm.is_some() {
                break;
            }
        }
        Ok(kin)
    }

    fn add(&mut self, run: &Run) {
        for violation in &run.violations {
            self.violations.entry(violation.shape()).or_insert_with(|| violation.clone());
        }
    }

    /// Whether one of these runs violated this invariant.
    pub(super) fn violates(&self, invariant: &str) -> bool {
        self.violations.values().any(|violation| violation.invariant == invariant)
    }
}

/// The same case under another order of calls.
fn ordered(case: &Case, number: u64) -> Case {
    let schedule = match number {
        0 => Schedule::Exact(Vec::new()),
        _ => SchedulerChoice::Mixed.schedule(number),
    };
    Case { seed: case.seed.wrapping_add(number), schedule, ..case.clone() }
}

/// Lets a deadline's time pass at the end.
fn later(subject: &AnySubject, case: &mut Case, number: u64) {
    let deadlines = subject.deadlines();
    let turn = usize::try_from(number).unwrap_or(usize::MAX) % deadlines.len().max(1);
    let seconds = deadlines.get(turn).and_then(|time| u32::try_from(time.as_secs()).ok());
    if let (Some(seconds), Some(last)) = (seconds, case.script.rounds.last_mut()) {
        last.then = Then::Pass(seconds);
    }
}
