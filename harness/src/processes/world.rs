//! The processes behind the [`World`] trait: clients act through the gateway, and the harness
//! reads documents and streams beside the services, over links of its own.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::{Duration, Instant};

use adapters::jetstream::JetStream;
use adapters::mongo::Mongo;
use adapters::system::SystemClock;
use async_trait::async_trait;
use bson::Document;
use bytes::Bytes;
use futures::StreamExt as _;
use platform::deadletter::{self, DeadLetter};
use ports::Timestamp;
use ports::bus::{Bus, Message, Stream};
use ports::clock::Clock as _;
use ports::store::{Find, Store as _};

use super::deployment::Deployment;
use super::gateway::Gateway;
use crate::evidence::Documents;
use crate::faults::Faults;
use crate::quiescence::{self, NotQuiescent};
use crate::subject::any::AnyClients;
use crate::system::System;
use crate::topology::Topology;
use crate::trace::Trace;
use crate::world::{Drive, Inspect, Operate, Reply, World, WorldError};

/// The time in which the system must converge once all faults are healed. It covers what the
/// platform leaves to time: the longest pause before a redelivery, and a sweep.
pub const CONVERGENCE_LIMIT: Duration = Duration::from_secs(120);

/// Pause between two looks at the documents.
const LOOK_INTERVAL: Duration = Duration::from_millis(250);

/// The number of requests that are sent at once.
const AT_ONCE: usize = 16;

/// A system whose services are processes.
pub(super) struct Processes {
    system: System,
    pub(super) deployment: Arc<Deployment>,
    pub(super) gateway: Arc<Gateway>,
    namespace: String,
    mongo: mongodb::Client,
    bus: JetStream,
    topology: Topology,
    pub(super) trace: Trace,
    /// Empty: no call on a port passes through here.
    faults: Faults,
    /// The number of faults that were injected.
    pub(super) injected: Arc<AtomicUsize>,
}

impl Processes {
    /// The world of a running deployment.
    ///
    /// # Errors
    ///
    /// When a server does not answer.
    pub(super) async fn of(
        system: System,
        deployment: Arc<Deployment>,
        namespace: String,
    ) -> Result<Self, WorldError> {
        let bus = JetStream::connect(deployment.backend.nats_url(), namespace.as_str()).await?;
        let mongo = Mongo::client(deployment.backend.mongo_url()).await?;
        Ok(Self {
            topology: Topology::of(&system),
            gateway: Arc::new(Gateway::new(system.clone(), deployment.instances.clone())),
            system,
            deployment,
            namespace,
            mongo,
            bus,
            trace: Trace::default(),
            faults: Faults::default(),
            injected: Arc::default(),
        })
    }

    /// Waits until no work is pending and no document has changed for the time `still`. Returns
    /// the time until the last change.
    ///
    /// # Errors
    ///
    /// When that takes longer than [`CONVERGENCE_LIMIT`].
    pub(super) async fn converge(
        &mut self,
        still: Duration,
        clients: Option<&dyn AnyClients>,
    ) -> Result<Duration, NotQuiescent> {
        let began = Instant::now();
        let (mut last, mut changed) = (Documents::default(), began);
        loop {
            let mut reasons = self.pending_work().await;
            match Documents::read(self).await {
                Ok(documents) => {
                    reasons.extend(outboxes(&documents));
                    if clients.is_some_and(|c| c.unfinished(&documents, self.now()).is_some()) {
                        reasons.push("work is left that only time will finish".to_owned());
                    }
                    if documents != last {
                        (last, changed) = (documents, Instant::now());
                    }
                }
                Err(error) => reasons.push(error.to_string()),
            }
            if !reasons.is_empty() {
                changed = Instant::now();
            } else if changed.elapsed() >= still {
                return Ok(changed - began);
            }
            if began.elapsed() > CONVERGENCE_LIMIT {
                if reasons.is_empty() {
                    reasons.push("documents still change".to_owned());
                }
                return Err(NotQuiescent { reasons });
            }
            tokio::time::sleep(LOOK_INTERVAL).await;
        }
    }

