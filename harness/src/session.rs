//! A session: a world, its clients, and their history so far. It carries out actions and pauses and
//! ends a run. Explored runs, sweeps, races on real servers and scenarios all use it.

mod error;

use std::time::Duration;

use platform::deadletter::{self, DeadLetter};
use sim::kernel::Kernel;
use sim::scheduler::{Fifo, Scheduler};

use crate::evidence::{self, Facts};
use crate::history::History;
use crate::invariants::Violation;
use crate::real::Real;
use crate::script::{Action, Round, Then};
use crate::settings::Settings;
use crate::simulated::Simulated;
use crate::subject::any::AnyClients;
use crate::subject::{AnySubject, Unprepared};
use crate::system::System;
use crate::time_scale::TimeScale;
use crate::trace::{RecordKind, Trace};
use crate::world::{World, WorldError};

pub(crate) use error::EndError;
pub use error::RunError;

/// The seed under which clients are prepared, in every run the same: what the preparation computes
/// can then be remembered from run to run.
const PREPARATION: u64 = 0;

/// The number of attempts to finish pending work and replay dead letters after healing.
const REPEATS: usize = 3;

/// A world, its clients, and their history.
pub struct Session {
    world: Box<dyn World>,
    /// The kernel of a simulated world.
    kernel: Option<Kernel>,
    clients: Box<dyn AnyClients>,
    history: History,
    rounds: usize,
    time: TimeScale,
}

/// The system with this bug planted; the system as it is without one.
///
/// # Errors
///
/// When there is no such bug.
pub(crate) fn planted(
    subject: &AnySubject,
    bug: Option<&str>,
    system: System,
) -> Result<System, RunError> {
    let Some(name) = bug else { return Ok(system) };
    let bug = subject.planted_bug(name);
    let bug = bug.ok_or_else(|| RunError::UnknownBug(name.to_owned()))?;
    Ok((bug.plant)(system))
}

impl Session {
    /// A session in simulation. Decisions are FIFO until a scheduler is set.
    ///
    /// # Errors
    ///
    /// When there is no such bug.
    pub fn simulated(
        subject: &AnySubject,
        bug: Option<&str>,
        settings: &Settings,
        seed: u64,
        trace: Trace,
    ) -> Result<Self, RunError> {
        Self::simulated_with(subject, bug, settings, seed, trace, |system| system)
    }

    /// The same with a change to the system.
    pub(crate) fn simulated_with(
        subject: &AnySubject,
        bug: Option<&str>,
        settings: &Settings,
        seed: u64,
        trace: Trace,
        change: impl FnOnce(System) -> System,
    ) -> Result<Self, RunError> {
        let time = TimeScale::simulated().with(settings);
        let (system, clients) = subject.open(&time, settings);
        let system = change(planted(subject, bug, system)?);
        let world = Simulated::traced(system, seed, Box::new(Fifo), trace);
        let kernel = Some(world.kernel().clone());
        let (history, rounds) = (History::default(), 0);
        Ok(Self { world: Box::new(world), kernel, clients, history, rounds, time })
    }

    /// A session on real servers.
    ///
    /// # Errors
    ///
    /// When the servers cannot be had or a service does not start.
    pub async fn real(subject: &AnySubject, time: TimeScale) -> Result<Self, RunError> {
        let servers = servers::shared().await?;
        let (system, clients) = subject.open(&time, &Settings::default());
        let world = Box::new(Real::start(system, servers).await?);
        Ok(Self { world, kernel: None, clients, history: History::default(), rounds: 0, time })
    }

    /// A session in a world in which these clients have acted already.
    pub(crate) fn resume(
        world: Box<dyn World>,
        clients: Box<dyn AnyClients>,
        history: History,
        time: TimeScale,
    ) -> Self {
        Self { world, kernel: None, clients, history, rounds: 0, time }
    }

    /// The world.
    pub fn world(&mut self) -> &mut dyn World {
        &mut *self.world
    }

