//! The scoreboard: how hard each planted bug is to find.
//!
//! Each bug is hunted many times, from seeds of its own each time, so that one lucky seed does
//! not pass for a strong rehearsal. A hunt takes all workloads in turn. The system as it is
//! goes through the same effort, and nothing may be found. It renders nothing.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Instant;

use harness::world::WorldError;
use serde::Serialize;

use crate::case::{Case, Schedule, Token, Trouble};
use crate::explore::Plan;
use crate::planted::{self, Planted};
use crate::shrink::shrink_within;
use crate::simulate;
use crate::threads::{self, on_threads};
use crate::workloads::{self, Scripts, Workload};

/// How hard it is tried.
#[derive(Debug, Clone)]
pub struct Effort {
    /// How many times each bug is hunted.
    pub hunts: u64,
    /// How many schedules a hunt may take.
    pub limit: u64,
    /// The seed that the first hunt begins with.
    pub seed: u64,
    /// On how many threads.
    pub jobs: usize,
    /// Whether what was found is made small.
    pub shrinks: bool,
}

impl Default for Effort {
    fn default() -> Self {
        let jobs = threads::available();
        Self { hunts: 20, limit: 2_000, seed: 0, jobs, shrinks: true }
    }
}

/// The seeds of two hunts are this far apart.
const APART: u64 = 1_000_000;

/// A story this small need not become smaller.
const ENOUGH: usize = 8;

/// How many hunts are shrunk; the smallest story is kept.
const SHRUNK: usize = 3;

/// How many decisions the runs that make one of them small may have.
const DECISIONS: u64 = 500_000;

/// A hunt that found something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Find {
    /// How many schedules it took.
    pub schedules: u64,
    /// In which workload.
    pub workload: String,
    /// The promise that was broken.
    pub promise: String,
    /// How.
    pub how: String,
    /// The run, exactly.
    pub case: Case,
}

/// A story from which nothing can be left out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Story {
    /// What people do.
    pub acts: usize,
    /// What goes wrong.
    pub faults: usize,
    /// Decisions that are not the polite one.
    pub turns: usize,
    /// The run.
    pub token: Token,
}

impl Story {
    /// Of an exact case.
    pub fn of(case: &Case) -> Self {
        let faults = match &case.trouble {
            Trouble::Exact(rules) => rules.len(),
            Trouble::Chance(_) => 0,
        };
        let turns = match &case.schedule {
            Schedule::Exact(turns) => turns.len(),
            _ => 0,
        };
        let acts = case.script.rounds.iter().map(|round| round.acts.len()).sum();
        Self { acts, faults, turns, token: Token::of(case) }
    }

    /// All steps together.
    pub fn steps(&self) -> usize {
        self.acts + self.faults + self.turns
    }
}

/// What came of hunting one bug.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Score {
    /// The bug; `None` for the system as it is.
    pub bug: Option<&'static str>,
    /// How many hunts there were.
    pub hunts: u64,
    /// How many found something.
    pub found: u64,
    /// How many schedules a hunt took, the middle one of all; one that found nothing counts
    /// with all of its schedules.
    pub median: u64,
    /// The most that a hunt took.
    pub most: u64,
    /// How many schedules all hunts took.
    pub schedules: u64,
    /// What the quickest hunt found.
    pub quickest: Option<Find>,
    /// The smallest story of it.
    pub story: Option<Story>,
    /// How long it took, in seconds, on one thread.
    pub seconds: f64,
}

