//! The real world behind the [`World`] trait: instances are tasks on real sockets, over a
//! database and streams of this world's own, on servers that all worlds share.
//!
//! It decides nothing about order: the operating system and the servers do.
//!
//! Next: `instances` for starts and crashes.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use adapters::jetstream::JetStream;
use adapters::mongo::Mongo;
use adapters::reqwest::client;
use adapters::system::SystemClock;
use async_trait::async_trait;
use bson::Document;
use bytes::Bytes;
use futures::future::join_all;
use platform::deadletter::{self, DeadLetter};
use platform::outbox;
use ports::Timestamp;
use ports::bus::{Bus, Message, Stream};
use ports::causality::Causality;
use ports::clock::Clock;
use ports::store::{Find, Store};
use servers::Servers;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::instance::{Instance, StartEnded, Starting};
use super::{external, ingress};
use crate::faults::Faults;
use crate::quiescence::{self, NotQuiescent};
use crate::system::System;
use crate::trace::{RecordKind, Trace};
use crate::world::{
    Drive, Inspect, Operate, Reply, World, WorldError, answer_record, begin_trace, request_record,
};

/// Time after which a client gives up.
const CLIENT_TIMEOUT: Duration = Duration::from_secs(20);

/// Time after which [`Drive::quiesce`] gives up.
const QUIESCENCE_LIMIT: Duration = Duration::from_secs(30);

/// Shortest and longest pause between two checks for quiescence.
const CHECK_INTERVAL: [Duration; 2] = [Duration::from_millis(2), Duration::from_millis(50)];

/// A system on real servers.
pub struct Real {
    pub(super) system: System,
    /// Prefix of the databases and streams of this world.
    namespace: String,
    mongo: mongodb::Client,
    pub(super) bus: Arc<JetStream>,
    pub(super) clock: Arc<dyn Clock>,
    client: reqwest::Client,
    pub(super) external: external::Server,
    pub(super) collections: BTreeMap<&'static str, Vec<&'static str>>,
    pub(super) trace: Trace,
    pub(super) faults: Faults,
    pub(super) instances: Vec<Instance>,
    pub(super) starting: Vec<Starting>,
    pub(super) start_ended: (UnboundedSender<StartEnded>, UnboundedReceiver<StartEnded>),
    pub(super) started: u32,
    pub(super) revives: bool,
    requests: u64,
}

impl Real {
    /// Starts one instance of each service, in a namespace of its own on these servers.
    ///
    /// # Errors
    ///
    /// When a server is unreachable or a service does not start.
    pub async fn start(system: System, servers: &Servers) -> Result<Self, WorldError> {
        static WORLDS: AtomicU32 = AtomicU32::new(0);
        let number = WORLDS.fetch_add(1, Ordering::Relaxed);
        let namespace = format!("rehearsal-{}-{number}", std::process::id());
        Self::start_in(system, servers, namespace).await
    }

    /// The same in this namespace, with the data and messages that it has.
    ///
    /// # Errors
    ///
    /// As [`Self::start`].
    pub async fn start_in(
        system: System,
        servers: &Servers,
        namespace: String,
    ) -> Result<Self, WorldError> {
        let policy = system.policy.clone();
        let bus = JetStream::connect(&servers.nats_url, namespace.as_str());
        let mongo = Mongo::client(&servers.mongo_url);
        let external = external::Server::start(Arc::clone(&system.external));
        let (bus, mongo, external) = futures::future::join3(bus, mongo, external).await;
        let mut world = Self {
            namespace,
            mongo: mongo?,
            bus: Arc::new(bus?.keeping(policy.events, policy.dead_letters)),
            clock: Arc::new(SystemClock),
            client: client(CLIENT_TIMEOUT),
            external,
            collections: BTreeMap::new(),
            trace: Trace::default(),
            faults: Faults::default(),
            instances: Vec::new(),
            starting: Vec::new(),
            start_ended: unbounded_channel(),
            started: 0,
            revives: false,
            requests: 0,
            system,
        };
        let services = world.system.services.clone();
        services.iter().for_each(|spec| world.begin_start(spec));
        world.finish_starts().await?;
        Ok(world)
    }

    pub(super) fn store(&self, service: &str) -> Mongo {
        Mongo::with_client(&self.mongo, &format!("{}-{service}", self.namespace))
    }

    /// The reasons against quiescence; empty only if no work began during the check.
    pub(crate) async fn pending_work(&self) -> Vec<String> {
        let begun = self.begun();
        let mut reasons = self.activities();
        if !reasons.is_empty() {
            return reasons;
        }
        let outboxes = self.collections.iter().flat_map(|(&service, collections)| {
            collections.iter().map(move |&collection| self.outboxes(service, collection))
        });
        reasons.extend(join_all(outboxes).await.into_iter().flatten());
        match self.bus.pending().await {
            Ok(pending) => reasons.extend(pending.iter().filter_map(quiescence::consumer)),
            Err(error) => reasons.push(error.to_string()),
        }
        reasons.extend(self.activities());
        if reasons.is_empty() && self.begun() != begun {
            reasons.push("work began during the check".to_owned());
        }
        reasons
    }

    async fn outboxes(&self, service: &str, collection: &str) -> Option<String> {
        let find = Find { filter: outbox::waiting(), ..Find::default() };
        match self.store(service).find(collection, find).await {
            Ok(found) => quiescence::outbox(service, collection, found.len()),
            Err(error) => Some(format!("{service}.{collection}: {error}")),
        }
    }

    fn begun(&self) -> u64 {
        self.instances.iter().map(|instance| instance.activity.begun()).sum()
    }