    /// The reasons against quiescence other than documents.
    async fn pending_work(&self) -> Vec<String> {
        let starting = self.deployment.instances.iter().filter(|instance| !instance.is_ready());
        let mut reasons: Vec<String> =
            starting.map(|instance| format!("{} is not ready", instance.id)).collect();
        match self.bus.pending().await {
            Ok(pending) => reasons.extend(pending.iter().filter_map(quiescence::consumer)),
            Err(error) => reasons.push(error.to_string()),
        }
        reasons
    }
}

/// The collections with unpublished events.
fn outboxes(documents: &Documents) -> Vec<String> {
    let filled = |document: &&Document| document.get_array("outbox").is_ok_and(|o| !o.is_empty());
    let of_each = documents.all().filter_map(|(service, collection, documents)| {
        quiescence::outbox(service, collection, documents.iter().filter(filled).count())
    });
    of_each.collect()
}

#[async_trait(?Send)]
impl Drive for Processes {
    async fn send(&mut self, requests: Vec<http::Request<Bytes>>) -> Vec<Reply> {
        let replies = requests.into_iter().map(|request| self.gateway.send(request));
        futures::stream::iter(replies).buffered(AT_ONCE).collect().await
    }

    async fn pass(&mut self, time: Duration) {
        tokio::time::sleep(time).await;
    }

    async fn pass_to(&mut self, time: Duration) {
        self.pass(time).await;
    }

    async fn quiesce(&mut self) -> Result<(), NotQuiescent> {
        self.converge(LOOK_INTERVAL, None).await.map(|_| ())
    }
}

#[async_trait(?Send)]
impl Operate for Processes {
    async fn start(&mut self, service: &str) -> Result<(), WorldError> {
        for instance in self.deployment.instances.iter().filter(|i| i.id.service == service) {
            instance.start().await.map_err(|error| WorldError::other(error.to_string()))?;
        }
        Ok(())
    }

    async fn restart(&mut self, service: &str) -> Result<(), WorldError> {
        self.crash(service).await;
        self.start(service).await
    }

    async fn forget(&mut self, service: &str) -> Result<(), WorldError> {
        Err(WorldError::other(format!("{service} keeps its data in the world of processes")))
    }

    async fn crash(&mut self, service: &str) -> usize {
        let mut killed = 0;
        for instance in self.deployment.instances.iter().filter(|i| i.id.service == service) {
            killed += usize::from(instance.kill().await.is_ok());
        }
        killed
    }

    /// Every instance is started again anyway.
    fn revive(&mut self) {}

    async fn publish(&mut self, message: Message) -> Result<(), WorldError> {
        self.bus.publish(Stream::Events, message).await?;
        Ok(())
    }
}

#[async_trait(?Send)]
impl Inspect for Processes {
    fn instances(&self, service: &str) -> usize {
        let of_service = self.deployment.instances.iter().filter(|i| i.id.service == service);
        of_service.filter(|instance| instance.is_ready()).count()
    }

    fn faults(&self) -> &Faults {
        &self.faults
    }

    fn trace(&self) -> &Trace {
        &self.trace
    }

    fn traces_ports(&self) -> bool {
        false
    }

    fn untraced_faults(&self) -> usize {
        self.injected.load(SeqCst)
    }

    fn now(&self) -> Timestamp {
        SystemClock.now()
    }

    fn collections(&self) -> Vec<(&'static str, String)> {
        self.topology.collections()
    }

    async fn documents(
        &mut self,
        service: &str,
        collection: &str,
    ) -> Result<Vec<Document>, WorldError> {
        let name = self.system.service(service)?.name;
        let database = format!("{}-{name}", self.namespace);
        Ok(Mongo::with_client(&self.mongo, &database).find(collection, Find::default()).await?)
    }

    async fn dead_letters(&mut self) -> Result<Vec<DeadLetter>, WorldError> {
        Ok(deadletter::list(&self.bus, &SystemClock).await?)
    }
}

#[async_trait(?Send)]
impl World for Processes {
    async fn end(&mut self) {
        self.deployment.end().await;
    }
}
