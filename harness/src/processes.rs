//! The world of processes: each service runs as two processes of its own, behind TCP links, and
//! faults are those of an operating system: processes and servers are killed and frozen, links are
//! cut, slowed and made half-open, and external services misbehave, all while clients act.
//!
//! The seed determines the scripts and the faults, and the operating system the schedule, so a
//! run cannot be replayed exactly. Calls on ports leave no trace, so invariants that need one are
//! left out; [`Outcome::left_out`] names them.
//!
//! Next: [`plan`] for the faults, `deployment` for what runs, `load` for the clients.

mod backend;
mod binary;
mod chaos;
mod deployment;
pub mod error;
pub mod external;
mod gateway;
mod instance;
pub mod latency;
pub mod link;
mod load;
pub mod plan;
mod world;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering::SeqCst;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use ports::clock::Clock as _;
use tokio_util::sync::CancellationToken;

use crate::evidence::Needs;
use crate::invariants::{QUIESCENCE, Violation};
use crate::search::races;
use crate::session::{RunError, Session};
use crate::subject::AnySubject;
use crate::time_scale::TimeScale;
use crate::trace::{Record, RecordKind};
use deployment::Deployment;
use load::{Load, Scripts};
use world::Processes;

pub use error::ProcessesError;
pub use latency::Latencies;
pub use load::Counts;
pub use plan::Injection;
pub use servers::are_unwanted;
pub use world::CONVERGENCE_LIMIT;

/// The name of the invariant that a service violates by exiting.
pub const NO_EXIT: &str = "no-exit";

/// The interval of progress.
const PROGRESS_INTERVAL: Duration = Duration::from_secs(1);

/// Added to the longest deadline that runs out during a run, after which no document may change
/// any more.
const STILL: Duration = Duration::from_secs(1);

/// The settings of a rehearsal of processes.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Determines the scripts and the faults.
    pub seed: u64,
    /// The time for which clients act and faults are injected.
    pub length: Duration,
    /// The number of instances of each service.
    pub instances: u32,
    /// The way in which clients act and faults occur.
    pub manner: Manner,
    /// The program that runs the services; `None` builds or finds it.
    pub binary: Option<PathBuf>,
    /// The folder of the logs of all instances.
    pub logs: PathBuf,
}

/// A way of acting.
#[derive(Debug, Clone, Copy)]
pub enum Manner {
    /// Clients play scripts one after the other while faults are injected.
    Harm {
        /// True if the servers are a cluster of three nodes each, whose leaders are killed and
        /// frozen.
        cluster: bool,
        /// The number of clients; at least as many as one script has.
        clients: usize,
    },
    /// Sales begin at a fixed rate, whatever became of those before, and nothing is injected.
    Rush {
        /// The number of buyers of each sale.
        buyers: usize,
        /// The number of things for sale in each.
        things: usize,
        /// The number of things for sale each second, in all sales together.
        rate: f64,
    },
}

/// An event of a rehearsal, for its audience.
#[derive(Debug, Clone)]
pub enum Progress<'a> {
    /// The program is built with this command.
    Building(&'a str),
    /// Everything runs; the load begins.
    Ready,
    /// The load goes on: the time so far, what the clients have done, the number of faults, and
    /// the last one.
    Load(Duration, &'a Counts, usize, &'a str),
    /// All faults are healed, and the system converges.
    Converging,
    /// The outcome is judged.
    Judging,
}

/// The outcome of a rehearsal of processes.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// The violations; none where everything held.
    pub violations: Vec<Violation>,
    /// The faults that were injected, in order.
    pub injected: Vec<Injection>,
    /// The work of the clients.
    pub counts: Counts,
    /// The latencies of a rush.
    pub latencies: Latencies,
    /// The time for which they acted.
    pub length: Duration,
    /// The figures of the subject: label and value.
    pub figures: Vec<(&'static str, String)>,
    /// The time from the end of the faults until nothing changed any more; `None` where it did
    /// not converge.
    pub converged: Option<Duration>,
    /// The invariants that were checked without their part that needs a trace.
    pub in_part: Vec<&'static str>,
    /// The invariants that were left out, because they need a trace.
    pub left_out: Vec<&'static str>,
    /// The requests, their answers and the faults.
    pub trace: Arc<Vec<Record>>,
}

