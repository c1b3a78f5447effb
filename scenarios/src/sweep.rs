//! The crash sweep: plays the same thing in simulation again and again, and each time the
//! service that makes one certain call crashes right before or right after it, and starts
//! again by itself. Every call is taken once, so every point is a run of its own.
//!
//! A run survives when all promises hold once everything has come to rest. That somebody got
//! no answer is no finding: whoever talks to a service that crashes gets none.
//!
//! It renders nothing; see [`crate::command::sweep`]. Next: [`subject`] (what is played).

pub mod subject;

use std::fmt;
use std::num::ParseIntError;
use std::str::FromStr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use harness::faults::{Effect, FaultRule, Operation};
use harness::system::System;
use harness::world::WorldError;

use crate::invariants::Violation;
use crate::threads::{self, on_threads};

pub use subject::{Played, Subject};

/// Where a service crashes: at which call, counted from 1, and on which side of it.
///
/// ```
/// use scenarios::sweep::Point;
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
    pub when: When,
}

/// A side of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum When {
    /// The call has not had its effect.
    Before,
    /// The call has had its effect, and nobody has heard of it.
    After,
}

impl fmt::Display for When {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Before => "before",
            Self::After => "after",
        })
    }
}

impl Point {
    /// What happens there.
    fn effect(self) -> Effect {
        match self.when {
            When::Before => Effect::CrashBefore,
            When::After => Effect::CrashAfter,
        }
    }

    /// All points of this many calls.
    fn all(calls: u64) -> Vec<Self> {
        let both = |call| [When::Before, When::After].map(|when| Self { call, when });
        (1..=calls).flat_map(both).collect()
    }
}

impl fmt::Display for Point {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let side = match self.when {
            When::Before => 'b',
            When::After => 'a',
        };
        write!(f, "{}{side}", self.call)
    }
}

/// This is no point, and why.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadPoint {
    /// It does not say on which side.
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
        let before = text.strip_suffix('b').map(|call| (call, When::Before));
        let after = || text.strip_suffix('a').map(|call| (call, When::After));
        let (call, when) = before.or_else(after).ok_or(BadPoint::Side)?;
        match call.parse()? {
            0 => Err(BadPoint::Zero),
            call => Ok(Self { call, when }),
        }
    }
}

/// A point and what came of a crash there.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// The point.
    pub point: Point,
    /// The call there, as a rule that strikes it again.
    pub call: FaultRule,
    /// The promises that were broken; none where it survived.
    pub violations: Vec<Violation>,
    /// Whether what was played also went as its author says.
    pub kept_its_words: bool,
}

impl Outcome {
    /// The crash in a sentence.
    pub fn story(&self) -> String {
        let FaultRule { service, operation, target, skip, .. } = &self.call;
        let what = match operation {
            Operation::Open => "opens",
            Operation::Read => "reads",
            Operation::Write => "writes",
            Operation::Publish => "publishes",
            Operation::Deliver => "takes",
            Operation::Ack => "acknowledges",
            Operation::Nak => "puts off",
            Operation::Send => "asks",
        };
        let (service, target) = (service.as_deref(), target.as_deref());
        format!(
            "{} crashes right {} it {what} {} (time {} that it does)",
            service.unwrap_or("a service"),
            self.point.when,
            target.unwrap_or("something"),
            skip + 1
        )
    }
}

/// What a sweep came to.
#[derive(Debug, Clone)]
pub struct Sweep {
    /// How many calls there are where nothing crashes.
    pub calls: u64,
    /// Each point, in order.
    pub outcomes: Vec<Outcome>,
    /// How long it took.
    pub took: Duration,
}

impl Sweep {
    /// The points that did not survive.
    pub fn failed(&self) -> impl Iterator<Item = &Outcome> {
        self.outcomes.iter().filter(|outcome| !outcome.violations.is_empty())
    }

    /// How many points survived.
    pub fn survived(&self) -> usize {
        self.outcomes.len() - self.failed().count()
    }

    /// In how many runs all went as its author says, besides.
    pub fn kept_their_words(&self) -> usize {
        self.outcomes.iter().filter(|outcome| outcome.kept_its_words).count()
    }
}

/// How to sweep.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    /// Where ids come from, and decisions where they are not the polite ones.
    pub seed: u64,
    /// Whether decisions are random instead of polite.
    pub random: bool,
    /// The system is as this leaves it.
    pub change: fn(System) -> System,
    /// On how many threads.
    pub jobs: usize,
}

impl Default for Plan {
    /// The system as it is, in the polite order, on all cores.
    fn default() -> Self {
        Self { seed: 1, random: false, change: |system| system, jobs: threads::available() }
    }
}

/// Crashes at every point of a subject, telling `audience` of each as it is done.
///
/// # Errors
///
/// When the harness fails, or the subject breaks a promise where nothing crashes.
pub fn sweep(
    subject: &Subject,
    plan: &Plan,
    audience: impl Fn(&Outcome) + Sync,
) -> Result<Sweep, WorldError> {
    let began = Instant::now();
    let quiet = subject.play(plan, None)?;
    if let Some(broken) = quiet.violations.first() {
        return Err(WorldError::other(format!(
            "where nothing crashes a promise is broken: {broken}"
        )));
    }
    let points = Point::all(quiet.calls);
    let next = AtomicUsize::new(0);
    let all = Mutex::new(Vec::with_capacity(points.len()));
    let work = || -> Result<(), WorldError> {
        while let Some(&point) = points.get(next.fetch_add(1, Ordering::Relaxed)) {
            let outcome = crash(subject, plan, point)?.0;
            audience(&outcome);
            all.lock().expect("no panic holds this lock").push(outcome);
        }
        Ok(())
    };
    on_threads(plan.jobs, work)?;
    let mut outcomes = all.into_inner().expect("no panic holds this lock");
    outcomes.sort_by_key(|outcome: &Outcome| outcome.point);
    Ok(Sweep { calls: quiet.calls, outcomes, took: began.elapsed() })
}

/// Crashes at one point, and returns what came of it, with the whole run.
///
/// # Errors
///
/// When the harness fails, or there is no such call.
pub fn crash(
    subject: &Subject,
    plan: &Plan,
    point: Point,
) -> Result<(Outcome, Played), WorldError> {
    let played = subject.play(plan, Some(point))?;
    let call = played.injected.clone();
    let call = call.ok_or_else(|| WorldError::other(format!("there is no call {}", point.call)))?;
    let violations = played.violations.clone();
    let kept_its_words = played.broke_its_words.is_none();
    Ok((Outcome { point, call, violations, kept_its_words }, played))
}
