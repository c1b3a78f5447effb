//! The real world behind the [`World`] trait: instances are tasks on real sockets, over a
//! database and streams of this world's own on servers that all worlds share.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use adapters::jetstream::JetStream;
use adapters::mongo::Mongo;
use adapters::reqwest::{Reqwest, client};
use adapters::system::{SystemClock, SystemEntropy};
use async_trait::async_trait;
use bson::Document;
use bytes::Bytes;
use futures::future::join_all;
use platform::activity::Activity;
use platform::chain::Chain;
use platform::deadletter::{self, DeadLetter};
use platform::outbox;
use platform::run::{self, Running};
use ports::bus::{Bus, Message, Stream};
use ports::clock::Clock;
use ports::store::{Find, Store};
use ports::{Ports, Timestamp};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::{external, serve};
use crate::faults::Faults;
use crate::quiescence::{self, NotQuiescent};
use crate::system::{ServiceSpec, System};
use crate::trace::recorder::Recorder;
use crate::trace::{InstanceId, RecordKind, Trace};
use crate::world::{Reply, World, WorldError, answered, requested};
use servers::Servers;

/// How long a client waits for an answer.
const PATIENCE: Duration = Duration::from_secs(20);

/// How long [`World::quiesce`] waits for rest at most.
const RESTLESS: Duration = Duration::from_secs(30);

/// How long the world outside may take to answer.
const OUTSIDE_LIMIT: Duration = Duration::from_secs(2);

/// A system on real servers.
pub struct Real {
    system: System,
    namespace: String,
    mongo: mongodb::Client,
    bus: Arc<JetStream>,
    clock: Arc<dyn Clock>,
    client: reqwest::Client,
    external: external::Server,
    collections: BTreeMap<&'static str, Vec<&'static str>>,
    trace: Trace,
    faults: Faults,
    instances: Vec<Instance>,
    started: u32,
    requests: usize,
}

/// A running instance.
struct Instance {
    who: InstanceId,
    address: SocketAddr,
    activity: Arc<Activity>,
    work: Vec<JoinHandle<()>>,
}

impl Real {
    /// Starts one instance of each service, in a namespace of its own on these servers.
    ///
    /// # Errors
    ///
    /// When a server is out of reach or a service does not start.
    pub async fn start(system: System, servers: &Servers) -> Result<Self, WorldError> {
        static WORLDS: AtomicU32 = AtomicU32::new(0);
        let number = WORLDS.fetch_add(1, Ordering::Relaxed);
        let namespace = format!("rehearsal-{}-{number}", std::process::id());
        let bus = JetStream::connect(&servers.nats_url, namespace.as_str());
        let mongo = Mongo::client(&servers.mongo_url);
        let external = external::Server::start(Arc::clone(&system.external));
        let (bus, mongo, external) = futures::future::join3(bus, mongo, external).await;
        let mut world = Self {
            namespace,
            mongo: mongo.map_err(|e| WorldError(e.to_string()))?,
            bus: Arc::new(bus.map_err(|e| WorldError(e.to_string()))?),
            clock: Arc::new(SystemClock),
            client: client(PATIENCE),
            external,
            collections: BTreeMap::new(),
            trace: Trace::default(),
            faults: Faults::default(),
            instances: Vec::new(),
            started: 0,
            requests: 0,
            system,
        };
        let parts = world.system.services.clone();
        world.start_parts(&parts).await?;
        Ok(world)
    }

    /// Starts one instance of each of these, all at once.
    async fn start_parts(&mut self, parts: &[ServiceSpec]) -> Result<(), WorldError> {
        let mut starting = Vec::new();
        for part in parts {
            self.started += 1;
            let who = InstanceId { service: part.name, instance: self.started };
            let ports = self.ports(who);
            let service = (part.build)(&ports, &self.external.uri());
            let names = service.collections.iter().map(|spec| spec.name).collect();
            self.collections.insert(part.name, names);
            let policy = self.system.policy.clone();
            starting.push(async move {
                let running = run::start(service, &ports, &policy, &CancellationToken::new()).await;
                let running = running.map_err(|e| WorldError(format!("{who}: {}", Chain(&e))))?;
                let served = serve::serve(running.routes.clone()).await;
                let (address, serving) = served.map_err(|e| WorldError(format!("{who}: {e}")))?;
                Ok((who, running, address, tokio::spawn(serving)))
            });
        }
        for started in join_all(starting).await {
            let (who, running, address, serving) = started?;
            self.install(who, running, address, serving);
        }
        Ok(())
    }

