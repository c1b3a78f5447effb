//! The kin of a minimal case: its script under other orders of calls, and with a deadline's time
//! at the end.
//!
//! A minimal case has one cause. Its kin show by which other invariants the same cause can be
//! seen, and whether users feel a mechanism that is broken.

use std::collections::BTreeMap;

use super::explore::SchedulerChoice;
use crate::case::{Case, FaultPlan, Schedule};
use crate::faults::{Effect, FaultKind, FaultRule, Operation};
use crate::invariants::Violation;
use crate::run::{self, Run};
use crate::script::Then;
use crate::session::RunError;
use crate::shrink::case::Shrunk;
use crate::subject::AnySubject;

/// The number of runs under other orders of calls.
const ORDERS: u64 = 48;

/// The most runs with one more fault, where only a mechanism is broken so far.
const FAULTS: usize = 240;

/// The effects of one more fault, in the order in which they are tried.
const EFFECTS: [Effect; 4] =
    [Effect::CrashBefore, Effect::Fail, Effect::LoseAck, Effect::Redeliver];

/// The violations of a minimal case and its kin.
#[derive(Debug, Default)]
pub(super) struct Kin {
    /// The violations, by their shape.
    pub(super) violations: BTreeMap<String, Violation>,
    /// A run in which users feel the mechanism that is broken: the case, and the harm.
    pub(super) harm: Option<(Case, String)>,
}

impl Kin {
    /// Runs the kin of a minimal case; `on_run` is called after each. Where users do not feel what
    /// is broken, further runs have one more fault of these kinds.
    ///
    /// # Errors
    ///
    /// When the harness fails.
    pub(super) fn of(
        subject: &AnySubject,
        shrunk: &Shrunk,
        faults: &[FaultKind],
        mut on_run: impl FnMut(),
    ) -> Result<Self, RunError> {
        let mut kin = Self::default();
        kin.add(&shrunk.run);
        let mut judge = |case: &Case| {
            let run = run::judge(subject, case);
            on_run();
            run
        };
        let is_felt = subject.is_harm(&shrunk.invariant);
        let harm = |run: &Run| {
            let worst = run.violation().filter(|worst| subject.is_harm(&worst.invariant))?;
            // Another fault may show another cause: the mechanism must be broken in this run too.
            let is_kin = !is_felt && run.violates(&shrunk.invariant);
            is_kin.then(|| (run.exact.clone(), worst.invariant.clone()))
        };
        for number in 0..ORDERS {
            let mut other = ordered(&shrunk.run.exact, number);
            if number % 4 == 3 {
                later(subject, &mut other, number / 4);
            }
            let run = judge(&other)?;
            kin.add(&run);
            kin.harm = kin.harm.or_else(|| harm(&run));
        }
        if is_felt {
            return Ok(kin);
        }
        for other in disturbed(&shrunk.run, faults) {
            if kin.harm.is_some() {
                break;
            }
            kin.harm = harm(&judge(&other)?);
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

/// The order in which calls are disturbed: those that change something come first.
fn rank(operation: Operation) -> u8 {
    match operation {
        Operation::Write => 0,
        Operation::Ack => 1,
        Operation::Publish | Operation::Send => 2,
        Operation::Deliver | Operation::Nak => 3,
        Operation::Read | Operation::Open => 4,
    }
}

/// The same case with one more fault, at each of its calls.
fn disturbed(run: &Run, kinds: &[FaultKind]) -> impl Iterator<Item = Case> {
    let places = run.places.iter().flat_map(move |(service, operation, target, calls)| {
        let effects = EFFECTS.into_iter().filter(|effect| {
            FaultKind::of(*operation, *effect).is_some_and(|kind| kinds.contains(&kind))
        });
        effects.flat_map(move |effect| {
            (0..*calls).map(move |skip| FaultRule {
                service: Some((*service).to_owned()),
                operation: *operation,
                target: Some(target.clone()),
                skip,
                times: 1,
                effect,
            })
        })
    });
    let with = move |rule: FaultRule| {
        let rules = run.injected().iter().cloned().chain([rule]).collect();
        Case { faults: FaultPlan::Exact(rules), ..run.exact.clone() }
    };
    let mut rules: Vec<FaultRule> = places.collect();
    rules.sort_by_key(|rule| rank(rule.operation));
    rules.into_iter().take(FAULTS).map(with)
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
