//! The simulated world behind the [`World`] trait: runs the services' loops and requests on
//! one thread and lets the kernel decide what goes on.

mod instances;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use axum::body::Body;
use bson::Document;
use bytes::Bytes;
use futures::executor::LocalPool;
use futures::task::LocalSpawnExt;
use http_body_util::BodyExt;
use platform::deadletter::{self, DeadLetter};
use platform::outbox;
use ports::Timestamp;
use ports::bus::{Bus as _, Message, Stream};
use ports::causality::Causality;
use ports::clock::after;
use tower::ServiceExt;

use crate::faults::Faults;
use crate::quiescence::{self, NotQuiescent};
use crate::system::System;
use crate::trace::Trace;
use crate::world::{Reply, World, WorldError, answered, requested};
use instances::{Instance, Starting};
use sim::access::{Access, Resource};
use sim::bus::{SimBroker, SimBus};
use sim::call::{Call, Operation, Port};
use sim::clock::SimClock;
use sim::digest::Digest;
use sim::kernel::{Advance, Kernel};
use sim::scheduler::{Fifo, Scheduler};
use sim::store::SimDatabase;

/// When every simulation begins, in seconds since 1970: the start of 2026.
const BEGINNING: i64 = 1_767_225_600;

/// How long a client waits for an answer.
const PATIENCE: Duration = Duration::from_secs(60);

/// How long the broker remembers message ids.
const DEDUPLICATION: Duration = Duration::from_secs(120);

/// How much time [`World::quiesce`] lets pass at most.
const RESTLESS: Duration = Duration::from_secs(600);

/// How many steps a run may have. No run of a system that comes to rest has nearly as many; one
/// that goes round in circles would never end, and its record would fill the memory.
const STEPS: u64 = 50_000;

/// A system in simulation.
pub struct Simulated {
    system: System,
    seed: u64,
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
}

impl Simulated {
    /// Starts one instance of each service. `seed` is where ids and salts come from;
    /// `scheduler` makes the decisions once all have started.
    ///
    /// # Panics
    ///
    /// When a service does not start in a world without faults.
    pub fn start(system: System, seed: u64, scheduler: Box<dyn Scheduler>) -> Self {
        Self::traced(system, seed, scheduler, Trace::default())
    }

    /// The same, recorded in this trace.
    ///
    /// # Panics
    ///
    /// As [`Self::start`].
    pub fn traced(system: System, seed: u64, scheduler: Box<dyn Scheduler>, trace: Trace) -> Self {
        let beginning = Timestamp::from_second(BEGINNING).expect("2026 is in range");
        let kernel = Kernel::new(beginning, Box::new(Fifo));
        let broker = SimBroker::new(DEDUPLICATION);
        let databases = system.services.iter().map(|part| (part.name, SimDatabase::default()));
        let mut world = Self {
            databases: databases.collect(),
            seed,
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
            kernel,
            system,
        };
        let parts = world.system.services.clone();
        parts.iter().for_each(|part| world.begin_start(part));
        world.finish_starts().expect("services start in a world without faults");
        world.kernel.set_scheduler(scheduler);
        world
    }

    /// The kernel, for its decisions.
    pub fn kernel(&self) -> &Kernel {
        &self.kernel
    }

    /// Runs until `done`, or until nothing can happen before `horizon`.
    fn run(&mut self, horizon: Timestamp, mut done: impl FnMut() -> bool) {
        loop {
            self.poll();
            if done() || self.is_endless() || self.kernel.advance(horizon) == Advance::Nothing {
                return;
            }
        }
    }

    /// Notes quiescence for a scheduler that wants accesses.
    fn note_quiescence(&self) {
        if self.kernel.records_accesses() && self.unrest().is_empty() {
            self.kernel.note_quiescence();
        }
    }

    /// Runs all pending calls, without advancing time.
    fn run_pending(&mut self) {
        loop {
            self.poll();
            if self.kernel.is_stalled() || self.is_endless() {
                return;
            }
            self.kernel.advance(self.kernel.now());
        }
    }

    fn is_endless(&self) -> bool {
        self.kernel.steps() > STEPS
    }

    fn unrest(&self) -> Vec<String> {
        let now = self.kernel.now();
        let starting = self.starting.iter().map(|starting| format!("{} starts", starting.who));
        let mut reasons: Vec<String> = starting.collect();
        for instance in &self.instances {
            reasons.extend(quiescence::instance(
                &instance.who.to_string(),
                &instance.activity,
                now,
            ));
        }
        reasons.extend(
            self.broker.pending(Stream::Events, now).iter().filter_map(quiescence::consumer),
        );
        let filter = outbox::waiting();
        for (name, database) in &self.databases {
            for collection in database.collections() {
                let waiting = database.count(&collection, &filter);
                reasons.extend(quiescence::outbox(name, &collection, waiting));
            }
        }
        reasons
    }