impl Outcome {
    /// The violations with the record, for a report; `None` where everything held.
    pub fn finding(&self, seed: u64) -> Option<races::Finding> {
        let (violations, trace) = (self.violations.clone(), self.trace.clone());
        (!violations.is_empty()).then_some(races::Finding { seed, violations, trace })
    }

    /// The number of faults by kind and target: `killed`, `auth`, 3.
    pub fn faults(&self) -> BTreeMap<&'static str, BTreeMap<&'static str, u64>> {
        let mut counts: BTreeMap<_, BTreeMap<_, u64>> = BTreeMap::new();
        for (kind, target) in self.injected.iter().map(|injection| injection.fault.label()) {
            *counts.entry(kind).or_default().entry(target).or_default() += 1;
        }
        counts
    }
}

/// Rehearses the services of a subject as processes.
///
/// # Errors
///
/// When the harness has no verdict.
pub async fn rehearse(
    subject: &AnySubject,
    settings: &Settings,
    on_progress: impl Fn(&Progress<'_>),
) -> Result<Outcome, ProcessesError> {
    let declared = subject.processes().ok_or(ProcessesError::Undeclared(subject.name()))?;
    let scripts = scripts(subject, settings)?;
    let is_harmed = matches!(settings.manner, Manner::Harm { .. });
    let clustered = matches!(settings.manner, Manner::Harm { cluster: true, .. });
    let on_build = |command: &str| on_progress(&Progress::Building(command));
    let binary = binary::find(declared.package, settings.binary.as_deref(), on_build).await?;
    let deadline = subject.deadlines().iter().copied().min().unwrap_or(TimeScale::NO_DEADLINE);
    let time = TimeScale::under_load(deadline);
    let (system, mut clients) = subject.open(&time, &crate::settings::Settings::default());
    let namespace = format!("rehearsal-{}", std::process::id());
    let plan = deployment::Plan {
        system: &system,
        processes: &declared,
        time: &time,
        binary: &binary,
        namespace: &namespace,
        instances: settings.instances,
        clustered,
        linked: is_harmed,
        logs: &settings.logs,
    };
    let deployment = Arc::new(Deployment::start(&plan).await?);
    let mut world = Processes::of(system.clone(), Arc::clone(&deployment), namespace).await?;
    let prepared = clients.prepare(&scripts.clients(), &mut world).await;
    prepared.map_err(RunError::Unprepared)?;
    on_progress(&Progress::Ready);

    let ids: Vec<_> = deployment.instances.iter().map(|instance| instance.id).collect();
    let mut plan = Vec::new();
    if is_harmed {
        plan = plan::draw(settings.seed, settings.length, &ids, clustered);
    }
    let (gateway, trace) = (Arc::clone(&world.gateway), world.trace.clone());
    let load = Load::new(subject, scripts, clients, (&gateway, &trace, &time));
    let injected = Injected { world: &world, faults: Mutex::default() };
    under_load(&deployment, settings, &plan, &load, &injected, &on_progress).await?;
    let injected = injected.faults.into_inner();

    on_progress(&Progress::Converging);
    let (mut clients, history, counts, latencies) = load.into_parts();
    clients.heal();
    // A deadline that no run lasts for changes nothing before its end.
    let deadlines = subject.deadlines().iter().map(|&written| time.deadline(written));
    let longest = deadlines.filter(|deadline| *deadline < CONVERGENCE_LIMIT).max();
    let still = longest.unwrap_or_default() + STILL;
    let converged = world.converge(still, Some(&*clients)).await;
    let trace = world.trace.clone();
    let mut session = Session::resume(Box::new(world), clients, history, time);
    let mut violations = Vec::new();
    let mut figures = Vec::new();
    if converged.is_ok() {
        on_progress(&Progress::Judging);
        match session.conclude(true).await {
            Ok(facts) => {
                violations = session.judge(subject, &facts);
                figures = session.figures(subject, &facts);
            }
            Err(why) => violations.push(why.into_finding()?.into()),
        }
    }
    let exits = deployment.instances.iter().flat_map(|instance| instance.exits());
    violations.extend(exits.map(|how| Violation { invariant: NO_EXIT.to_owned(), how }));
    session.end().await;
    let converged = match converged {
        Ok(after) => Some(after),
        Err(why) => {
            let how = format!("within {CONVERGENCE_LIMIT:?} {why}");
            violations.push(Violation { invariant: QUIESCENCE.to_owned(), how });
            None
        }
    };
    let needing = |needs| {
        let all = subject.invariants().iter().filter(move |statement| statement.needs == needs);
        all.map(|statement| statement.name).collect()
    };
    Ok(Outcome {
        violations,
        injected,
        counts,
        latencies,
        length: settings.length,
        figures,
        converged,
        in_part: needing(Needs::TraceInPart),
        left_out: needing(Needs::Trace),
        trace: trace.records(),
    })
}

/// The scripts that the clients play.
fn scripts(subject: &AnySubject, settings: &Settings) -> Result<Scripts, ProcessesError> {
    match settings.manner {
        Manner::Harm { clients, .. } => {
            let draws = subject.load().ok_or(ProcessesError::NoWorkload(subject.name()))?;
            Ok(Scripts::draw(draws, settings.seed, clients))
        }
        Manner::Rush { buyers, things, .. } => {
            let (_, script) = subject.sale().ok_or(ProcessesError::NoSale(subject.name()))?;
            Ok(Scripts::one(script(buyers, things)))
        }
    }
}

/// The faults that were injected so far.
struct Injected<'a> {
    world: &'a Processes,
    faults: Mutex<Vec<Injection>>,
}

