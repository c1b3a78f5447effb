//! The simulated world: runs the services' loops and requests on one thread, in virtual time,
//! and lets the kernel decide which pending call continues.
//!
//! It makes no decision itself: the scheduler does, one at a time.
//!
//! Next: `instances` for starts and crashes, `requests` of clients, [`sim::kernel`] for the decisions.

mod instance;
mod instances;
pub mod live;
pub mod requests;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::iter;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bson::Document;
use bytes::Bytes;
use futures::executor::LocalPool;
use futures::task::LocalSpawnExt;
use platform::deadletter::{self, DeadLetter};
use platform::outbox;
use ports::Timestamp;
use ports::bus::{Bus as _, Message, Stream};
use ports::clock::after;

use crate::faults::Faults;
use crate::quiescence::{self, NotQuiescent};
use crate::settings;
use crate::system::System;
use crate::trace::{RecordKind, Trace};
use crate::world::{Drive, Inspect, Operate, Reply, World, WorldError};
use instance::{Instance, Starting};
use requests::Underway;
use sim::bus::{SimBroker, SimBus};
use sim::clock::SimClock;
use sim::kernel::{Advance, Kernel};
use sim::scheduler::{Fifo, Scheduler};
use sim::store::SimDatabase;

/// Virtual time at which every simulation begins, in seconds since 1970: the start of 2026.
const EPOCH: i64 = 1_767_225_600;

/// Time after which a client, a start or a publish is given up.
const TIMEOUT: Duration = Duration::from_secs(60);

/// Time for which the broker remembers message ids.
const DEDUPLICATION_WINDOW: Duration = Duration::from_secs(120);

/// Virtual time after which [`Drive::quiesce`] gives up.
const QUIESCENCE_LIMIT: Duration = Duration::from_secs(600);

/// Maximum number of steps of a run. No run of a system that becomes quiescent comes close; a
/// livelock would never end, and its trace would fill the memory.
const MAX_STEPS: u64 = 50_000;
/// The time after which steps are counted anew where more time than that passes.
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// A system in simulation.
pub struct Simulated {
    system: System,
    kernel: Kernel,
    clock: Arc<SimClock>,
    pool: LocalPool,
    databases: BTreeMap<&'static str, SimDatabase>,
    broker: SimBroker,
    trace: Trace,
    faults: Faults,
    instances: Vec<Instance>,
    starting: Vec<Starting>,
    started: u32,
    revives: bool,
    requests: u64,
    /// The number of steps from which [`MAX_STEPS`] counts.
    counted_from: u64,
    /// The minute in which the stores last looked for documents whose time had come.
    looked_in: i64,
}

impl Simulated {
    /// Starts the instances of each service. `seed` determines ids and salts; `scheduler` makes
    /// the decisions once all services have started.
    ///
    /// # Panics
    ///
    /// When a service does not start, although there are no faults yet.
    pub fn start(system: System, seed: u64, scheduler: Box<dyn Scheduler>) -> Self {
        Self::traced(system, seed, scheduler, Trace::default())
    }

    /// As [`Self::start`], recorded in this trace.
    ///
    /// # Panics
    ///
    /// As [`Self::start`].
    pub fn traced(system: System, seed: u64, scheduler: Box<dyn Scheduler>, trace: Trace) -> Self {
        let epoch = Timestamp::from_second(EPOCH).expect("2026 is in range");
        let kernel = Kernel::new(epoch, Box::new(Fifo));
        kernel.set_seed(seed);
        let broker = SimBroker::new(DEDUPLICATION_WINDOW);
        let databases = system.services.iter().map(|spec| (spec.name, SimDatabase::default()));
        let mut world = Self {
            databases: databases.collect(),
            clock: Arc::new(SimClock(kernel.clone())),
            pool: LocalPool::new(),
            broker,
            trace,
            faults: Faults::default(),
            instances: Vec::new(),
            starting: Vec::new(),
            started: 0,
            revives: false,
            requests: 0,
            counted_from: 0,
            looked_in: 0,
            kernel,
            system,
        };
        let services = world.system.services.clone();
        services.iter().for_each(|spec| world.begin_start(spec));
        for spec in &services {
            let instances = world.system.settings.count(&settings::instances(spec.name));
            (1..instances).for_each(|_| world.begin_start(spec));
        }
        world.finish_starts().expect("services start in a world without faults");
        world.kernel.set_scheduler(scheduler);
        world
    }

