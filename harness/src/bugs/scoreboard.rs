//! The scoreboard: the number of schedules until each planted bug is found.
//!
//! Each bug is searched for several times. Each of these hunts has its own seeds, so that one
//! lucky seed does not distort the score. A hunt cycles through all workloads. The unchanged system
//! goes through the same number of schedules and must not fail. It renders nothing.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Instant;

use parking_lot::Mutex;
use serde::Serialize;

use super::PlantedBug;
use crate::case::{Case, FaultPlan, Schedule, Token};
use crate::run;
use crate::search::explore::{Plan, SettingsChoice};
use crate::search::threads::{self, on_threads};
use crate::session::RunError;
use crate::shrink::case::shrink_within;
use crate::subject::AnySubject;
use crate::subject::any::Scripts;

/// The effort of a hunt.
#[derive(Debug, Clone)]
pub struct Effort {
    /// The number of hunts for each bug.
    pub hunts: u64,
    /// The maximum number of schedules of a hunt.
    pub limit: u64,
    /// The first seed of the first hunt.
    pub seed: u64,
    /// How the settings of a case are chosen.
    pub settings: SettingsChoice,
    /// On how many threads.
    pub jobs: usize,
    /// Whether findings are shrunk.
    pub shrinks: bool,
}

impl Default for Effort {
    fn default() -> Self {
        let jobs = threads::available();
        let settings = SettingsChoice::default();
        Self { hunts: 20, limit: 2_000, seed: 0, settings, jobs, shrinks: true }
    }
}

/// The distance between the first seeds of two hunts.
const APART: u64 = 1_000_000;

/// A story of this many steps is short enough.
const ENOUGH: usize = 8;

/// The number of hunts whose findings are shrunk; the shortest story is kept.
const SHRUNK: usize = 3;

/// The maximum number of decisions in the runs of one shrink.
const DECISIONS: u64 = 500_000;

/// The finding of a hunt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Find {
    /// The number of schedules that it took.
    pub schedules: u64,
    /// In which workload.
    pub workload: String,
    /// The invariant that was violated.
    pub invariant: String,
    /// The violation, as a sentence.
    pub how: String,
    /// The run, exactly.
    pub case: Case,
}

/// The size of a shrunk story.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Story {
    /// Actions of clients.
    pub actions: usize,
    /// Faults.
    pub faults: usize,
    /// Decisions that deviate from FIFO.
    pub reorderings: usize,
    /// The replay token.
    pub token: Token,
}

impl Story {
    /// The size of an exact case.
    pub fn of(case: &Case) -> Self {
        let faults = match &case.faults {
            FaultPlan::Exact(rules) => rules.len(),
            FaultPlan::Chance(_) => 0,
        };
        let reorderings = match &case.schedule {
            Schedule::Exact(deviations) => deviations.len(),
            _ => 0,
        };
        let actions = case.script.len();
        Self { actions, faults, reorderings, token: Token::of(case) }
    }

    /// All of them.
    pub fn steps(&self) -> usize {
        self.actions + self.faults + self.reorderings
    }
}

/// The score of one bug.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Score {
    /// The bug; `None` for the system as it is.
    pub bug: Option<&'static str>,
    /// The number of hunts.
    pub hunts: u64,
    /// The number of hunts that found a violation.
    pub found: u64,
    /// The median number of schedules of a hunt; one that found nothing counts with all of its
    /// schedules.
    pub median: u64,
    /// The number of schedules of the longest hunt.
    pub most: u64,
    /// The number of schedules of all hunts.
    pub schedules: u64,
    /// The finding of the quickest hunt.
    pub quickest: Option<Find>,
    /// The shortest story.
    pub story: Option<Story>,
    /// The time that it took, in seconds, on one thread.
    pub seconds: f64,
}

/// Hunts these bugs, as many at once as there are threads; `on_score` is called after each.
///
/// # Errors
///
/// When the harness fails.
pub fn score(
    subject: &AnySubject,
    bugs: &[&PlantedBug],
    effort: &Effort,
    on_score: impl Fn(&Score) + Sync,
) -> Result<Vec<Score>, RunError> {
    let next = AtomicUsize::new(0);
    let all = Mutex::new(Vec::new());
    on_threads(effort.jobs, || {
        let hunter = Hunter::new(subject, effort);
        while let Some(bug) = bugs.get(next.fetch_add(1, Ordering::Relaxed)) {
            let score = hunter.score(bug)?;
            on_score(&score);
            all.lock().push(score);
        }
        Ok::<_, RunError>(())
    })?;
    let mut scores = all.into_inner();
    scores.sort_by_key(|score| bugs.iter().position(|bug| Some(bug.name) == score.bug));
    Ok(scores)
}

