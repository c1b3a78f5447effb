//! Exhaustive search of a scope: every schedule of a small script, as far as schedules can
//! make a difference, each judged by every invariant.
//!
//! The search begins once the clients are prepared and the lead, the first rounds of the
//! script, has run in FIFO order. Faults are those that the scope names, or none. A search
//! that ends by itself is complete: see [`sim::scheduler::exhaustive`] for the schedules that
//! it omits, why that loses nothing, and the hash by which it compares states.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use sim::scheduler::exhaustive::independence::Coupling;
use sim::scheduler::exhaustive::{Counts, Search};

use crate::case::{Case, FaultPlan, Schedule};
use crate::faults::{Effect, FaultRule};
use crate::invariants::Violation;
use crate::run::{Options, drive};
use crate::script::{Action, Script};
use crate::session::RunError;
use crate::settings::Settings;
use crate::subject::AnySubject;

/// A scope to exhaust.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scope {
    /// Its name.
    pub name: String,
    /// The name of the planted bug in the system.
    pub bug: Option<String>,
    /// The source of ids.
    pub seed: u64,
    /// The operations.
    pub script: Script,
    /// The number of rounds that run first in FIFO order.
    pub lead: usize,
    /// The faults.
    pub rules: Vec<FaultRule>,
}

impl Scope {
    /// The scope of this name, in the system as it is; `None` where there is none.
    pub fn named(subject: &AnySubject, name: &str) -> Option<Self> {
        let (script, lead) = subject.scope(name)?;
        let (name, rules) = (name.to_owned(), Vec::new());
        Some(Self { name, bug: None, seed: 0, script, lead, rules })
    }
}

/// When to stop although schedules are left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Limit {
    /// After this many schedules.
    pub schedules: Option<u64>,
    /// After this long.
    pub time: Option<Duration>,
    /// At the first failure.
    pub first_only: bool,
}

/// The progress of a search.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Its counts.
    pub counts: Counts,
    /// The number of schedules that violated an invariant.
    pub failed: u64,
    /// The time that it has taken.
    pub took: Duration,
}

/// Schedules that violated the same invariant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The first of them, exactly.
    pub case: Case,
    /// The violation, as a sentence.
    pub how: String,
    /// The number of these schedules.
    pub count: u64,
}

/// The outcome of a scope.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exhausted {
    /// The counts.
    pub counts: Counts,
    /// Whether no schedule is left.
    pub complete: bool,
    /// The failures, by the invariant that was violated first.
    pub failures: BTreeMap<String, Failure>,
    /// The time that it took.
    pub took: Duration,
}

/// Runs every schedule of the scope, or as many as the limit allows; `on_run` is called after
/// each.
///
/// # Errors
///
/// When the harness fails, or the scope names a bug that is not planted.
pub fn exhaust(
    subject: &AnySubject,
    scope: &Scope,
    limit: Limit,
    on_run: impl Fn(Progress),
) -> Result<Exhausted, RunError> {
    let began = Instant::now();
    let search = Search::new(coupling(scope));
    let mut failures: BTreeMap<String, Failure> = BTreeMap::new();
    let mut failed = 0;
    let complete = loop {
        if let Some((Violation { invariant, how }, case)) = next(subject, scope, &search)? {
            failed += 1;
            let failure = || Failure { case, how, count: 0 };
            failures.entry(invariant).or_insert_with(failure).count += 1;
        }
        let counts = search.counts();
        on_run(Progress { counts, failed, took: began.elapsed() });
        if !search.go_back() {
            break true;
        }
        let runs = counts.visited + counts.given_up;
        let enough = limit.schedules.is_some_and(|most| runs >= most)
            || limit.time.is_some_and(|most| began.elapsed() >= most)
            || (limit.first_only && failed > 0);
        if enough {
            break false;
        }
    };
    Ok(Exhausted { counts: search.counts(), complete, failures, took: began.elapsed() })
}

/// Planned faults count calls: those of one instance; or all calls, where a fault reaches
/// further or a service has several instances.
fn coupling(scope: &Scope) -> Coupling {
    let wide = |rule: &FaultRule| {
        let everywhere = [Effect::Partition as fn(_) -> _, Effect::Outage, Effect::Jump];
        let wide = everywhere.iter().any(|wide| {
            std::mem::discriminant(&wide(Duration::ZERO)) == std::mem::discriminant(&rule.effect)
        });
        wide || matches!(rule.effect, Effect::LoseTail(_)) || rule.service.is_none()
    };
    let scales = |action: &Action| matches!(action, Action::Scale(_));
    let scaled = scope.script.rounds.iter().flat_map(|round| &round.actions).any(scales);
    match &scope.rules[..] {
        [] if scaled => Coupling::Looks,
        [] => Coupling::Free,
        rules if scaled || rules.iter().any(wide) => Coupling::All,
        _ => Coupling::Instances,
    }
}

/// Runs the next schedule; returns the first invariant that it violated, and its case.
fn next(
    subject: &AnySubject,
    scope: &Scope,
    search: &Search,
) -> Result<Option<(Violation, Case)>, RunError> {
    let case = Case {
        workload: scope.name.clone(),
        bug: scope.bug.clone(),
        seed: scope.seed,
        settings: Settings::default(),
        script: scope.script.clone(),
        faults: FaultPlan::Exact(scope.rules.clone()),
        schedule: Schedule::Exact(Vec::new()),
    };
    let scheduler = || search.scheduler();
    let options = Options {
        lead: scope.lead,
        scheduler: Some(&scheduler),
        skip_survey: true,
        ..Options::default()
    };
    let driven = drive(subject, &case, options)?;
    if !search.end(&driven.kernel().take_accesses()) {
        return Ok(None);
    }
    let run = driven.into_run(subject);
    let violation = run.violations.into_iter().next();
    // The rules as they were planned: those of the run count calls from other places.
    let faults = FaultPlan::Exact(scope.rules.clone());
    Ok(violation.map(|violation| (violation, Case { faults, ..run.exact })))
}
