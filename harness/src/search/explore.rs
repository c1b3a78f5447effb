//! Exploration: many cases of a workload on all cores, each with faults and a schedule of its
//! own. Runs that violate an invariant are kept.
//!
//! The seed determines a whole run, so shards need no coordination: each takes every n-th
//! seed.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use serde::{Deserialize, Serialize};

use super::threads::{self, on_threads};
use crate::case::{Case, FaultPlan, RawCase, Schedule};
use crate::coverage::{Coverage, possible};
use crate::faults::FaultKind;
use crate::invariants::Violation;
use crate::run::{self, Run};
use crate::session::RunError;
use crate::settings::{Setting, Settings, Value};
use crate::subject::AnySubject;
use crate::subject::any::Scripts;

/// Which schedulers decide.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SchedulerChoice {
    /// Random, random with early timers, and PCT in turn.
    #[default]
    Mixed,
    /// Uniformly random.
    Random,
    /// Probabilistic concurrency testing of this depth.
    Pct(u32),
}

impl SchedulerChoice {
    /// The schedule of this seed.
    pub fn schedule(self, seed: u64) -> Schedule {
        match self {
            Self::Random => Schedule::Random { hurry: 0 },
            Self::Pct(depth) => Schedule::Pct { depth },
            Self::Mixed => match seed % 4 {
                0 | 1 => Schedule::Random { hurry: 0 },
                2 => Schedule::Random { hurry: 10 },
                _ => Schedule::Pct { depth: 3 },
            },
        }
    }
}

/// How the settings of a case are chosen.
#[derive(Debug, Clone, Default)]
pub struct SettingsChoice {
    /// Whether those that are not fixed stay at their defaults, instead of being drawn.
    pub defaults: bool,
    /// The fixed ones.
    pub fixed: Vec<(Setting, Value)>,
}

impl SettingsChoice {
    /// The settings of this seed.
    fn of(&self, subject: &AnySubject, seed: u64) -> Settings {
        let mut settings = match self.defaults {
            true => Settings::default(),
            false => Settings::draw(subject.settings(), seed),
        };
        self.fixed.iter().for_each(|(setting, value)| settings.set(setting, *value));
        settings
    }
}

/// Every n-th seed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shard {
    /// Which, from 1.
    pub number: u64,
    /// Of how many.
    pub of: u64,
}

impl Default for Shard {
    fn default() -> Self {
        Self { number: 1, of: 1 }
    }
}

/// An exploration to come.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The name of the workload.
    pub workload: String,
    /// The name of the planted bug in the system.
    pub bug: Option<String>,
    /// The kinds of faults.
    pub faults: Vec<FaultKind>,
    /// Which schedulers decide.
    pub schedulers: SchedulerChoice,
    /// How the settings of a case are chosen.
    pub settings: SettingsChoice,
    /// Which seeds.
    pub seeds: Range<u64>,
    /// Which part of them.
    pub shard: Shard,
    /// When to stop although seeds are left.
    pub limit: Option<Duration>,
    /// Whether the first finding ends it.
    pub first_only: bool,
    /// On how many threads.
    pub jobs: usize,
}

impl Plan {
    /// These seeds of a workload, with all faults, on all cores.
    pub fn all(workload: &str, seeds: Range<u64>) -> Self {
        Self {
            workload: workload.to_owned(),
            bug: None,
            faults: FaultKind::ALL.to_vec(),
            schedulers: SchedulerChoice::default(),
            settings: SettingsChoice::default(),
            seeds,
            shard: Shard::default(),
            limit: None,
            first_only: false,
            jobs: threads::available(),
        }
    }

    /// The case of a seed.
    pub fn case(&self, subject: &AnySubject, scripts: &Scripts, seed: u64) -> Case {
        Case {
            workload: self.workload.clone(),
            bug: self.bug.clone(),
            seed,
            settings: self.settings.of(subject, seed),
            script: scripts(seed),
            faults: FaultPlan::Chance(self.faults.clone()),
            schedule: self.schedulers.schedule(seed),
        }
    }
}

/// Runs that violated the same invariant in the same way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure<C = Case> {
    /// The first of them, without chance.
    pub case: C,
    /// The name of the invariant.
    pub invariant: String,
    /// The violation by the first of them, as a sentence.
    pub how: String,
    /// The seeds, at most [`SEEDS_KEPT`] of them.
    pub seeds: Vec<u64>,
    /// The number of these runs.
    pub count: u64,
}

/// The number of seeds of a failure that are kept.
pub const SEEDS_KEPT: usize = 100;

