//! The one run loop of the simulation: prepare, inject, play, heal, quiesce, judge.
//!
//! A run has two phases. First the clients act while faults are injected. Then everything is
//! healed, and the system must reach quiescence by itself with every invariant intact. The
//! clients are prepared before, in FIFO order and without faults, so that runs differ where it
//! matters.

use std::sync::Arc;

use futures::FutureExt;
use sim::kernel::{Choice, Kernel};
use sim::scheduler::{Fifo, Replay, Scheduler};

use crate::case::{Case, FaultPlan, Schedule};
use crate::evidence::Facts;
use crate::faults::{Effect, FaultRule, Mix, Operation};
use crate::history::History;
use crate::invariants::Violation;
use crate::quiescence::NotQuiescent;
use crate::session::{EndError, RunError, Session};
use crate::subject::AnySubject;
use crate::subject::any::AnyClients;
use crate::trace::{Record, Trace};

/// The outcome of a case.
pub struct Run {
    /// The invariants that were violated; none where all held.
    pub violations: Vec<Violation>,
    /// The same run as a case without chance.
    pub exact: Case,
    /// The rate of each kind of fault, where they were injected by chance.
    pub mix: Option<Mix>,
    /// The calls at which a fault could be injected: service, operation, target, count.
    pub places: Vec<(&'static str, Operation, String, u32)>,
    /// The decisions with what else was pending, where the run was watched.
    pub choices: Vec<Choice>,
    /// The operations of the clients.
    pub history: History,
    /// The clients at the end of the run.
    pub clients: Box<dyn AnyClients>,
    /// The number of decisions.
    pub decisions: usize,
    /// The number of calls until the script ended.
    pub calls: u64,
    /// The fault that was injected at the call of a given number.
    pub injected_at_call: Option<FaultRule>,
    /// The record.
    pub trace: Arc<Vec<Record>>,
    /// The facts that were judged; `None` where the system never reached quiescence.
    pub facts: Option<Arc<Facts>>,
}

impl std::fmt::Debug for Run {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Run")
            .field("violations", &self.violations)
            .field("exact", &self.exact)
            .finish_non_exhaustive()
    }
}

impl Run {
    /// Whether it violated an invariant.
    pub fn is_finding(&self) -> bool {
        !self.violations.is_empty()
    }

    /// The first invariant that it violated.
    pub fn violation(&self) -> Option<&Violation> {
        self.violations.first()
    }

    /// Whether it violated the invariant of this name.
    pub fn violates(&self, invariant: &str) -> bool {
        self.violations.iter().any(|violation| violation.invariant == invariant)
    }

    /// The decisions that deviate from FIFO, where the run was watched.
    pub fn reorderings(&self) -> impl Iterator<Item = &Choice> {
        self.choices.iter().filter(|choice| choice.is_reordering())
    }

    /// The injected faults, as rules that inject them again.
    pub fn injected(&self) -> &[FaultRule] {
        match &self.exact.faults {
            FaultPlan::Exact(rules) => rules,
            FaultPlan::Chance(_) => &[],
        }
    }
}

/// Options of a run that are not part of the case.
#[derive(Default)]
pub struct Options<'a> {
    /// Where the run is recorded.
    pub trace: Trace,
    /// True if the decisions are noted, with what else was pending.
    pub watch: bool,
    /// The number of rounds that run first in FIFO order.
    pub lead: usize,
    /// The scheduler after the lead, instead of the case's.
    pub scheduler: Option<&'a dyn Fn() -> Box<dyn Scheduler>>,
    /// One more fault, at the call of this number, counted from 0.
    pub at_call: Option<(u64, Effect)>,
    /// Whether to skip the survey of the clients after quiescence.
    pub skip_survey: bool,
}

impl Options<'_> {
    /// For the verdict alone: the trace leaves out the inputs of store calls.
    pub fn verdict() -> Self {
        Self { trace: Trace::lean(), ..Self::default() }
    }

    /// With the choices noted.
    pub fn watched() -> Self {
        Self { watch: true, ..Self::default() }
    }
}

/// Runs a case for its verdict.
///
/// # Errors
///
/// As [`run`].
pub fn judge(subject: &AnySubject, case: &Case) -> Result<Run, RunError> {
    run_with(subject, case, Options::verdict())
}

/// Runs a case.
///
/// # Errors
///
/// When the harness fails, or the case names a bug that is not planted.
pub fn run(subject: &AnySubject, case: &Case) -> Result<Run, RunError> {
    run_with(subject, case, Options::default())
}

/// Runs a case and notes its decisions; see [`Run::choices`].
///
/// # Errors
///
/// As [`run`].
pub fn run_watched(subject: &AnySubject, case: &Case) -> Result<Run, RunError> {
    run_with(subject, case, Options::watched())
}

