//! Shrinks a failing case: fewer actions, fewer clients, fewer faults and fewer deviations from
//! FIFO, until nothing can be removed and the same invariant is still violated. Where a smaller case
//! of a violated mechanism shows a harm, the harm takes its place.
//!
//! Actions, faults and decisions shrink together: without an action there are other calls, and
//! other decisions are needed. So a smaller case may look for a schedule of its own.

use super::schedule;
use super::shrinker::Shrinker;
use crate::case::{Case, Schedule};
use crate::faults::FaultRule;
use crate::run::{self, Run};
use crate::session::RunError;
use crate::subject::AnySubject;

/// A case from which nothing can be removed.
#[derive(Debug)]
pub struct Shrunk {
    /// Its run, watched; [`Run::exact`] is the case.
    pub run: Run,
    /// The invariant that it violates: the one in question, or a harm in place of a mechanism.
    pub invariant: String,
    /// The faults that were injected but are not needed.
    pub unneeded: Vec<FaultRule>,
    /// The number of runs that it took.
    pub runs: u64,
}

impl Shrunk {
    /// The number of settings, actions, faults and delays: the fewer, the shorter its story.
    pub fn size(&self) -> usize {
        let Case { settings, script, schedule, .. } = &self.run.exact;
        let delays = match schedule {
            Schedule::Exact(deviations) => schedule::size(deviations).0,
            Schedule::Random { .. } | Schedule::Pct { .. } => 0,
        };
        settings.iter().count() + script.len() + self.run.injected().len() + delays
    }
}

/// The total number of decisions after which a shrink stops: tens of thousands of runs, or a few
/// dozen that never reach quiescence.
const DECISIONS: u64 = 8_000_000;

/// Shrinks a case that violates this invariant; `on_run` is called after each run. `None`
/// where it does not violate it.
///
/// # Errors
///
/// When the harness fails.
pub fn shrink(
    subject: &AnySubject,
    case: &Case,
    invariant: &str,
    on_run: impl FnMut(),
) -> Result<Option<Shrunk>, RunError> {
    shrink_within(subject, case, invariant, DECISIONS, on_run)
}

/// The same with about this many decisions at most.
///
/// # Errors
///
/// As [`shrink`].
pub fn shrink_within(
    subject: &AnySubject,
    case: &Case,
    invariant: &str,
    limit: u64,
    on_run: impl FnMut(),
) -> Result<Option<Shrunk>, RunError> {
    let mut shrinker = Shrinker::new(subject, case, invariant, limit, on_run);
    let Some(first) = shrinker.fails(case)? else { return Ok(None) };
    let injected = first.injected().to_vec();
    shrinker.accept(first);
    loop {
        let before = shrinker.best.clone();
        shrinker.default_settings()?;
        shrinker.fewer_faults()?;
        shrinker.earlier_faults()?;
        shrinker.fewer_actions()?;
        shrinker.simpler_faults()?;
        shrinker.plainer_pauses()?;
        shrinker.fewer_names()?;
        shrinker.simpler_operations()?;
        shrinker.whole_seconds()?;
        shrinker.fewer_reorderings()?;
        if shrinker.best == before {
            shrinker.sparser()?;
        }
        if shrinker.best == before || shrinker.is_spent() {
            break;
        }
    }
    let run = run::run_watched(subject, &shrinker.best)?;
    let kept = run.injected();
    let same = |one: &FaultRule, other: &FaultRule| {
        (&one.service, one.operation, &one.target)
            == (&other.service, other.operation, &other.target)
            && std::mem::discriminant(&one.effect) == std::mem::discriminant(&other.effect)
    };
    let unneeded = injected.into_iter().filter(|one| !kept.iter().any(|other| same(one, other)));
    Ok(Some(Shrunk {
        unneeded: unneeded.collect(),
        invariant: shrinker.invariant.clone(),
        runs: shrinker.runs,
        run,
    }))
}