    fn install(
        &mut self,
        who: InstanceId,
        running: Running,
        address: SocketAddr,
        serving: JoinHandle<()>,
    ) {
        let mut work = vec![serving];
        for (_, looping) in running.loops {
            let looping = tokio::spawn(looping);
            let (trace, faults) = (self.trace.clone(), self.faults.clone());
            let now = Arc::clone(&self.clock);
            work.push(tokio::spawn(async move {
                let abort = AbortOnDrop(looping.abort_handle());
                if let Err(end) = looping.await
                    && end.is_panic()
                {
                    let message = end.to_string();
                    trace.add(now.now(), Some(who), RecordKind::Panic { message });
                    faults.bring_down(who);
                }
                drop(abort);
            }));
        }
        self.trace.add(self.clock.now(), Some(who), RecordKind::Start);
        self.instances.push(Instance { who, address, activity: running.activity, work });
    }

    fn ports(&self, who: InstanceId) -> Ports {
        let ports = Ports {
            store: Arc::new(self.store(who.service)),
            bus: self.bus.clone(),
            http: Arc::new(Reqwest::new(OUTSIDE_LIMIT)),
            clock: Arc::clone(&self.clock),
            entropy: Arc::new(SystemEntropy),
        };
        let (trace, clock) = (self.trace.clone(), Arc::clone(&self.clock));
        let recorder = Recorder { trace, clock, who };
        self.system.decorate(self.faults.around(recorder.around(ports), &recorder))
    }

    fn store(&self, service: &str) -> Mongo {
        Mongo::with_client(&self.mongo, &format!("{}-{service}", self.namespace))
    }

    fn bring_down_crashed(&mut self) {
        for who in self.faults.take_crashes() {
            self.bring_down(|instance| instance.who == who);
        }
    }

    fn bring_down(&mut self, which: impl Fn(&Instance) -> bool) -> usize {
        let (down, up) = std::mem::take(&mut self.instances).into_iter().partition(|i| which(i));
        self.instances = up;
        let down: Vec<Instance> = down;
        for instance in &down {
            instance.work.iter().for_each(JoinHandle::abort);
            self.trace.add(self.clock.now(), Some(instance.who), RecordKind::Crash);
        }
        down.len()
    }

    /// What keeps the system from rest; empty only when nothing began while it looked.
    async fn unrest(&self) -> Vec<String> {
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
            Err(why) => reasons.push(why.to_string()),
        }
        reasons.extend(self.activities());
        if reasons.is_empty() && self.begun() != begun {
            reasons.push("work began a moment ago".to_owned());
        }
        reasons
    }

    async fn outboxes(&self, service: &str, collection: &str) -> Option<String> {
        let find = Find { filter: outbox::waiting(), ..Find::default() };
        match self.store(service).find(collection, find).await {
            Ok(found) => quiescence::outbox(service, collection, found.len()),
            Err(why) => Some(format!("{service}.{collection}: {why}")),
        }
    }

    fn begun(&self) -> u64 {
        self.instances.iter().map(|instance| instance.activity.begun()).sum()
    }

    fn activities(&self) -> Vec<String> {
        let now = self.clock.now();
        let unrest = |i: &Instance| quiescence::instance(&i.who.to_string(), &i.activity, now);
        self.instances.iter().flat_map(unrest).collect()
    }

    /// Sends one request to an instance of the service that serves its path.
    fn request(&mut self, request: http::Request<Bytes>) -> impl Future<Output = Reply> + use<> {
        self.requests += 1;
        let number = self.requests as u64;
        let line = format!("{} {}", request.method(), request.uri());
        let serves = self.system.serves(request.uri().path());
        let up: Vec<&Instance> =
            self.instances.iter().filter(|i| Some(i.who.service) == serves).collect();
        let turn = self.requests.checked_rem(up.len());
        let instance = turn.map(|turn| up[turn]);
        let (to, address) = (instance.map(|i| i.who), instance.map(|i| i.address));
        self.trace.add(self.clock.now(), None, requested(&request, number, to));
        let (client, trace, clock) =
            (self.client.clone(), self.trace.clone(), Arc::clone(&self.clock));
        async move {
            let reply = match address {
                None => Reply::Unanswered(format!("nothing serves {line}")),
                Some(address) => match exchange(&client, address, request).await {
                    Ok(answer) => Reply::Answer(answer),
                    Err(why) => Reply::Unanswered(why.to_string()),
                },
            };
            trace.add(clock.now(), None, answered(number, &reply));
            reply
        }
    }
}

