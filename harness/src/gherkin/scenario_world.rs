//! The world of a scenario: a session, opened as the scenario demands, and state for the steps of
//! a subject. It carries out actions; the steps assert.

mod end;
mod scripted;

use std::any::Any;
use std::fmt;
use std::time::Duration;

use sim::scheduler::{Random, Replay, Scheduler};

use crate::case::Decision;
use crate::invariants::Violation;
use crate::quiescence::NotQuiescent;
use crate::script::{Action, Then};
use crate::session::{RunError, Session};
use crate::settings::Settings;
use crate::subject::{AnyOperation, AnySubject, Unprepared};
use crate::system::System;
use crate::time_scale::TimeScale;
use crate::trace::Trace;
use crate::world::{World, WorldError};

/// Makes the scheduler of a simulated scenario from its seed.
pub type MakeScheduler = fn(u64) -> Box<dyn Scheduler>;

/// The world that a scenario runs in.
#[derive(Debug, Clone, Copy)]
pub enum WorldKind {
    /// In simulation.
    Simulated {
        /// The source of ids, salts and decisions.
        seed: u64,
        /// The scheduler.
        scheduler: MakeScheduler,
    },
    /// On real servers.
    Real,
}

impl WorldKind {
    /// In simulation, with uniformly random decisions.
    pub fn simulated(seed: u64) -> Self {
        Self::Simulated { seed, scheduler: |seed| Box::new(Random::new(seed)) }
    }

    /// Its name, as in the tag `@simulated-only`.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Simulated { .. } => "simulated",
            Self::Real => "real",
        }
    }
}

