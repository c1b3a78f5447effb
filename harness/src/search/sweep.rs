//! The crash sweep: repeats a script in simulation, once for each crash point. In each run the
//! service that makes one particular call crashes right before or right after it and then
//! restarts.
//!
//! A point survives if all invariants hold once the system is quiescent. A missing reply is not a
//! finding, as a crashed service sends none. It renders nothing.

use std::fmt;
use std::num::ParseIntError;
use std::str::FromStr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use super::played::Played;
use super::threads::{self, on_threads};
use crate::case::{Case, FaultPlan, Schedule};
use crate::faults::{Effect, FaultRule};
use crate::gherkin::Playable;
use crate::invariants::Violation;
use crate::run::{self, Options};
use crate::script::Script;
use crate::session::RunError;
use crate::subject::AnySubject;
use crate::system::System;

/// The scenario or script that is swept.
#[derive(Debug, Clone)]
pub struct Target {
    /// Its name: the scenario's, or as in `market:17`.
    pub name: String,
    /// Its place of definition, for display.
    pub place: String,
    steps: Steps,
}

#[derive(Debug, Clone)]
enum Steps {
    Scenario(Playable),
    Script(Script),
}

impl Target {
    /// A scenario.
    pub fn scenario(scenario: Playable) -> Self {
        let (name, place) = (scenario.name.clone(), scenario.place.clone());
        Self { name, place, steps: Steps::Scenario(scenario) }
    }

    /// The script that a workload draws, named as in `market:17`; `None` where there is no such
    /// workload.
    pub fn workload(subject: &AnySubject, name: &str) -> Option<Self> {
        let (workload, seed) = name.split_once(':')?;
        let (scripts, seed) = (subject.scripts(workload)?, seed.parse().ok()?);
        let place = subject.workload(workload)?.about.to_owned();
        Some(Self { name: name.to_owned(), place, steps: Steps::Script(scripts(seed)) })
    }

    /// Plays it, with a crash at this point.
    ///
    /// # Errors
    ///
    /// When the harness fails.
    pub fn play(
        &self,
        subject: &AnySubject,
        plan: &Plan,
        point: Option<Point>,
    ) -> Result<Played, RunError> {
        let at_call = point.map(|point| (point.call - 1, point.effect()));
        match &self.steps {
            Steps::Scenario(scenario) => {
                scenario.play(subject, plan.seed, plan.random, plan.change, at_call)
            }
            Steps::Script(script) => {
                let schedule = if plan.random {
                    Schedule::Random { hurry: 0 }
                } else {
                    Schedule::Exact(Vec::new())
                };
                let faults = FaultPlan::Exact(Vec::new());
                let case = Case { faults, schedule, ..Case::of(script.clone(), plan.seed) };
                let run = run::run_with(subject, &case, Options { at_call, ..Options::default() })?;
                Ok(Played {
                    calls: run.calls,
                    injected: run.injected_at_call,
                    violations: run.violations,
                    failed_step: None,
                    trace: run.trace,
                })
            }
        }
    }
}

/// A point at which a service crashes: a call, counted from 1, and a side of it.
///
/// ```
/// use harness::search::sweep::Point;
///
/// let point: Point = "17b".parse().unwrap();
/// assert_eq!((point.call, point.to_string()), (17, "17b".to_owned()));
/// assert!("0a".parse::<Point>().is_err() && "17".parse::<Point>().is_err());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Point {
    /// The call.
    pub call: u64,
    /// The side.
    pub side: Side,
}

/// A side of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Side {
    /// The call has not had its effect.
    Before,
    /// The call has had its effect, but its caller does not know.
    After,
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Before => "before",
            Self::After => "after",
        })
    }
}

impl Point {
    /// The effect that is injected there.
    fn effect(self) -> Effect {
        match self.side {
            Side::Before => Effect::CrashBefore,
            Side::After => Effect::CrashAfter,
        }
    }

    /// All points of this many calls.
    fn all(calls: u64) -> Vec<Self> {
        let both = |call| [Side::Before, Side::After].map(|side| Self { call, side });
        (1..=calls).flat_map(both).collect()
    }
}

impl fmt::Display for Point {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let side = match self.side {
            Side::Before => 'b',
            Side::After => 'a',
        };
        write!(f, "{}{side}", self.call)
    }
}