impl Injected<'_> {
    fn add(&self, injection: &Injection) {
        let text = injection.fault.to_string();
        let now = adapters::system::SystemClock.now();
        self.world.trace.add(now, None, RecordKind::Step { text });
        self.world.injected.fetch_add(1, SeqCst);
        self.faults.lock().push(injection.clone());
    }

    fn last(&self) -> String {
        self.faults.lock().last().map(|last| last.fault.to_string()).unwrap_or_default()
    }
}

/// Lets the clients act while faults are injected. In the end all faults are healed.
async fn under_load(
    deployment: &Deployment,
    settings: &Settings,
    plan: &[Injection],
    load: &Load<'_>,
    injected: &Injected<'_>,
    on_progress: &impl Fn(&Progress<'_>),
) -> Result<(), ProcessesError> {
    let (began, ended) = (Instant::now(), CancellationToken::new());
    let chaos = chaos::carry_out(deployment, plan, &ended, |injection| injected.add(injection));
    let play = async {
        let until = began + settings.length;
        match settings.manner {
            Manner::Harm { .. } => load.play(until).await,
            Manner::Rush { things, rate, .. } => load.rush(rate / things as f64, until).await,
        }
        ended.cancel();
        Ok(())
    };
    let observed = async {
        loop {
            tokio::time::sleep(PROGRESS_INTERVAL).await;
            let (faults, last) = (injected.world.injected.load(SeqCst), injected.last());
            on_progress(&Progress::Load(began.elapsed(), &load.counts(), faults, &last));
        }
    };
    tokio::select! {
        done = futures::future::try_join(chaos, play) => done.map(|_| ()),
        () = observed => unreachable!("progress is reported until the load ends"),
    }
}