async fn exchange(
    client: &reqwest::Client,
    address: SocketAddr,
    request: http::Request<Bytes>,
) -> Result<http::Response<Bytes>, reqwest::Error> {
    let (mut parts, body) = request.into_parts();
    let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
    let absolute = format!("http://{address}{path}");
    parts.uri = absolute.parse().expect("an address and a path are a URI");
    let request = reqwest::Request::try_from(http::Request::from_parts(parts, body))?;
    let response = client.execute(request).await?;
    let mut answer = http::Response::new(Bytes::new());
    *answer.status_mut() = response.status();
    answer.headers_mut().clone_from(response.headers());
    *answer.body_mut() = response.bytes().await?;
    Ok(answer)
}

#[async_trait(?Send)]
impl World for Real {
    async fn send(&mut self, requests: Vec<http::Request<Bytes>>) -> Vec<Reply> {
        let requests: Vec<_> = requests.into_iter().map(|r| self.request(r)).collect();
        let faults = self.faults.clone();
        let mut replies = std::pin::pin!(join_all(requests));
        loop {
            // An instance that crashes on plan goes down while others are being answered.
            tokio::select! {
                biased;
                replies = &mut replies => return replies,
                () = faults.crashed() => self.bring_down_crashed(),
            }
        }
    }

    async fn pass(&mut self, time: Duration) {
        let faults = self.faults.clone();
        let mut over = std::pin::pin!(tokio::time::sleep(time));
        loop {
            tokio::select! {
                biased;
                () = &mut over => return,
                () = faults.crashed() => self.bring_down_crashed(),
            }
        }
    }

    async fn quiesce(&mut self) -> Result<(), NotQuiescent> {
        let began = Instant::now();
        let mut pause = Duration::from_millis(2);
        loop {
            self.bring_down_crashed();
            let reasons = self.unrest().await;
            if reasons.is_empty() {
                return Ok(());
            }
            let up = |part: &ServiceSpec| World::instances(self, part.name) > 0;
            if !self.system.services.iter().all(up) || began.elapsed() > RESTLESS {
                return Err(NotQuiescent { reasons });
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(Duration::from_millis(50));
        }
    }

    async fn start(&mut self, service: &str) -> Result<(), WorldError> {
        let part = self.system.services.iter().find(|part| part.name == service).cloned();
        let part = part.ok_or_else(|| WorldError(format!("there is no service {service}")))?;
        self.start_parts(&[part]).await
    }

    async fn crash(&mut self, service: &str) -> usize {
        self.bring_down(|instance| instance.who.service == service)
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
        let found = self.store(service).find(collection, Find::default()).await;
        found.map_err(|e| WorldError(e.to_string()))
    }

    async fn dead_letters(&mut self) -> Result<Vec<DeadLetter>, WorldError> {
        deadletter::list(&*self.bus).await.map_err(|e| WorldError(e.to_string()))
    }

    async fn publish(&mut self, message: Message) -> Result<(), WorldError> {
        let published = self.bus.publish(Stream::Events, message).await;
        published.map(drop).map_err(|why| WorldError(why.to_string()))
    }

    async fn end(&mut self) {
        self.bring_down(|_| true);
        // The servers are ours and go down with the process; their disk is not, so what is
        // easy to give back is given back.
        drop(self.bus.delete_streams().await);
        for service in self.collections.keys() {
            drop(self.store(service).drop_database().await);
        }
    }
}

/// Ends a task when its guard is ended.
struct AbortOnDrop(tokio::task::AbortHandle);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}