/// The outcome of an exploration.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Exploration<C = Case> {
    /// The number of runs.
    pub schedules: u64,
    /// The number of their decisions.
    pub decisions: u64,
    /// The fault points that were reached.
    pub coverage: Coverage,
    /// The failures, by invariant and shape.
    pub failures: BTreeMap<String, Failure<C>>,
    /// The time that it took.
    pub took: Duration,
}

impl<C> Default for Exploration<C> {
    fn default() -> Self {
        Self {
            schedules: 0,
            decisions: 0,
            coverage: Coverage::default(),
            failures: BTreeMap::new(),
            took: Duration::ZERO,
        }
    }
}

impl Exploration<RawCase> {
    /// The exploration with the operations of its cases read.
    ///
    /// # Errors
    ///
    /// When an operation is not one of this subject.
    pub fn read(self, subject: &AnySubject) -> Result<Exploration, serde_json::Error> {
        let Self { schedules, decisions, coverage, failures, took } = self;
        let read = |(shape, failure): (String, Failure<RawCase>)| {
            let Failure { case, invariant, how, seeds, count } = failure;
            Ok((shape, Failure { case: case.read(subject)?, invariant, how, seeds, count }))
        };
        let failures = failures.into_iter().map(read).collect::<Result<_, serde_json::Error>>()?;
        Ok(Exploration { schedules, decisions, coverage, failures, took })
    }
}

impl Exploration {
    /// The number of runs that violated an invariant.
    pub fn failed(&self) -> u64 {
        self.failures.values().map(|failure| failure.count).sum()
    }

    /// The number of runs in each second.
    pub fn rate(&self) -> f64 {
        self.schedules as f64 / self.took.as_secs_f64().max(1e-9)
    }

    /// Adds another exploration to this one.
    pub fn merge(&mut self, other: Self) {
        self.schedules += other.schedules;
        self.decisions += other.decisions;
        self.took = self.took.max(other.took);
        self.coverage.merge(other.coverage);
        for (shape, failure) in other.failures {
            match self.failures.get_mut(&shape) {
                Some(known) => known.join(failure),
                None => drop(self.failures.insert(shape, failure)),
            }
        }
    }

    fn add(&mut self, subject: &AnySubject, run: &Run) {
        self.schedules += 1;
        self.decisions += run.decisions as u64;
        self.coverage.merge(possible::of_run(subject, run));
        if let Some(violation) = run.violation() {
            let Violation { invariant, how } = violation;
            let failure = Failure {
                case: run.exact.clone(),
                invariant: invariant.clone(),
                how: how.clone(),
                seeds: vec![run.exact.seed],
                count: 1,
            };
            let failures = BTreeMap::from([(violation.shape(), failure)]);
            self.merge(Self { failures, ..Self::default() });
        }
    }
}

impl Failure {
    /// Adds runs that failed in the same way. The smallest seed represents them, so that the result
    /// does not depend on the order in which threads finish.
    fn join(&mut self, other: Self) {
        let mut seeds = std::mem::take(&mut self.seeds);
        seeds.extend(&other.seeds);
        seeds.sort_unstable();
        seeds.truncate(SEEDS_KEPT);
        let count = self.count + other.count;
        if other.case.seed < self.case.seed {
            *self = other;
        }
        (self.seeds, self.count) = (seeds, count);
    }
}

/// Runs the cases of a plan; `on_run` is called after each.
///
/// # Errors
///
/// When the harness fails, or there is no such workload.
pub fn explore(
    subject: &AnySubject,
    plan: &Plan,
    on_run: impl Fn(&Run) + Sync,
) -> Result<Exploration, RunError> {
    let began = Instant::now();
    let Shard { number, of } = plan.shard;
    let next = AtomicU64::new(plan.seeds.start + (number - 1));
    let enough = AtomicBool::new(false);
    let all = Mutex::new(Exploration::default());
    let work = || -> Result<(), RunError> {
        let scripts = subject.scripts(&plan.workload);
        let scripts = scripts.ok_or_else(|| RunError::UnknownWorkload(plan.workload.clone()))?;
        let mut found = Exploration::default();
        loop {
            let seed = next.fetch_add(of, Ordering::Relaxed);
            let late = plan.limit.is_some_and(|limit| began.elapsed() >= limit);
            if seed >= plan.seeds.end || late || enough.load(Ordering::Relaxed) {
                break;
            }
            let run = run::judge(subject, &plan.case(subject, &scripts, seed))?;
            if run.is_finding() && plan.first_only {
                enough.store(true, Ordering::Relaxed);
            }
            found.add(subject, &run);
            on_run(&run);
        }
        all.lock().merge(found);
        Ok(())
    };
    on_threads(plan.jobs, work)?;
    let mut exploration = all.into_inner();
    exploration.took = began.elapsed();
    exploration.coverage.merge(Coverage::of(possible::points(subject)));
    Ok(exploration)
}
