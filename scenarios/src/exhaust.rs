//! Exhausts a scope: every schedule of a small script, as far as schedules can make a
//! difference, each judged by every promise.
//!
//! What is explored begins once everybody has signed up and the lead, the first rounds of the
//! script, was played politely. Faults are those that the scope names, or none. Within that a
//! search that ends by itself is complete: see [`sim::scheduler::exhaustive`] for what
//! it spares and why that loses nothing. It renders nothing; it tells an audience how it goes.

mod scopes;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use futures::FutureExt;
use harness::faults::{Effect, FaultRule};
use harness::simulated::Simulated;
use harness::world::{World, WorldError};
use sim::scheduler::exhaustive::independence::Coupling;
use sim::scheduler::exhaustive::{Counts, Search};
use sim::scheduler::{Fifo, Replay};
use ticketing::Settings;

use crate::case::{Case, Schedule, Trouble};
use crate::invariants::Violation;
use crate::pace::Pace;
use crate::perform::{Company, PerformError, rest};
use crate::provider::Provider;
use crate::script::{Act, Script};
use crate::simulate::{WINDOW, plant, verdict};
use crate::system::system;

pub use scopes::{Named, SCOPES, named};

/// What to exhaust.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scope {
    /// Its name.
    pub name: String,
    /// The planted bug in the system, by name.
    pub bug: Option<String>,
    /// Where ids come from.
    pub seed: u64,
    /// What people do.
    pub script: Script,
    /// How many of its rounds are played politely first.
    pub lead: usize,
    /// What goes wrong.
    pub rules: Vec<FaultRule>,
}

/// When to stop although something is left to try.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Limit {
    /// After this many schedules.
    pub schedules: Option<u64>,
    /// After this long.
    pub time: Option<Duration>,
    /// At the first failure.
    pub first_only: bool,
}

/// How far a search is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// What it has seen and spared.
    pub counts: Counts,
    /// How many schedules broke a promise.
    pub failed: u64,
    /// How long it has taken.
    pub took: Duration,
}

/// Schedules that broke the same promise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The first of them, exactly.
    pub case: Case,
    /// How it broke the promise.
    pub how: String,
    /// How many they are.
    pub count: u64,
}

/// What came of a scope.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exhausted {
    /// What was seen and spared.
    pub counts: Counts,
    /// Whether nothing is left to try.
    pub complete: bool,
    /// What failed, by the promise that was broken first.
    pub failures: BTreeMap<&'static str, Failure>,
    /// How long it took.
    pub took: Duration,
}

/// Runs every schedule of the scope, or as many as the limit allows, and tells `audience` after
/// each.
///
/// # Errors
///
/// When the harness fails, or the scope names a bug that is not planted.
pub fn exhaust(
    scope: &Scope,
    limit: Limit,
    audience: impl Fn(Progress),
) -> Result<Exhausted, WorldError> {
    let began = Instant::now();
    let search = Search::new(coupling(scope));
    let mut failures: BTreeMap<&'static str, Failure> = BTreeMap::new();
    let mut failed = 0;
    let complete = loop {
        if let Some((Violation { invariant, how }, case)) = run(scope, &search)? {
            failed += 1;
            let failure = || Failure { case, how, count: 0 };
            failures.entry(invariant).or_insert_with(failure).count += 1;
        }
        let counts = search.counts();
        audience(Progress { counts, failed, took: began.elapsed() });
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

/// Planned faults count calls: those of an instance, and where they strike wider or a service
/// has several instances, all calls.
fn coupling(scope: &Scope) -> Coupling {
    let wide = |rule: &FaultRule| {
        let everywhere = [Effect::Partition as fn(_) -> _, Effect::Outage, Effect::Jump];
        let wide = everywhere.iter().any(|wide| {
            std::mem::discriminant(&wide(Duration::ZERO)) == std::mem::discriminant(&rule.effect)
        });
        wide || matches!(rule.effect, Effect::LoseTail(_)) || rule.service.is_none()
    };
    let scales = |act: &Act| matches!(act, Act::Scale { .. });
    let scaled = scope.script.rounds.iter().flat_map(|round| &round.acts).any(scales);
    match &scope.rules[..] {
        [] if scaled => Coupling::Looks,
        [] => Coupling::Free,
        rules if scaled || rules.iter().any(wide) => Coupling::All,
        _ => Coupling::Instances,
    }
}

/// Runs the next schedule; returns the first promise that it broke, and its case.
fn run(scope: &Scope, search: &Search) -> Result<Option<(Violation, Case)>, WorldError> {
    let provider = Provider::new(&Settings::rehearsal().provider.key);
    let system = system(&provider, WINDOW, Pace::simulated().policy);
    let system = plant(scope.bug.as_deref(), system)?;
    let mut world = Simulated::start(system, scope.seed, Box::new(Fifo));
    let mut polite = 0;
    let performed = perform(scope, search, &mut polite, &mut world, &provider).now_or_never();
    let performed = performed.expect("a simulated world never waits for anything outside");
    if !search.end(&world.kernel().take_accesses()) {
        return Ok(None);
    }
    let broken = verdict(&performed)?.into_iter().next();
    let case = || {
        let turns = Replay::deviations(&world.kernel().decisions());
        let turns = turns.into_iter().map(|(number, position)| (number + polite, position));
        Case {
            workload: scope.name.clone(),
            bug: scope.bug.clone(),
            seed: scope.seed,
            script: scope.script.clone(),
            trouble: Trouble::Exact(scope.rules.clone()),
            schedule: Schedule::Exact(turns.collect()),
        }
    };
    Ok(broken.map(|broken| (broken, case())))
}

/// Plays the script; `polite` is how many decisions its lead took.
async fn perform(
    scope: &Scope,
    search: &Search,
    polite: &mut u32,
    world: &mut Simulated,
    provider: &Provider,
) -> Result<crate::invariants::Evidence, PerformError> {
    let mut company = Company::sign_up(&scope.script, world).await?;
    world.revive();
    world.kernel().set_scheduler(Box::new(Fifo));
    world.faults().plan(scope.rules.iter().cloned());
    let (people, rounds) = (scope.script.people, &scope.script.rounds);
    let (lead, explored) = rounds.split_at(scope.lead.min(rounds.len()));
    company.play(&Script { people, rounds: lead.to_vec() }, world).await?;
    *polite = u32::try_from(world.kernel().decisions().len()).expect("a run has few decisions");
    world.kernel().set_scheduler(search.scheduler());
    company.play(&Script { people, rounds: explored.to_vec() }, world).await?;
    rest(&company, world, provider, &Pace::simulated().policy, true).await
}