/// Why a step failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StepError {
    /// An assertion of the step failed.
    #[error("{0}")]
    Failed(String),
    /// The system does not reach quiescence.
    #[error(transparent)]
    NotQuiescent(#[from] NotQuiescent),
    /// A client could not be prepared.
    #[error(transparent)]
    Unprepared(#[from] Unprepared),
    /// The world failed.
    #[error(transparent)]
    World(#[from] WorldError),
    /// The harness failed.
    #[error(transparent)]
    Run(#[from] RunError),
}

impl StepError {
    /// A failed assertion.
    pub fn new(why: impl Into<String>) -> Self {
        Self::Failed(why.into())
    }

    /// Asserts a condition.
    ///
    /// # Errors
    ///
    /// The text of `why`, if the condition is false.
    pub fn unless(holds: bool, why: impl FnOnce() -> String) -> Result<(), Self> {
        if holds { Ok(()) } else { Err(Self::Failed(why())) }
    }
}

/// The outcome of a step.
pub type Done = Result<(), StepError>;

/// The world of a scenario.
#[derive(cucumber::World)]
#[world(init = Self::unopened)]
pub struct ScenarioWorld(Option<Box<Open>>);

/// An open world.
struct Open {
    subject: AnySubject,
    session: Session,
    kind: WorldKind,
    bug: Option<String>,
    settings: Settings,
    /// Whether a connection is cut.
    cut: bool,
    /// Whether an instance that a fault crashes starts again by itself.
    revives: bool,
    /// Whether the steps of the scenario say when to quiesce.
    scripted: bool,
    /// Whether the scenario has set a seed and no clients yet.
    seeded: bool,
    /// The number of calls before the last act.
    last: usize,
    /// The violations at the end of the run, once a step has ended it.
    concluded: Option<Vec<Violation>>,
    state: Option<Box<dyn Any>>,
}

impl fmt::Debug for ScenarioWorld {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScenarioWorld").field("open", &self.0.is_some()).finish_non_exhaustive()
    }
}

impl ScenarioWorld {
    /// A world that is not open yet.
    fn unopened() -> Self {
        Self(None)
    }

    /// Opens a world with one instance of each service.
    ///
    /// # Errors
    ///
    /// When the real servers cannot be had or a service does not start.
    pub async fn open(
        subject: &AnySubject,
        kind: WorldKind,
        time: TimeScale,
    ) -> Result<Self, RunError> {
        let session = match kind {
            WorldKind::Simulated { seed, scheduler } => {
                let session = Session::simulated(
                    subject,
                    None,
                    &Settings::default(),
                    seed,
                    Trace::default(),
                )?;
                session.set_scheduler(scheduler(seed));
                session
            }
            WorldKind::Real => Session::real(subject, time).await?,
        };
        Ok(Self::of(subject, kind, session))
    }

    /// Opens a simulated world of a changed system, in which an instance that crashes by a
    /// fault starts again by itself.
    pub(crate) fn open_reviving(
        subject: &AnySubject,
        seed: u64,
        scheduler: MakeScheduler,
        change: fn(System) -> System,
    ) -> Result<Self, RunError> {
        let trace = Trace::default();
        let mut session =
            Session::simulated_with(subject, None, &Settings::default(), seed, trace, change)?;
        session.set_scheduler(scheduler(seed));
        session.world().revive();
        let mut world = Self::of(subject, WorldKind::Simulated { seed, scheduler }, session);
        world.inner_mut().revives = true;
        Ok(world)
    }

    fn of(subject: &AnySubject, kind: WorldKind, session: Session) -> Self {
        Self(Some(Box::new(Open {
            subject: subject.clone(),
            session,
            kind,
            bug: None,
            settings: Settings::default(),
            cut: false,
            revives: false,
            scripted: false,
            seeded: false,
            last: 0,
            concluded: None,
            state: None,
        })))
    }

    fn inner(&self) -> &Open {
        self.0.as_deref().expect("a scenario begins with an open world")
    }

    fn inner_mut(&mut self) -> &mut Open {
        self.0.as_deref_mut().expect("a scenario begins with an open world")
    }

    /// Whether a world was opened and not ended.
    pub fn is_open(&self) -> bool {
        self.0.is_some()
    }

    /// The subject.
    pub fn subject(&self) -> &AnySubject {
        &self.inner().subject
    }

    /// The session.
    pub fn session(&mut self) -> &mut Session {
        &mut self.inner_mut().session
    }

    /// The session, read-only.
    pub fn session_ref(&self) -> &Session {
        &self.inner().session
    }

    /// The world.
    pub fn world(&mut self) -> &mut dyn World {
        self.inner_mut().session.world()
    }

    /// The meaning of durations in this world.
    pub fn time(&self) -> &TimeScale {
        self.inner().session.time()
    }

    /// The state of the subject's steps; created at the first call.
    pub fn state<T: Default + 'static>(&mut self) -> &mut T {
        let state = &mut self.inner_mut().state;
        let state = state.get_or_insert_with(|| Box::new(T::default()));
        state.downcast_mut().expect("a subject keeps one type of state")
    }

    /// Carries out actions at the same moment, and waits for all replies. Clients that are new
    /// are prepared before.
    ///
    /// # Errors
    ///
    /// When an operation cannot be sent yet, or a service does not start.
    pub async fn act(&mut self, actions: &[Action]) -> Result<(), StepError> {
        let open = self.inner_mut();
        if !open.scripted {
            let operations = actions.iter().filter_map(Action::operation);
            let clients: Vec<String> = operations.flat_map(AnyOperation::clients).collect();
            open.session.prepare_new(&clients).await?;
        }
        open.last = open.session.history().calls().len();
        open.session.act(actions).await?;
        let done = open.session.history().calls().len() - open.last;
        StepError::unless(open.scripted || done == actions.len(), || {
            let actions: Vec<String> = actions.iter().map(ToString::to_string).collect();
            format!(
                "an operation refers to something that does not exist yet: {}",
                actions.join("; ")
            )
        })
    }

    /// The calls of the last act.
    pub fn last(&self) -> &[crate::history::Call] {
        let open = self.inner();
        &open.session.history().calls()[open.last..]
    }

    /// Lets this much time pass, on the time scale of this world.
    pub async fn pass(&mut self, written: Duration) {
        let time = self.time().of(written);
        self.world().pass(time).await;
    }

    /// Lets this much time pass, and leaves the timers due at its end to the next step.
    pub async fn pass_to(&mut self, written: Duration) {
        let time = self.time().of(written);
        self.world().pass_to(time).await;
    }

    /// Carries out the pause after a round.
    pub async fn pause(&mut self, then: Then) {
        self.inner_mut().session.pause(then).await;
    }

    /// Waits for quiescence, unless a connection is cut or a service is down, which prevents it.
    ///
    /// # Errors
    ///
    /// The reasons why the system is not quiescent.
    pub async fn quiesce(&mut self) -> Result<(), StepError> {
        // An instance that starts again by itself ends the disturbance.
        if self.inner().cut || (!self.inner().revives && self.is_disturbed()) {
            return Ok(());
        }
        match self.world().quiesce().await {
            // A planned crash happened meanwhile; a later step starts the service.
            Err(why) if !self.is_disturbed() => Err(why.into()),
            _ => Ok(()),
        }
    }

    /// Records whether a connection is cut from now on.
    pub fn set_cut(&mut self, cut: bool) {
        self.inner_mut().cut = cut;
    }

    fn is_disturbed(&self) -> bool {
        self.inner().cut || !self.down().is_empty()
    }

    /// The services without a running instance.
    pub fn down(&self) -> Vec<&'static str> {
        let Open { subject, session, .. } = self.inner();
        let services = subject.topology().services.iter().map(|service| service.name);
        services.filter(|name| session.world_ref().instances(name) == 0).collect()
    }

    /// Whether to quiesce after each step. Not in a scripted run, which begins with the seed if
    /// clients follow.
    pub fn quiesces_by_itself(&self) -> bool {
        let open = self.inner();
        let awaits_clients = open.seeded && open.session.history().calls().is_empty();
        !open.scripted && !awaits_clients
    }

    /// From here on, calls run in FIFO order except for these decisions.
    ///
    /// # Errors
    ///
    /// On real servers.
    pub fn reorder(&mut self, deviations: Vec<(u32, Decision)>) -> Result<(), StepError> {
        self.only_simulated()?;
        self.inner().session.set_scheduler(Box::new(Replay::new(deviations)));
        Ok(())
    }

    /// Ends the world.
    pub async fn end(&mut self) {
        if let Some(mut open) = self.0.take() {
            open.session.end().await;
        }
    }

    fn only_simulated(&self) -> Result<(), StepError> {
        StepError::unless(self.inner().session.kernel().is_some(), || {
            "this step needs the simulation: tag the scenario @simulated-only".to_owned()
        })
    }
}