/// Hunts these bugs, the most at once that there are threads for, and tells the audience of
/// each as soon as it is known.
///
/// # Errors
///
/// When the harness fails.
pub fn score(
    bugs: &[&'static Planted],
    effort: &Effort,
    audience: impl Fn(&Score) + Sync,
) -> Result<Vec<Score>, WorldError> {
    let next = AtomicUsize::new(0);
    let all = Mutex::new(Vec::new());
    on_threads::<WorldError>(effort.jobs, || {
        let hunter = Hunter::new(effort);
        while let Some(bug) = bugs.get(next.fetch_add(1, Ordering::Relaxed)) {
            let score = hunter.score(bug)?;
            audience(&score);
            all.lock().expect("no panic holds this lock").push(score);
        }
        Ok(())
    })?;
    let mut scores = all.into_inner().expect("no panic holds this lock");
    scores.sort_by_key(|score| bugs.iter().position(|bug| Some(bug.name) == score.bug));
    Ok(scores)
}

/// Runs the system as it is under this many schedules, all workloads in turn, and tells the
/// audience of each.
///
/// # Errors
///
/// When the harness fails.
pub fn withstand(
    schedules: u64,
    effort: &Effort,
    audience: impl Fn() + Sync,
) -> Result<Score, WorldError> {
    let began = Instant::now();
    let next = AtomicU64::new(0);
    let finds = Mutex::new(Vec::new());
    on_threads::<WorldError>(effort.jobs, || {
        let hunter = Hunter::new(effort);
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= schedules {
                return Ok(());
            }
            if let Some(find) = hunter.run(None, effort.seed, number)? {
                finds.lock().expect("no panic holds this lock").push(find);
            }
            audience();
        }
    })?;
    let mut finds = finds.into_inner().expect("no panic holds this lock");
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

/// What one thread hunts with.
struct Hunter<'a> {
    effort: &'a Effort,
    grounds: Vec<(&'static Workload, Scripts)>,
}

impl<'a> Hunter<'a> {
    fn new(effort: &'a Effort) -> Self {
        let grounds = workloads::ALL.iter().map(|workload| (workload, workload.open()));
        Self { effort, grounds: grounds.collect() }
    }

    fn score(&self, bug: &'static Planted) -> Result<Score, WorldError> {
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
            story: if self.effort.shrinks { smallest(&finds)? } else { None },
            quickest: finds.into_iter().next(),
            seconds: began.elapsed().as_secs_f64(),
        })
    }

    /// One hunt from this seed on.
    fn hunt(&self, bug: &'static Planted, seed: u64) -> Result<Option<Find>, WorldError> {
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
        bug: Option<&'static Planted>,
        seed: u64,
        number: u64,
    ) -> Result<Option<Find>, WorldError> {
        let count = self.grounds.len() as u64;
        let turn = usize::try_from(number % count).expect("workloads are few");
        let (workload, scripts) = &self.grounds[turn];
        let mut plan = Plan::all(workload, 0..u64::MAX);
        if let Some(bug) = bug {
            (plan.bug, plan.faults) = (Some(bug.name), bug.troubles());
        }
        let run = simulate::judge(&plan.case(scripts, seed + number / count))?;
        Ok(run.broken().map(|broken| Find {
            schedules: number + 1,
            workload: workload.name.to_owned(),
            promise: broken.invariant.to_owned(),
            how: broken.how.clone(),
            case: run.exact.clone(),
        }))
    }
}

/// The smallest of the stories of those finds that are small already.
fn smallest(finds: &[Find]) -> Result<Option<Story>, WorldError> {
    let mut by_size: Vec<&Find> = finds.iter().collect();
    by_size.sort_by_key(|find| Story::of(&find.case).steps());
    let mut best: Option<Story> = None;
    for find in by_size.into_iter().take(SHRUNK) {
        if let Some(shrunk) = shrink_within(&find.case, &find.promise, DECISIONS, || {})? {
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

/// The planted bugs of these names; all of them where none is named.
///
/// # Errors
///
/// The first name that no bug has.
pub fn chosen(names: &[String]) -> Result<Vec<&'static Planted>, String> {
    if names.is_empty() {
        return Ok(planted::ALL.iter().collect());
    }
    names.iter().map(|name| planted::named(name).ok_or_else(|| name.clone())).collect()
}