    /// The kernel, to read its decisions or replace its scheduler.
    pub fn kernel(&self) -> &Kernel {
        &self.kernel
    }

    /// Runs until `done`, or until no work is left before `horizon`.
    fn run(&mut self, horizon: Timestamp, mut done: impl FnMut() -> bool) {
        loop {
            self.poll();
            if done() || self.is_livelocked() || self.kernel.advance(horizon) == Advance::Nothing {
                return;
            }
        }
    }

    /// Marks a quiescent state for a scheduler that asks for accesses.
    fn note_quiescence(&self) {
        if self.kernel.records_accesses() && self.reasons().next().is_none() {
            self.kernel.note_quiescence();
        }
    }

    /// Runs all pending calls without advancing time.
    fn run_pending(&mut self) {
        loop {
            self.poll();
            if self.kernel.is_stalled() || self.is_livelocked() {
                return;
            }
            self.kernel.advance(self.kernel.now());
        }
    }

    /// Lets documents leave whose time has come, and records it.
    fn expire(&mut self) {
        let minute = self.kernel.now().as_second() / 60;
        if std::mem::replace(&mut self.looked_in, minute) == minute {
            return;
        }
        for (service, database) in &self.databases {
            let (at, expired) = database.expire(&self.kernel, service);
            for (collection, document) in expired {
                let kind = RecordKind::Expire { service, collection, document };
                self.trace.add(at, None, kind);
            }
        }
    }

    fn is_livelocked(&self) -> bool {
        self.kernel.steps() - self.counted_from > MAX_STEPS
    }

    fn pending_work(&self) -> Vec<String> {
        self.reasons().collect()
    }

    /// The pending work, found one by one: the first shows that the system is busy.
    fn reasons(&self) -> impl Iterator<Item = String> {
        let now = self.kernel.now();
        let starting = self.starting.iter().map(|starting| format!("{} is starting", starting.id));
        let instances = self
            .instances
            .iter()
            .flat_map(move |instance| quiescence::instance(instance.id, &instance.activity, now));
        let consumers = iter::once_with(move || self.broker.pending(Stream::Events, now));
        let consumers = consumers.flatten().filter_map(|pending| quiescence::consumer(&pending));
        let filter = outbox::waiting();
        let counts = self.databases.iter().flat_map(move |(name, database)| {
            let count =
                |collection: String| (*name, database.count(&collection, &filter), collection);
            database.collections().into_iter().map(count).collect::<Vec<_>>()
        });
        let outboxes = counts.filter_map(|(name, waiting, collection)| {
            quiescence::outbox(name, &collection, waiting)
        });
        starting.chain(instances).chain(consumers).chain(outboxes)
    }
}

#[async_trait(?Send)]
impl Drive for Simulated {
    async fn send(&mut self, requests: Vec<http::Request<Bytes>>) -> Vec<Reply> {
        let underway: Vec<_> = requests.into_iter().map(|r| self.submit(r)).collect();
        self.run(after(self.kernel.now(), TIMEOUT), || underway.iter().all(Underway::has_ended));
        underway.iter().map(|request| self.conclude(request)).collect()
    }

    async fn pass(&mut self, time: Duration) {
        let until = after(self.kernel.now(), time);
        let mut midnight = after(self.kernel.now(), DAY);
        while midnight < until && !self.is_livelocked() {
            self.run(midnight, || false);
            if !self.is_livelocked() {
                self.counted_from = self.kernel.steps();
            }
            midnight = after(midnight, DAY);
        }
        self.run(until, || false);
        self.kernel.jump_to(until);
        self.run_pending();
        self.note_quiescence();
    }

    async fn pass_to(&mut self, time: Duration) {
        let until = after(self.kernel.now(), time);
        let just_before = until.checked_sub(Duration::from_nanos(1)).expect("the past is in range");
        self.run(just_before, || false);
        self.note_quiescence();
        self.kernel.jump_to(until);
    }