/// Why a string is not a point.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadPoint {
    /// It names no side.
    #[error("a point is a call's number and a side, as in 17b (before) or 17a (after)")]
    Side,
    /// There is no number.
    #[error("not the number of a call: {0}")]
    Number(#[from] ParseIntError),
    /// Calls are counted from 1.
    #[error("calls are counted from 1")]
    Zero,
}

impl FromStr for Point {
    type Err = BadPoint;

    fn from_str(text: &str) -> Result<Self, BadPoint> {
        let before = text.strip_suffix('b').map(|call| (call, Side::Before));
        let after = || text.strip_suffix('a').map(|call| (call, Side::After));
        let (call, side) = before.or_else(after).ok_or(BadPoint::Side)?;
        match call.parse()? {
            0 => Err(BadPoint::Zero),
            call => Ok(Self { call, side }),
        }
    }
}

/// The outcome of a crash at a point.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// The point.
    pub point: Point,
    /// The call there, as a rule that injects the same crash again.
    pub call: FaultRule,
    /// The violations; none where the system survived.
    pub violations: Vec<Violation>,
    /// Whether all steps of the scenario passed as well.
    pub steps_passed: bool,
}

/// The outcome of a sweep.
#[derive(Debug, Clone)]
pub struct Sweep {
    /// The number of calls where nothing crashes.
    pub calls: u64,
    /// Each point, in order.
    pub outcomes: Vec<Outcome>,
    /// The time that it took.
    pub took: Duration,
}

impl Sweep {
    /// The points that did not survive.
    pub fn failed(&self) -> impl Iterator<Item = &Outcome> {
        self.outcomes.iter().filter(|outcome| !outcome.violations.is_empty())
    }

    /// The number of points that survived.
    pub fn survived(&self) -> usize {
        self.outcomes.len() - self.failed().count()
    }

    /// The number of runs in which all steps of the scenario passed as well.
    pub fn steps_passed(&self) -> usize {
        self.outcomes.iter().filter(|outcome| outcome.steps_passed).count()
    }
}

/// The options of a sweep.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    /// The source of ids, and of decisions where they are random.
    pub seed: u64,
    /// Whether decisions are random instead of FIFO.
    pub random: bool,
    /// The change to the system of a scenario: for tests that need a broken one.
    pub change: fn(System) -> System,
    /// On how many threads.
    pub jobs: usize,
}

impl Default for Plan {
    /// The system as it is, in FIFO order, on all cores.
    fn default() -> Self {
        Self { seed: 1, random: false, change: |system| system, jobs: threads::available() }
    }
}

/// Crashes at every point of a target; `on_point` is called after each.
///
/// # Errors
///
/// When the harness fails, or an invariant is violated although nothing crashes.
pub fn sweep(
    subject: &AnySubject,
    target: &Target,
    plan: &Plan,
    on_point: impl Fn(&Outcome) + Sync,
) -> Result<Sweep, RunError> {
    let began = Instant::now();
    let quiet = target.play(subject, plan, None)?;
    if let Some(violation) = quiet.violations.into_iter().next() {
        return Err(RunError::ViolatedAtRest(violation));
    }
    let points = Point::all(quiet.calls);
    let next = AtomicUsize::new(0);
    let all = Mutex::new(Vec::with_capacity(points.len()));
    on_threads(plan.jobs, || {
        while let Some(&point) = points.get(next.fetch_add(1, Ordering::Relaxed)) {
            let outcome = crash(subject, target, plan, point)?.0;
            on_point(&outcome);
            all.lock().push(outcome);
        }
        Ok::<_, RunError>(())
    })?;
    let mut outcomes = all.into_inner();
    outcomes.sort_by_key(|outcome: &Outcome| outcome.point);
    Ok(Sweep { calls: quiet.calls, outcomes, took: began.elapsed() })
}

/// Crashes at one point; returns the outcome and the whole run.
///
/// # Errors
///
/// When the harness fails, or there is no such call.
pub fn crash(
    subject: &AnySubject,
    target: &Target,
    plan: &Plan,
    point: Point,
) -> Result<(Outcome, Played), RunError> {
    let played = target.play(subject, plan, Some(point))?;
    let call = played.injected.clone().ok_or(RunError::UnknownCall(point.call))?;
    let violations = played.violations.clone();
    let steps_passed = played.failed_step.is_none();
    Ok((Outcome { point, call, violations, steps_passed }, played))
}