    /// The world, read-only.
    pub fn world_ref(&self) -> &dyn World {
        &*self.world
    }

    /// The kernel of a simulated world.
    pub fn kernel(&self) -> Option<&Kernel> {
        self.kernel.as_ref()
    }

    /// Replaces the scheduler of a simulated world, and counts decisions from here.
    pub fn set_scheduler(&self, scheduler: Box<dyn Scheduler>) {
        if let Some(kernel) = &self.kernel {
            kernel.set_scheduler(scheduler);
        }
    }

    /// The meaning of durations in this world.
    pub fn time(&self) -> &TimeScale {
        &self.time
    }

    /// Whether the order of the records is exactly the order in which calls took effect.
    pub fn is_exact(&self) -> bool {
        self.kernel.is_some()
    }

    /// The history so far.
    pub fn history(&self) -> &History {
        &self.history
    }

    /// The clients, if they are of this type.
    pub fn clients<C: 'static>(&self) -> Option<&C> {
        self.clients.any().downcast_ref()
    }

    /// The clients, mutable, if they are of this type.
    pub fn clients_mut<C: 'static>(&mut self) -> Option<&mut C> {
        self.clients.any_mut().downcast_mut()
    }

    /// Prepares the clients, and waits for quiescence. In simulation their ids, sessions and
    /// password salts are the same under every seed.
    ///
    /// # Errors
    ///
    /// When a client cannot be prepared.
    pub async fn prepare(&mut self, clients: &[String]) -> Result<(), Unprepared> {
        let seed = self.kernel.as_ref().map(|kernel| kernel.set_seed(PREPARATION));
        self.clients.prepare(clients, &mut *self.world).await?;
        self.world.quiesce().await?;
        if let Some((kernel, seed)) = self.kernel.as_ref().zip(seed) {
            kernel.set_seed(seed);
        }
        Ok(())
    }

    /// Prepares those of these clients that are not prepared yet.
    ///
    /// # Errors
    ///
    /// When a client cannot be prepared.
    pub async fn prepare_new(&mut self, clients: &[String]) -> Result<(), Unprepared> {
        let mut new: Vec<String> =
            clients.iter().filter(|name| !self.clients.is_prepared(name)).cloned().collect();
        new.sort();
        new.dedup();
        if new.is_empty() {
            return Ok(());
        }
        self.clients.prepare(&new, &mut *self.world).await
    }

    /// Carries out rounds of a script.
    ///
    /// # Errors
    ///
    /// When a service does not start.
    pub async fn play(&mut self, rounds: &[Round]) -> Result<(), WorldError> {
        for round in rounds {
            self.act(&round.actions).await?;
            self.pause(round.then).await;
        }
        Ok(())
    }

    /// Carries out the actions concurrently and waits for all replies. An operation that cannot be
    /// sent yet is left out.
    ///
    /// # Errors
    ///
    /// When a service does not start.
    pub async fn act(&mut self, actions: &[Action]) -> Result<(), WorldError> {
        let round = self.rounds;
        self.rounds += 1;
        let (mut sent, mut requests) = (Vec::new(), Vec::new());
        for action in actions {
            match action {
                Action::Restart(service) => self.world.restart(service).await?,
                Action::Scale(service) => self.world.start(service).await?,
                Action::Do(_) => {}
            }
            let now = self.world.now();
            let operation = action.operation();
            let arranged = operation.is_some_and(|operation| self.clients.arrange(operation, now));
            let operation = operation.filter(|_| !arranged);
            let request = operation.and_then(|operation| self.clients.request(operation));
            if operation.is_some() && request.is_none() {
                continue;
            }
            let mark = self.world.trace().len();
            self.world.trace().add(now, None, RecordKind::Step { text: action.to_string() });
            let context = operation.and_then(|operation| self.clients.context(operation, now));
            let at = self.history.begin(action.clone(), context, round, mark);
            if let Some(request) = request {
                sent.push(at);
                requests.push(request);
            }
        }
        let invoked = (self.world.now(), self.world.trace().len());
        sent.iter().for_each(|&at| self.history.invoke(at, invoked));
        let replies = self.world.send(requests).await;
        let returned = (self.world.now(), self.world.trace().len());
        for (at, reply) in sent.into_iter().zip(replies) {
            if let Some(operation) = self.history.calls()[at].operation() {
                self.clients.learn(operation, &reply, returned.0);
            }
            self.history.complete(at, returned, reply);
        }
        Ok(())
    }

    /// Carries out the pause after a round.
    pub async fn pause(&mut self, then: Then) {
        match then {
            Then::Go => {}
            // While faults are injected the system need not reach quiescence; at the end it
            // must.
            Then::Quiesce => drop(self.world.quiesce().await),
            Then::Pass(seconds) => self.world.pass(Duration::from_secs(seconds.into())).await,
            Then::Meet(seconds) => self.world.pass_to(Duration::from_secs(seconds.into())).await,
        }
    }

    /// Ends the run: heals all faults, waits for quiescence, replays dead letters, and gathers the
    /// facts. With `survey`, the clients then inspect the system.
    pub(crate) async fn conclude(&mut self, survey: bool) -> Result<Facts, EndError> {
        self.world.faults().heal();
        self.clients.heal();
        self.world.quiesce().await?;
        let letters = self.replay_dead_letters().await?;
        let mut facts = self.facts().await?;
        for _ in 0..REPEATS {
            let now = self.world.now();
            let Some(time) = self.clients.unfinished(&facts.documents, now) else { break };
            // The trace would copy its records while these facts hold them.
            drop(std::mem::take(&mut facts));
            self.world.pass(time.max(self.time.policy().sweep)).await;
            self.world.quiesce().await?;
            facts = self.facts().await?;
        }
        // Replayed dead letters no longer excuse a copy that is behind.
        facts.given_up.clear();
        facts.letters = letters;
        if survey {
            self.clients.survey(&facts, &mut *self.world).await;
        }
        Ok(facts)
    }

    /// Gathers the facts as they are now.
    ///
    /// # Errors
    ///
    /// When the world cannot be read.
    pub async fn facts(&mut self) -> Result<Facts, WorldError> {
        Facts::gather(&mut *self.world, self.kernel.is_some(), self.time.policy()).await
    }

    /// Replays the dead letters, as an operator would after removing their cause. Returns all that
    /// there were: those that are handled now are gone.
    async fn replay_dead_letters(&mut self) -> Result<Vec<DeadLetter>, EndError> {
        let mut all: Vec<DeadLetter> = Vec::new();
        for _ in 0..REPEATS {
            let mut letters = self.world.dead_letters().await?;
            letters.retain(|letter| all.iter().all(|known| known.sequence != letter.sequence));
            if letters.is_empty() {
                break;
            }
            for letter in &letters {
                let id = evidence::replayed(&letter.message.id, letter.sequence);
                self.world.publish(deadletter::replayed(letter, id)).await?;
            }
            all.extend(letters);
            self.world.quiesce().await?;
        }
        Ok(all)
    }

    /// The violations that these facts and this history show.
    pub fn judge(&self, subject: &AnySubject, facts: &Facts) -> Vec<Violation> {
        subject.judge(facts, &*self.clients, &self.history)
    }

    /// The figures of the subject that these facts and this history show.
    pub(crate) fn figures(
        &self,
        subject: &AnySubject,
        facts: &Facts,
    ) -> Vec<(&'static str, String)> {
        subject.figures(facts, &*self.clients, &self.history)
    }

    /// Takes the clients and the history out.
    pub(crate) fn into_parts(self) -> (Box<dyn AnyClients>, History) {
        (self.clients, self.history)
    }

    /// Ends the world.
    pub async fn end(&mut self) {
        self.world.end().await;
    }
}