    async fn quiesce(&mut self) -> Result<(), NotQuiescent> {
        let limit = after(self.kernel.now(), QUIESCENCE_LIMIT);
        loop {
            self.run_pending();
            if self.is_livelocked() {
                let mut reasons = self.pending_work();
                reasons.insert(0, format!("livelock: still busy after {MAX_STEPS} steps"));
                return Err(NotQuiescent { reasons });
            }
            if self.reasons().next().is_none() {
                self.kernel.note_quiescence();
                return Ok(());
            }
            if self.is_down() || self.kernel.advance(limit) == Advance::Nothing {
                return Err(NotQuiescent { reasons: self.pending_work() });
            }
        }
    }
}

#[async_trait(?Send)]
impl Operate for Simulated {
    async fn start(&mut self, service: &str) -> Result<(), WorldError> {
        self.begin_start(&self.system.service(service)?.clone());
        if self.revives { Ok(()) } else { self.finish_starts() }
    }

    async fn restart(&mut self, service: &str) -> Result<(), WorldError> {
        let spec = self.system.service(service)?.clone();
        self.bring_down(|id| id.service == service);
        self.begin_start(&spec);
        Ok(())
    }

    async fn crash(&mut self, service: &str) -> usize {
        self.bring_down(|id| id.service == service)
    }

    async fn forget(&mut self, service: &str) -> Result<(), WorldError> {
        let name = self.system.service(service)?.name;
        self.databases.insert(name, SimDatabase::default());
        let (now, prefix) = (self.kernel.now(), format!("{name}-"));
        let consumers = self.broker.pending(Stream::Events, now);
        self.trace.add(now, None, RecordKind::Forget { service: name });
        for consumer in consumers.iter().filter(|known| known.consumer.starts_with(&prefix)) {
            self.broker.delete_consumer(Stream::Events, &consumer.consumer, now);
        }
        Ok(())
    }

    fn revive(&mut self) {
        self.revives = true;
    }

    async fn publish(&mut self, message: Message) -> Result<(), WorldError> {
        let bus = SimBus::new(self.kernel.clone(), 0, self.broker.clone());
        let outcome = Rc::new(RefCell::new(None));
        let slot = Rc::clone(&outcome);
        let work = async move {
            let published = bus.publish(Stream::Events, message).await;
            *slot.borrow_mut() = Some(published);
        };
        self.pool.spawner().spawn_local(work).expect("the pool lives as long as the world");
        self.run(after(self.kernel.now(), TIMEOUT), || outcome.borrow().is_some());
        match outcome.take() {
            Some(Ok(_)) => Ok(()),
            Some(Err(error)) => Err(error.into()),
            None => Err(WorldError::PublishTimeout),
        }
    }
}

#[async_trait(?Send)]
impl Inspect for Simulated {
    fn instances(&self, service: &str) -> usize {
        self.instances.iter().filter(|instance| instance.id.service == service).count()
    }

    fn faults(&self) -> &Faults {
        &self.faults
    }

    fn trace(&self) -> &Trace {
        &self.trace
    }

    fn now(&self) -> Timestamp {
        self.kernel.now()
    }

    fn hurried(&self) -> Vec<(Timestamp, Timestamp)> {
        self.kernel.hurried()
    }

    fn collections(&self) -> Vec<(&'static str, String)> {
        let databases = self.databases.iter();
        let of_each = databases.flat_map(|(service, database)| {
            database.collections().into_iter().map(|collection| (*service, collection))
        });
        of_each.collect()
    }

    async fn documents(
        &mut self,
        service: &str,
        collection: &str,
    ) -> Result<Vec<Document>, WorldError> {
        let name = self.system.service(service)?.name;
        Ok(self.databases[name].documents(collection))
    }

    async fn dead_letters(&mut self) -> Result<Vec<DeadLetter>, WorldError> {
        let letters = self.broker.messages(Stream::DeadLetters, self.kernel.now());
        Ok(letters
            .iter()
            .map(|kept| deadletter::read(kept.message.clone(), kept.sequence))
            .collect())
    }
}

#[async_trait(?Send)]
impl World for Simulated {
    async fn end(&mut self) {
        self.bring_down(|_| true);
    }
}
