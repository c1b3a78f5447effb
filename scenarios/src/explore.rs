//! Explores: runs many cases of a workload on all cores, each with faults and a schedule of its
//! own, and keeps what broke a promise.
//!
//! Seeds decide everything, so shards need no coordination: each takes every n-th seed. It
//! renders nothing: it tells an audience of each run, and returns what it found.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use harness::coverage::Coverage;
use harness::faults::FaultKind;
use harness::world::WorldError;

use crate::case::{Case, Schedule, Trouble};
use crate::coverage::{self, possible_points};
use crate::invariants::Violation;
use crate::simulate::{self, Run};
use crate::threads::{self, on_threads};
use crate::workloads::{Scripts, Workload};

/// How schedules are chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Choosing {
    /// Some uniformly, some with time that hurries, some by priorities.
    #[default]
    Mixed,
    /// Uniformly.
    Random,
    /// By priorities with this many changes but one.
    Pct(u32),
}

impl Choosing {
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

/// What to explore.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The workload.
    pub workload: &'static Workload,
    /// The planted bug in the system, by name.
    pub bug: Option<&'static str>,
    /// What may go wrong.
    pub faults: Vec<FaultKind>,
    /// How schedules are chosen.
    pub choosing: Choosing,
    /// Which seeds.
    pub seeds: Range<u64>,
    /// Which of them.
    pub shard: Shard,
    /// When to stop although seeds are left.
    pub limit: Option<Duration>,
    /// Whether the first finding is enough.
    pub first_only: bool,
    /// On how many threads.
    pub jobs: usize,
}

impl Plan {
    /// These seeds of a workload with all faults, on all cores.
    pub fn all(workload: &'static Workload, seeds: Range<u64>) -> Self {
        Self {
            workload,
            bug: None,
            faults: FaultKind::ALL.to_vec(),
            choosing: Choosing::default(),
            seeds,
            shard: Shard::default(),
            limit: None,
            first_only: false,
            jobs: threads::available(),
        }
    }

    /// The case of a seed.
    pub fn case(&self, scripts: &Scripts, seed: u64) -> Case {
        Case {
            workload: self.workload.name.to_owned(),
            bug: self.bug.map(str::to_owned),
            seed,
            script: scripts.draw(seed),
            trouble: Trouble::Chance(self.faults.clone()),
            schedule: self.choosing.schedule(seed),
        }
    }
}

/// Runs that broke the same promise in the same manner.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Failure {
    /// The first of them, without chance.
    pub case: Case,
    /// The promise.
    pub invariant: String,
    /// How the first of them broke it.
    pub how: String,
    /// Their seeds, the first of them at most [`SEEDS_KEPT`].
    pub seeds: Vec<u64>,
    /// How many they are.
    pub count: u64,
}

/// How many seeds of a failure are kept.
pub const SEEDS_KEPT: usize = 100;

/// What an exploration came to.
#[derive(Debug, Clone, Default, serde::Serialize, serde::Deserialize)]
pub struct Exploration {
    /// How many runs there were.
    pub schedules: u64,
    /// How many decisions they had.
    pub decisions: u64,
    /// Which fault points were reached.
    pub coverage: Coverage,
    /// What failed, by what broke and how.
    pub failures: BTreeMap<String, Failure>,
    /// How long it took.
    pub took: Duration,
}

impl Exploration {
    /// How many runs broke a promise.
    pub fn failed(&self) -> u64 {
        self.failures.values().map(|failure| failure.count).sum()
    }

    /// How many runs there were in a second.
    pub fn rate(&self) -> f64 {
        self.schedules as f64 / self.took.as_secs_f64().max(1e-9)
    }

    /// Takes in what another exploration found.
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

    fn add(&mut self, run: &Run) {
        self.schedules += 1;
        self.decisions += run.decisions as u64;
        self.coverage.merge(coverage::of_run(run));
        if let Some(Violation { invariant, how }) = run.broken() {
            let failure = Failure {
                case: run.exact.clone(),
                invariant: (*invariant).to_owned(),
                how: how.clone(),
                seeds: vec![run.exact.seed],
                count: 1,
            };
            let shape = format!("{invariant}: {}", shape(how));
            self.merge(Self { failures: BTreeMap::from([(shape, failure)]), ..Self::default() });
        }
    }
}

impl Failure {
    /// Takes in others that failed in the same manner; the one of the smallest seed represents
    /// them, so that the order in which cores were done makes no difference.
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

/// A sentence without the ids and numbers in it.
fn shape(how: &str) -> String {
    let mut shape = String::new();
    let is_name = |word: &str| word.len() >= 12 && word.bytes().any(|b| b.is_ascii_digit());
    for word in how.split(|c: char| !c.is_ascii_alphanumeric() && c != '_') {
        if word.is_empty() {
            continue;
        }
        if !shape.is_empty() {
            shape.push(' ');
        }
        shape += if is_name(word) || word.bytes().all(|b| b.is_ascii_digit()) { "#" } else { word };
    }
    shape
}

/// Runs the cases of a plan, telling `audience` of each run.
///
/// # Errors
///
/// When the harness fails.
pub fn explore(plan: &Plan, audience: impl Fn(&Run) + Sync) -> Result<Exploration, WorldError> {
    let began = Instant::now();
    let Shard { number, of } = plan.shard;
    let next = AtomicU64::new(plan.seeds.start + (number - 1));
    let enough = AtomicBool::new(false);
    let all = Mutex::new(Exploration::default());
    let work = || -> Result<(), WorldError> {
        let scripts = plan.workload.open();
        let mut found = Exploration::default();
        loop {
            let seed = next.fetch_add(of, Ordering::Relaxed);
            let late = plan.limit.is_some_and(|limit| began.elapsed() >= limit);
            if seed >= plan.seeds.end || late || enough.load(Ordering::Relaxed) {
                break;
            }
            let run = simulate::judge(&plan.case(&scripts, seed))?;
            if run.is_finding() && plan.first_only {
                enough.store(true, Ordering::Relaxed);
            }
            found.add(&run);
            audience(&run);
        }
        all.lock().expect("no panic holds this lock").merge(found);
        Ok(())
    };
    on_threads(plan.jobs, work)?;
    let mut exploration = all.into_inner().expect("no panic holds this lock");
    exploration.took = began.elapsed();
    exploration.coverage.merge(Coverage::of(possible_points()));
    Ok(exploration)
}

#[cfg(test)]
mod tests {
    use super::shape;

    #[test]
    fn the_shape_of_a_sentence_has_no_names_in_it() {
        let one = "ticket 019b77387c00a1b2c3d4e5f6 is held by orders 2 and 31";
        assert_eq!(shape(one), "ticket # is held by orders # and #");
    }
}