/// Runs a case with these options.
///
/// # Errors
///
/// As [`run`].
pub fn run_with(subject: &AnySubject, case: &Case, options: Options<'_>) -> Result<Run, RunError> {
    Ok(drive(subject, case, options)?.into_run(subject))
}

/// A case that was driven to its end and not judged yet.
pub(crate) struct Driven<'c> {
    case: &'c Case,
    session: Session,
    mix: Option<Mix>,
    progress: Progress,
    ended: Result<Facts, NotQuiescent>,
}

/// Drives a case to its end.
pub(crate) fn drive<'c>(
    subject: &AnySubject,
    case: &'c Case,
    options: Options<'_>,
) -> Result<Driven<'c>, RunError> {
    let Options { trace, watch, lead, scheduler, at_call, skip_survey } = options;
    let mut session =
        Session::simulated(subject, case.bug.as_deref(), &case.settings, case.seed, trace)?;
    let mix = match &case.faults {
        FaultPlan::Chance(kinds) => Some(Mix::draw(case.seed, kinds)),
        FaultPlan::Exact(_) => None,
    };
    let plan = Plan { watch, lead, scheduler, at_call, survey: !skip_survey };
    let mut progress = Progress::default();
    let driving = play(&mut session, case, mix.as_ref(), &plan, &mut progress).now_or_never();
    let ended = match driving.expect("a simulated world never waits for anything real") {
        Ok(facts) => Ok(facts),
        Err(why) => Err(why.into_finding()?),
    };
    Ok(Driven { case, session, mix, progress, ended })
}

/// The options that apply after the start.
struct Plan<'a> {
    watch: bool,
    lead: usize,
    scheduler: Option<&'a dyn Fn() -> Box<dyn Scheduler>>,
    at_call: Option<(u64, Effect)>,
    survey: bool,
}

/// The numbers of a run that do not depend on how it ends.
#[derive(Default)]
struct Progress {
    /// The number of decisions of the lead.
    lead: u32,
    /// The number of calls until the script ended.
    calls: u64,
}

async fn play(
    session: &mut Session,
    case: &Case,
    mix: Option<&Mix>,
    plan: &Plan<'_>,
    progress: &mut Progress,
) -> Result<Facts, EndError> {
    session.prepare(&case.script.clients).await?;
    session.world().revive();
    let scheduler = || match plan.scheduler {
        Some(scheduler) => scheduler(),
        None => case.schedule.scheduler(case.seed),
    };
    let (lead, explored) = case.script.rounds.split_at(plan.lead.min(case.script.rounds.len()));
    session.set_scheduler(if lead.is_empty() { scheduler() } else { Box::new(Fifo) });
    if plan.watch {
        let trace = session.world().trace().clone();
        if let Some(kernel) = session.kernel() {
            kernel.watch(move || trace.len());
        }
    }
    match (&case.faults, mix) {
        (FaultPlan::Exact(rules), _) => session.world().faults().plan(rules.iter().cloned()),
        (FaultPlan::Chance(_), Some(mix)) => session.world().faults().begin(mix.clone()),
        (FaultPlan::Chance(_), None) => {}
    }
    if let Some((call, effect)) = plan.at_call {
        session.world().faults().inject_at_call(call, effect);
    }
    if !lead.is_empty() {
        session.play(lead).await?;
        progress.lead = session.kernel().map_or(0, count);
        session.set_scheduler(scheduler());
    }
    session.play(explored).await?;
    progress.calls = session.world().faults().calls();
    session.conclude(plan.survey).await
}

impl Driven<'_> {
    /// The kernel of the world.
    pub(crate) fn kernel(&self) -> &Kernel {
        self.session.kernel().expect("the world is simulated")
    }

    /// Judges the run.
    pub(crate) fn into_run(self, subject: &AnySubject) -> Run {
        let Self { case, mut session, mix, progress: Progress { lead, calls }, ended } = self;
        let (violations, facts) = match ended {
            Ok(facts) => (session.judge(subject, &facts), Some(Arc::new(facts))),
            Err(why) => (vec![why.into()], None),
        };
        let kernel = session.kernel().expect("the world is simulated").clone();
        let decisions = kernel.decisions();
        let deviations = Replay::deviations(&decisions).into_iter();
        let deviations = deviations.map(|(number, decision)| (number + lead, decision));
        let faults = session.world().faults().clone();
        let trace = session.world().trace().records();
        let (clients, history) = session.into_parts();
        Run {
            violations,
            exact: Case {
                faults: FaultPlan::Exact(faults.injected()),
                schedule: Schedule::Exact(deviations.collect()),
                ..case.clone()
            },
            mix,
            places: faults.places(),
            choices: kernel.choices(),
            decisions: decisions.len(),
            calls,
            injected_at_call: faults.injected_at_call(),
            trace,
            history,
            clients,
            facts,
        }
    }
}

fn count(kernel: &Kernel) -> u32 {
    u32::try_from(kernel.decisions().len()).expect("a run has few decisions")
}
