//! Runs a case in simulation and judges it.
//!
//! A run has two phases. First people act while things go wrong. Then everything is healed,
//! and the system must come to rest by itself, with every promise kept. Everybody signs up
//! before, in the polite order and unharmed, so that runs differ where it matters.

use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use harness::faults::{FaultRule, Mix, Operation};
use harness::simulated::Simulated;
use harness::system::System;
use harness::trace::{Record, Trace};
use harness::world::{World, WorldError};
use sim::kernel::Reordering;
use sim::scheduler::{Fifo, Replay};
use ticketing::Settings;

use crate::case::{Case, Schedule, Trouble};
use crate::invariants::{Evidence, Violation, violations};
use crate::pace::Pace;
use crate::perform::{Company, PerformError, Performed, conclude};
use crate::planted;
use crate::provider::Provider;
use crate::system::system;

/// How long an order holds its ticket.
pub const WINDOW: Duration = Duration::from_secs(15 * 60);

/// The promise that is broken where a system never comes to rest.
pub const COMES_TO_REST: &str = "comes-to-rest";

/// What came of a case.
#[derive(Debug, Clone)]
pub struct Run {
    /// The promises that were broken; none where all held.
    pub violations: Vec<Violation>,
    /// The same run as a case without chance.
    pub exact: Case,
    /// How often each kind of fault was to strike, where chance had a hand in it.
    pub mix: Option<Mix>,
    /// The calls there were: service, operation, target, how many.
    pub places: Vec<(&'static str, Operation, String, u32)>,
    /// What went first although others had waited longer, where that was watched.
    pub turned: Vec<Reordering>,
    /// What people did, and what they were told.
    pub performed: Vec<Performed>,
    /// How many decisions there were.
    pub decisions: usize,
    /// How many orders were made.
    pub orders: usize,
    /// The record.
    pub trace: Arc<Vec<Record>>,
    /// What the promises were judged by; `None` where the system never came to rest.
    pub evidence: Option<Arc<Evidence>>,
}

impl Run {
    /// Whether it broke a promise.
    pub fn is_finding(&self) -> bool {
        !self.violations.is_empty()
    }

    /// The first promise that it broke.
    pub fn broken(&self) -> Option<&Violation> {
        self.violations.first()
    }

    /// What struck, as rules that strike again.
    pub fn injected(&self) -> &[FaultRule] {
        match &self.exact.trouble {
            Trouble::Exact(rules) => rules,
            Trouble::Chance(_) => &[],
        }
    }
}

/// Runs a case for its verdict: [`Run::trace`] leaves out what was asked of the stores.
///
/// # Errors
///
/// As [`run`].
pub fn judge(case: &Case) -> Result<Run, WorldError> {
    simulate(case, false, Trace::lean())
}

/// Runs a case.
///
/// # Errors
///
/// When the harness fails, or the case names a bug that is not planted.
pub fn run(case: &Case) -> Result<Run, WorldError> {
    simulate(case, false, Trace::default())
}

/// Runs a case and notes which decisions were not the polite one; see [`Run::turned`].
///
/// # Errors
///
/// As [`run`].
pub fn run_watched(case: &Case) -> Result<Run, WorldError> {
    simulate(case, true, Trace::default())
}

fn simulate(case: &Case, watch: bool, trace: Trace) -> Result<Run, WorldError> {
    let provider = Provider::new(&Settings::rehearsal().provider.key);
    let system = system(&provider, WINDOW, Pace::simulated().policy);
    let system = plant(case.bug.as_deref(), system)?;
    let mut world = Simulated::traced(system, case.seed, Box::new(Fifo), trace);
    let mix = match &case.trouble {
        Trouble::Chance(kinds) => Some(Mix::draw(case.seed, kinds)),
        Trouble::Exact(_) => None,
    };
    let mut acts = Vec::new();
    let performed = perform(case, mix.as_ref(), watch, &mut world, &provider, &mut acts);
    let performed = performed.now_or_never();
    let performed = performed.expect("a simulated world never waits for anything outside");
    let violations = verdict(&performed)?;
    let evidence = performed.ok().map(Arc::new);
    let decisions = world.kernel().decisions();
    Ok(Run {
        violations,
        exact: Case {
            trouble: Trouble::Exact(world.faults().injected()),
            schedule: Schedule::Exact(Replay::deviations(&decisions)),
            ..case.clone()
        },
        mix,
        places: world.faults().places(),
        turned: world.kernel().reorderings(),
        performed: acts,
        decisions: decisions.len(),
        orders: evidence.as_ref().map_or(0, |evidence| evidence.orders.len()),
        trace: world.trace().records(),
        evidence,
    })
}

/// The system with this bug planted; as it is without one.
///
/// # Errors
///
/// When there is no such bug.
pub fn plant(bug: Option<&str>, system: System) -> Result<System, WorldError> {
    let Some(name) = bug else { return Ok(system) };
    let bug = planted::named(name);
    let bug = bug.ok_or_else(|| WorldError(format!("there is no planted bug {name:?}")))?;
    Ok((bug.system)(system))
}

/// The promises that a performance broke; one that never came to rest broke [`COMES_TO_REST`].
///
/// # Errors
///
/// When the harness failed.
pub(crate) fn verdict(
    performed: &Result<Evidence, PerformError>,
) -> Result<Vec<Violation>, WorldError> {
    match performed {
        Ok(evidence) => Ok(violations(evidence)),
        Err(PerformError::NotQuiescent(stuck)) => {
            Ok(vec![Violation { invariant: COMES_TO_REST, how: stuck.to_string() }])
        }
        Err(PerformError::World(error)) => Err(error.clone()),
    }
}

async fn perform(
    case: &Case,
    mix: Option<&Mix>,
    watch: bool,
    world: &mut Simulated,
    provider: &Provider,
    acts: &mut Vec<Performed>,
) -> Result<Evidence, PerformError> {
    let mut company = Company::sign_up(&case.script, world).await?;
    world.revive();
    world.kernel().set_scheduler(case.schedule.scheduler(case.seed));
    if watch {
        let trace = world.trace().clone();
        world.kernel().watch(move || trace.len());
    }
    match (&case.trouble, mix) {
        (Trouble::Exact(rules), _) => world.faults().plan(rules.iter().cloned()),
        (Trouble::Chance(_), Some(mix)) => world.faults().begin(mix.clone()),
        (Trouble::Chance(_), None) => {}
    }
    let played = company.play(&case.script, world).await;
    *acts = company.take_performed();
    played?;
    conclude(&company, world, provider, &Pace::simulated().policy, true).await
}