    /// Spawns one request; its answer appears in the slot.
    fn spawn_request(&mut self, request: http::Request<Bytes>) -> Rc<RefCell<Option<Reply>>> {
        let reply = Rc::new(RefCell::new(None));
        self.requests += 1;
        let number = self.requests;
        let line = format!("{} {}", request.method(), request.uri());
        let serves = self.system.serves(request.uri().path());
        let up: Vec<usize> = (0..self.instances.len())
            .filter(|&at| Some(self.instances[at].who.service) == serves)
            .collect();
        let at = usize::try_from(number).expect("requests are few").checked_rem(up.len());
        let at = at.map(|turn| up[turn]);
        let to = at.map(|at| self.instances[at].who);
        self.trace.add(self.now(), None, requested(&request, number, to));
        let Some(at) = at else {
            *reply.borrow_mut() = Some(Reply::Unanswered(format!("nothing serves {line}")));
            return reply;
        };
        let (who, routes) = (self.instances[at].who, self.instances[at].routes.clone());
        let (kernel, slot) = (self.kernel.clone(), Rc::clone(&reply));
        let work = async move {
            kernel.step(Call::new(who.instance, Port::Http, Operation::Request, line)).await;
            // Whether the user is banned is looked up before the first call.
            kernel.access(|| Access::Read(Resource::memory(who.instance)));
            let answer = routes.oneshot(request.map(Body::from)).await;
            let (parts, body) = answer.unwrap_or_else(|never| match never {}).into_parts();
            let body =
                body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
            kernel.access(|| {
                let answer = Digest::new("reply").number(number);
                let content = answer.number(parts.status.as_u16().into()).bytes(&body);
                Access::DurableWrite(Resource::new(answer), content.finish())
            });
            let answer = http::Response::from_parts(parts, body);
            *slot.borrow_mut() = Some(Reply::Answer(answer));
        };
        let work = self.spawn(who, client(self.seed, number).scope(work));
        self.instances[at].work.push(work);
        reply
    }
}

/// The origin of a request before the service gives it one: its own causal chain, and its own
/// randomness.
fn client(seed: u64, number: u64) -> Causality {
    let chain = Digest::new("client").number(seed).number(number).finish();
    Causality { correlation: format!("{chain:016x}{number:016x}"), cause: format!("{number}") }
}

#[async_trait(?Send)]
impl World for Simulated {
    async fn send(&mut self, requests: Vec<http::Request<Bytes>>) -> Vec<Reply> {
        let first = self.requests + 1;
        let replies: Vec<_> = requests.into_iter().map(|r| self.spawn_request(r)).collect();
        // A reply that only its slot holds on to will never come: its instance is down.
        let done = |reply: &Rc<RefCell<Option<Reply>>>| {
            Rc::strong_count(reply) == 1 || reply.borrow().is_some()
        };
        self.run(after(self.kernel.now(), PATIENCE), || replies.iter().all(done));
        let lost = || Reply::Unanswered("the connection was lost".to_owned());
        let replies: Vec<Reply> = replies.iter().map(|r| r.take().unwrap_or_else(lost)).collect();
        for (number, reply) in (first..).zip(&replies) {
            self.trace.add(self.now(), None, answered(number, reply));
        }
        replies
    }

    async fn pass(&mut self, time: Duration) {
        let until = after(self.kernel.now(), time);
        self.run(until, || false);
        self.kernel.jump_to(until);
        self.run_pending();
        self.note_quiescence();
    }

    async fn pass_to(&mut self, time: Duration) {
        let until = after(self.kernel.now(), time);
        let brink = until.checked_sub(Duration::from_nanos(1)).expect("the past is in range");
        self.run(brink, || false);
        self.note_quiescence();
        self.kernel.jump_to(until);
    }

    async fn quiesce(&mut self) -> Result<(), NotQuiescent> {
        let limit = after(self.kernel.now(), RESTLESS);
        loop {
            self.run_pending();
            let mut reasons = self.unrest();
            if self.is_endless() {
                reasons.insert(0, format!("no end after {STEPS} steps"));
                return Err(NotQuiescent { reasons });
            }
            if reasons.is_empty() {
                self.kernel.note_quiescence();
                return Ok(());
            }
            if self.is_down() || self.kernel.advance(limit) == Advance::Nothing {
                return Err(NotQuiescent { reasons });
            }
        }
    }

    async fn start(&mut self, service: &str) -> Result<(), WorldError> {
        self.begin_start(&self.part(service)?);
        // Where instances come up by themselves, one may take as long as things go wrong.
        if self.revives { Ok(()) } else { self.finish_starts() }
    }

    async fn restart(&mut self, service: &str) -> Result<(), WorldError> {
        self.bring_down(|who| who.service == service);
        self.begin_start(&self.part(service)?);
        Ok(())
    }

    fn revive(&mut self) {
        self.revives = true;
    }

    async fn crash(&mut self, service: &str) -> usize {
        self.bring_down(|who| who.service == service)
    }

    fn instances(&self, service: &str) -> usize {
        self.instances.iter().filter(|instance| instance.who.service == service).count()
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

    async fn documents(
        &mut self,
        service: &str,
        collection: &str,
    ) -> Result<Vec<Document>, WorldError> {
        let database = self.databases.get(service);
        let database = database.ok_or_else(|| WorldError(format!("no service {service}")))?;
        Ok(database.documents(collection))
    }

    async fn dead_letters(&mut self) -> Result<Vec<DeadLetter>, WorldError> {
        let letters = self.broker.messages(Stream::DeadLetters);
        Ok(letters.iter().map(|kept| deadletter::read(kept.message.clone())).collect())
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
        self.run(after(self.kernel.now(), PATIENCE), || outcome.borrow().is_some());
        match outcome.take() {
            Some(Ok(_)) => Ok(()),
            Some(Err(why)) => Err(WorldError(why.to_string())),
            None => Err(WorldError("the bus did not answer in time".to_owned())),
        }
    }

    async fn end(&mut self) {
        self.bring_down(|_| true);
    }
}