/// Runs the unchanged system under this many schedules, cycling through the workloads; `on_run` is called
/// after each.
///
/// # Errors
///
/// When the harness fails.
pub fn withstand(
    subject: &AnySubject,
    schedules: u64,
    effort: &Effort,
    on_run: impl Fn() + Sync,
) -> Result<Score, RunError> {
    let began = Instant::now();
    let next = AtomicU64::new(0);
    let finds = Mutex::new(Vec::new());
    on_threads(effort.jobs, || {
        let hunter = Hunter::new(subject, effort);
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= schedules {
                return Ok::<_, RunError>(());
            }
            if let Some(find) = hunter.run(None, effort.seed, number)? {
                finds.lock().push(find);
            }
            on_run();
        }
    })?;
    let mut finds = finds.into_inner();
    finds.sort_by_key(|find| find.schedules);
    Ok(Score {
        bug: None,
        hunts: 1,
        found: finds.len() as u64,
        median: schedules,
        most: schedules,
        schedules,
        quickest: finds.into_iter().next(),
        story: None,
        seconds: began.elapsed().as_secs_f64(),
    })
}

/// The state of one hunting thread.
struct Hunter<'a> {
    subject: &'a AnySubject,
    effort: &'a Effort,
    workloads: Vec<(&'static str, Scripts)>,
}

impl<'a> Hunter<'a> {
    fn new(subject: &'a AnySubject, effort: &'a Effort) -> Self {
        let workloads = subject
            .workloads()
            .iter()
            .filter_map(|workload| Some((workload.name, subject.scripts(workload.name)?)));
        Self { subject, effort, workloads: workloads.collect() }
    }

    fn score(&self, bug: &PlantedBug) -> Result<Score, RunError> {
        let began = Instant::now();
        let mut finds = Vec::new();
        for hunt in 0..self.effort.hunts {
            finds.push(self.hunt(bug, self.effort.seed + hunt * APART)?);
        }
        let taken = |find: &Option<Find>| find.as_ref().map_or(self.effort.limit, |f| f.schedules);
        let mut counts: Vec<u64> = finds.iter().map(taken).collect();
        counts.sort_unstable();
        let mut finds: Vec<Find> = finds.into_iter().flatten().collect();
        let found = finds.len() as u64;
        finds.sort_by_key(|find| find.schedules);
        Ok(Score {
            bug: Some(bug.name),
            hunts: self.effort.hunts,
            found,
            median: counts.get(counts.len() / 2).copied().unwrap_or_default(),
            most: counts.last().copied().unwrap_or_default(),
            schedules: counts.iter().sum(),
            story: if self.effort.shrinks { smallest(self.subject, &finds)? } else { None },
            quickest: finds.into_iter().next(),
            seconds: began.elapsed().as_secs_f64(),
        })
    }

    /// One hunt from this seed on.
    fn hunt(&self, bug: &PlantedBug, seed: u64) -> Result<Option<Find>, RunError> {
        for number in 0..self.effort.limit {
            if let Some(find) = self.run(Some(bug), seed, number)? {
                return Ok(Some(find));
            }
        }
        Ok(None)
    }

    /// The run of this number in a hunt from this seed on.
    fn run(
        &self,
        bug: Option<&PlantedBug>,
        seed: u64,
        number: u64,
    ) -> Result<Option<Find>, RunError> {
        let count = self.workloads.len() as u64;
        let turn = usize::try_from(number % count).expect("workloads are few");
        let (workload, scripts) = &self.workloads[turn];
        let all = Plan::all(workload, 0..u64::MAX);
        let mut plan = Plan { settings: self.effort.settings.clone(), ..all };
        if let Some(bug) = bug {
            (plan.bug, plan.faults) = (Some(bug.name.to_owned()), bug.all_faults());
        }
        let run =
            run::judge(self.subject, &plan.case(self.subject, scripts, seed + number / count))?;
        Ok(run.violation().map(|violation| Find {
            schedules: number + 1,
            workload: (*workload).to_owned(),
            invariant: violation.invariant.clone(),
            how: violation.how.clone(),
            case: run.exact.clone(),
        }))
    }
}

/// The shortest story of the shortest findings.
fn smallest(subject: &AnySubject, finds: &[Find]) -> Result<Option<Story>, RunError> {
    let mut by_size: Vec<&Find> = finds.iter().collect();
    by_size.sort_by_key(|find| Story::of(&find.case).steps());
    let mut best: Option<Story> = None;
    for find in by_size.into_iter().take(SHRUNK) {
        if let Some(shrunk) = shrink_within(subject, &find.case, &find.invariant, DECISIONS, || {})?
        {
            let story = Story::of(&shrunk.run.exact);
            if best.as_ref().is_none_or(|best| story.steps() < best.steps()) {
                best = Some(story);
            }
        }
        if best.as_ref().is_some_and(|best| best.steps() <= ENOUGH) {
            break;
        }
    }
    Ok(best)
}

/// The planted bugs with these names; all of them if none is named.
///
/// # Errors
///
/// The first name that no bug has.
pub fn chosen<'a>(
    subject: &'a AnySubject,
    names: &[String],
) -> Result<Vec<&'a PlantedBug>, String> {
    if names.is_empty() {
        return Ok(subject.planted_bugs().iter().collect());
    }
    names.iter().map(|name| subject.planted_bug(name).ok_or_else(|| name.clone())).collect()
}
