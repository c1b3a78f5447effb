//! Everything that runs: the servers, the external services, and the instances of all
//! services with their links; and each fault in them, injected and healed.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use adapters::reqwest::client;
use futures::future::try_join_all;
use servers::Server;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

use super::backend::{Aim, Backend};
use super::error::ProcessesError;
use super::external::{Conduct, External};
use super::instance::{Instance, Program};
use super::link::{Condition, Link};
use super::plan::Fault;
use crate::subject::processes::{Launch, Processes};
use crate::system::System;
use crate::time_scale::TimeScale;
use crate::trace::InstanceId;

/// Time in which all instances must be ready.
const READY_LIMIT: Duration = Duration::from_secs(60);

/// Pause between two checks of readiness.
const CHECK_INTERVAL: Duration = Duration::from_millis(50);

/// Time after which a question for readiness counts as unanswered.
const READINESS_TIMEOUT: Duration = Duration::from_secs(1);

/// The running processes.
pub(super) struct Deployment {
    pub(super) backend: Backend,
    pub(super) instances: Vec<Arc<Instance>>,
    /// The stream of events.
    stream: String,
    external: External,
    _watching: Vec<AbortOnDropHandle<()>>,
}

/// The parts of a deployment, before its start.
pub(super) struct Plan<'a> {
    pub(super) system: &'a System,
    pub(super) processes: &'a Processes,
    pub(super) time: &'a TimeScale,
    pub(super) binary: &'a Path,
    pub(super) namespace: &'a str,
    /// The number of instances of each service.
    pub(super) instances: u32,
    /// True if a link that can be disturbed stands before each server.
    pub(super) linked: bool,
    /// Whether the servers are a cluster.
    pub(super) clustered: bool,
    /// The folder of the logs of all instances.
    pub(super) logs: &'a Path,
}

/// A fault, and the server that it hits; none for a fault elsewhere.
#[derive(Debug, Clone, Copy)]
pub(super) struct Aimed {
    fault: Fault,
    server: Option<Aim>,
}

impl Deployment {
    /// Starts servers of its own and the instances of each service, and waits until all are
    /// ready.
    ///
    /// # Errors
    ///
    /// When the servers cannot be had, are not this process's own, or an instance does not
    /// become ready.
    pub(super) async fn start(plan: &Plan<'_>) -> Result<Self, ProcessesError> {
        let backend = Backend::start(plan.clustered).await?;
        let io = |action: &'static str| move |source| ProcessesError::Io { action, source };
        let external = External::serve(Arc::clone(&plan.system.external)).await;
        let external = external.map_err(io("serve the external services"))?;
        std::fs::create_dir_all(plan.logs).map_err(io("create the folder of logs"))?;
        let mut instances = Vec::new();
        for service in &plan.system.services {
            for instance in 1..=plan.instances {
                let id = InstanceId { service: service.name, instance };
                let built = plan.instance(id, &backend, external.address).await;
                instances.push(Arc::new(built.map_err(io("open the links of an instance"))?));
            }
        }
        let started = try_join_all(instances.iter().map(|instance| instance.start())).await;
        started.map_err(io("start an instance"))?;
        let client = client(READINESS_TIMEOUT);
        let watching = instances.iter().map(|instance| instance.watch(client.clone()));
        let deployment = Self {
            _watching: watching.collect(),
            stream: plan.namespace.to_owned(),
            backend,
            instances,
            external,
        };
        deployment.wait_until_ready().await?;
        Ok(deployment)
    }

    async fn wait_until_ready(&self) -> Result<(), ProcessesError> {
        let began = Instant::now();
        loop {
            let Some(late) = self.instances.iter().find(|instance| !instance.is_ready()) else {
                return Ok(());
            };
            if began.elapsed() > READY_LIMIT {
                return Err(ProcessesError::NotReady { id: late.id, log: late.tail().await });
            }
            tokio::time::sleep(CHECK_INTERVAL).await;
        }
    }

    /// The fault with the server that it hits now; `None` where that is a leader and there is none
    /// for a while, or before `ended`.
    pub(super) async fn aim(&self, fault: Fault, ended: &CancellationToken) -> Option<Aimed> {
        let server = match fault.server() {
            Some(server) => Some(self.backend.aim(server, &self.stream, ended).await?),
            None => None,
        };
        Some(Aimed { fault, server })
    }