    fn activities(&self) -> Vec<String> {
        let now = self.clock.now();
        let starting = self.starting.iter().map(|starting| format!("{} is starting", starting.id));
        let running = |i: &Instance| quiescence::instance(i.id, &i.activity, now);
        starting.chain(self.instances.iter().flat_map(running)).collect()
    }

    /// The clock.
    pub(crate) fn clock(&self) -> Arc<dyn Clock> {
        Arc::clone(&self.clock)
    }

    /// Asks both servers for an answer.
    ///
    /// # Errors
    ///
    /// When one of them does not.
    pub(crate) async fn ping(&self) -> Result<(), WorldError> {
        self.bus.ping().await?;
        match self.collections.keys().next() {
            Some(service) => Ok(self.store(service).ping().await?),
            None => Ok(()),
        }
    }

    /// Sends one request to an instance of the service that serves its path, round robin. The
    /// reply needs the world no longer.
    pub(crate) fn request(
        &mut self,
        mut request: http::Request<Bytes>,
    ) -> impl Future<Output = Reply> + use<> {
        self.requests += 1;
        let number = self.requests;
        let origin = Causality { correlation: format!("{number:032x}"), cause: String::new() };
        begin_trace(&mut request, &origin, number);
        let line = format!("{} {}", request.method(), request.uri());
        let instances = self.instances.iter().map(|instance| instance.id);
        let at = self.system.route(request.uri().path(), number, instances);
        let instance = at.map(|at| &self.instances[at]);
        let (to, address) = (instance.map(|i| i.id), instance.map(|i| i.address));
        self.trace.add(self.clock.now(), None, request_record(&request, number, to));
        let (client, trace, clock) =
            (self.client.clone(), self.trace.clone(), Arc::clone(&self.clock));
        async move {
            let reply = match address {
                None => Reply::Unanswered(format!("no instance serves {line}")),
                Some(address) => ingress::send(&client, address, request).await,
            };
            trace.add(clock.now(), None, answer_record(number, &reply));
            reply
        }
    }
}

#[async_trait(?Send)]
impl Drive for Real {
    async fn send(&mut self, requests: Vec<http::Request<Bytes>>) -> Vec<Reply> {
        let requests: Vec<_> = requests.into_iter().map(|r| self.request(r)).collect();
        let mut replies = std::pin::pin!(join_all(requests));
        loop {
            // Instances crash and start while clients wait.
            tokio::select! {
                biased;
                replies = &mut replies => return replies,
                change = self.change() => self.carry_out_meanwhile(change),
            }
        }
    }

    async fn pass(&mut self, time: Duration) {
        let mut over = std::pin::pin!(tokio::time::sleep(time));
        loop {
            tokio::select! {
                biased;
                () = &mut over => return,
                change = self.change() => self.carry_out_meanwhile(change),
            }
        }
    }

    async fn pass_to(&mut self, time: Duration) {
        self.pass(time).await;
    }

    async fn quiesce(&mut self) -> Result<(), NotQuiescent> {
        let began = Instant::now();
        let [mut interval, longest] = CHECK_INTERVAL;
        loop {
            self.carry_out_crashes();
            let reasons = self.pending_work().await;
            if reasons.is_empty() {
                return Ok(());
            }
            if self.is_down() || began.elapsed() > QUIESCENCE_LIMIT {
                return Err(NotQuiescent { reasons });
            }
            self.pass(interval).await;
            interval = (interval * 2).min(longest);
        }
    }
}

#[async_trait(?Send)]
impl Operate for Real {
    async fn start(&mut self, service: &str) -> Result<(), WorldError> {
        self.begin_start(&self.system.service(service)?.clone());
        if self.revives { Ok(()) } else { self.finish_starts().await }
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
        self.store(name).drop_database().await?;
        self.trace.add(self.clock.now(), None, RecordKind::Forget { service: name });
        let prefix = format!("{name}-");
        for consumer in self.bus.pending().await?.into_iter().map(|pending| pending.consumer) {
            if consumer.starts_with(&prefix) {
                self.bus.delete_consumer(Stream::Events, &consumer).await?;
            }
        }
        Ok(())
    }

    fn revive(&mut self) {
        self.revives = true;
    }

    async fn publish(&mut self, message: Message) -> Result<(), WorldError> {
        self.bus.publish(Stream::Events, message).await?;
        Ok(())
    }
}

#[async_trait(?Send)]
impl Inspect for Real {
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
        self.clock.now()
    }

    fn collections(&self) -> Vec<(&'static str, String)> {
        let collections = self.collections.iter();
        let of_each = collections.flat_map(|(service, names)| {
            names.iter().map(|collection| (*service, (*collection).to_owned()))
        });
        of_each.collect()
    }

    async fn documents(
        &mut self,
        service: &str,
        collection: &str,
    ) -> Result<Vec<Document>, WorldError> {
        let name = self.system.service(service)?.name;
        Ok(self.store(name).find(collection, Find::default()).await?)
    }

    async fn dead_letters(&mut self) -> Result<Vec<DeadLetter>, WorldError> {
        Ok(deadletter::list(&*self.bus, &*self.clock).await?)
    }
}

#[async_trait(?Send)]
impl World for Real {
    async fn end(&mut self) {
        self.bring_down(|_| true);
        // The servers end with the process, and their disk with them; releasing early only
        // keeps it small, so failures do not matter.
        drop(self.bus.delete_streams().await);
        for service in self.collections.keys() {
            drop(self.store(service).drop_database().await);
        }
    }
}