    /// Injects a fault. A process that is killed stays down until it is healed.
    ///
    /// # Errors
    ///
    /// When the system refuses.
    pub(super) async fn inject(
        &self,
        Aimed { fault, server }: Aimed,
    ) -> Result<(), ProcessesError> {
        let io = |source| ProcessesError::Io { action: "inject a fault", source };
        match (fault, server) {
            (Fault::KillInstance(id), _) => self.instance(id).kill().await.map_err(io)?,
            (Fault::FreezeInstance(id), _) => self.instance(id).freeze().await.map_err(io)?,
            (Fault::KillServer(_) | Fault::KillLeader(_), Some(aim)) => {
                self.backend.kill(aim).await?;
            }
            (Fault::FreezeServer(_) | Fault::FreezeLeader(_), Some(aim)) => {
                self.backend.freeze(aim).await?;
            }
            (Fault::Link(id, server, condition), _) => self.set(id, server, condition),
            (Fault::External(conduct), _) => self.external.set(conduct),
            (
                Fault::KillServer(_)
                | Fault::KillLeader(_)
                | Fault::FreezeServer(_)
                | Fault::FreezeLeader(_),
                None,
            ) => unreachable!("{fault:?} is in a server"),
        }
        Ok(())
    }

    /// Heals a fault.
    ///
    /// # Errors
    ///
    /// When the system refuses, or a server does not start again.
    pub(super) async fn heal(&self, Aimed { fault, server }: Aimed) -> Result<(), ProcessesError> {
        let io = |source| ProcessesError::Io { action: "heal a fault", source };
        match (fault, server) {
            (Fault::KillInstance(id), _) => self.instance(id).start().await.map_err(io)?,
            (Fault::FreezeInstance(id), _) => self.instance(id).thaw().await.map_err(io)?,
            (Fault::KillServer(_) | Fault::KillLeader(_), Some(aim)) => {
                self.backend.restart(aim).await?;
            }
            (Fault::FreezeServer(_) | Fault::FreezeLeader(_), Some(aim)) => {
                self.backend.thaw(aim).await?;
            }
            (Fault::Link(id, server, _), _) => self.set(id, server, Condition::Open),
            (Fault::External(_), _) => self.external.set(Conduct::Well),
            _ => {}
        }
        Ok(())
    }

    /// The instance of this id, which must be one of this deployment.
    pub(super) fn instance(&self, id: InstanceId) -> &Instance {
        let instance = self.instances.iter().find(|instance| instance.id == id);
        instance.expect("a fault names an instance of its deployment")
    }

    /// Puts the links of an instance to this server, in a cluster those to all of its nodes, into
    /// this condition.
    fn set(&self, id: InstanceId, server: Server, condition: Condition) {
        let instance = self.instance(id);
        let links = match server {
            Server::Nats => &instance.nats,
            Server::Mongo => &instance.mongo,
        };
        links.iter().for_each(|link| link.set(condition));
    }

    /// Kills every instance, and stops the servers.
    pub(super) async fn end(&self) {
        for instance in &self.instances {
            drop(instance.kill().await);
        }
        // They end with this process anyway.
        drop(self.backend.stop().await);
    }
}

impl Plan<'_> {
    async fn instance(
        &self,
        id: InstanceId,
        backend: &Backend,
        external: SocketAddr,
    ) -> io::Result<Instance> {
        let (nats, nats_url) = if self.linked {
            let nats = links(backend.nats_url()).await?;
            let url = format!("nats://{}", addresses(&nats));
            (nats, url)
        } else {
            (Vec::new(), backend.nats_url().to_owned())
        };
        // Clients of a replica set connect to the addresses that its members name.
        let (mongo, mongo_url) = if backend.is_replica_set() || !self.linked {
            (Vec::new(), backend.mongo_url().to_owned())
        } else {
            let mongo = links(backend.mongo_url()).await?;
            let url = format!("mongodb://{}/?directConnection=true", addresses(&mongo));
            (mongo, url)
        };
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, servers::free_port()));
        let name = format!("{}-{}", id.service, id.instance);
        let command_line = (self.processes.command_line)(&Launch {
            service: id.service,
            listen: address,
            nats_url,
            stream_replicas: backend.stream_replicas(),
            mongo_url,
            external_url: format!("http://{external}"),
            namespace: self.namespace.to_owned(),
            time: self.time,
        });
        let program = Program {
            binary: self.binary.to_owned(),
            command_line,
            log: self.logs.join(format!("{name}.log")),
            // The reaper of the servers ends every process with an id in their folder.
            pid_file: backend.folder().join(format!("{name}.pid")),
        };
        Ok(Instance::new(id, address, [nats, mongo], program))
    }
}

/// A link to each server in the URL of servers that this process started.
async fn links(url: &str) -> io::Result<Vec<Link>> {
    let servers = url.split(',').map(|url| {
        let address = url.split("://").nth(1).and_then(|rest| rest.split('/').next());
        let address = address.and_then(|address| address.parse().ok());
        address.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, url.to_owned()))
    });
    let servers = servers.collect::<io::Result<Vec<SocketAddr>>>()?;
    try_join_all(servers.into_iter().map(Link::to)).await
}

/// The addresses of the clients' ends, separated by commas.
fn addresses(links: &[Link]) -> String {
    let addresses: Vec<_> = links.iter().map(|link| link.address.to_string()).collect();
    addresses.join(",")
}
