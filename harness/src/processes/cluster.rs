//! Everything that runs: a pair of servers, the external services, and the instances of all
//! services with their links; and each fault in them, injected and healed.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use adapters::reqwest::client;
use futures::future::try_join_all;
use servers::{Options, Server, Servers};
use tokio_util::task::AbortOnDropHandle;

use super::error::ProcessesError;
use super::external::{Conduct, External};
use super::instance::{Instance, Program};
use super::link::{Condition, Link};
use super::plan::Fault;
use crate::subject::processes::{Launch, Processes};
use crate::system::System;
use crate::time_scale::TimeScale;
use crate::trace::InstanceId;

/// The number of instances of each service.
const INSTANCES: u32 = 2;

/// Time in which all instances must be ready.
const READY_LIMIT: Duration = Duration::from_secs(60);

/// Pause between two checks of readiness.
const CHECK_INTERVAL: Duration = Duration::from_millis(50);

/// Time after which a question for readiness counts as unanswered.
const READINESS_TIMEOUT: Duration = Duration::from_secs(1);

/// The running processes.
pub(super) struct Cluster {
    pub(super) servers: Servers,
    pub(super) instances: Vec<Arc<Instance>>,
    external: External,
    _watching: Vec<AbortOnDropHandle<()>>,
}

/// What a cluster is started from.
pub(super) struct Plan<'a> {
    pub(super) system: &'a System,
    pub(super) processes: &'a Processes,
    pub(super) time: &'a TimeScale,
    pub(super) binary: &'a Path,
    pub(super) namespace: &'a str,
    /// The folder of the logs of all instances.
    pub(super) logs: &'a Path,
}

impl Cluster {
    /// Starts servers of its own and two instances of each service, and waits until all are
    /// ready.
    ///
    /// # Errors
    ///
    /// When the servers cannot be had, are not this process's own, or an instance does not
    /// become ready.
    pub(super) async fn start(plan: &Plan<'_>) -> Result<Self, ProcessesError> {
        let options = Options::from_env().map_err(servers::ServersError::from)?;
        let servers = servers::start(&options).await?;
        let Some(folder) = servers.folder().map(Path::to_owned) else {
            return Err(ProcessesError::ForeignServers(servers.source.to_string()));
        };
        let io = |action: &'static str| move |source| ProcessesError::Io { action, source };
        let external = External::serve(Arc::clone(&plan.system.external)).await;
        let external = external.map_err(io("serve the external services"))?;
        std::fs::create_dir_all(plan.logs).map_err(io("create the folder of logs"))?;
        let mut instances = Vec::new();
        for service in &plan.system.services {
            for instance in 1..=INSTANCES {
                let id = InstanceId { service: service.name, instance };
                let built = plan.instance(id, &servers, &folder, external.address).await;
                instances.push(Arc::new(built.map_err(io("open the links of an instance"))?));
            }
        }
        let started = try_join_all(instances.iter().map(|instance| instance.start())).await;
        started.map_err(io("start an instance"))?;
        let client = client(READINESS_TIMEOUT);
        let watching = instances.iter().map(|instance| instance.watch(client.clone()));
        let cluster = Self { _watching: watching.collect(), servers, instances, external };
        cluster.wait_until_ready().await?;
        Ok(cluster)
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

    /// Injects a fault. A process that is killed stays down until it is healed.
    ///
    /// # Errors
    ///
    /// When the system refuses.
    pub(super) async fn inject(&self, fault: Fault) -> Result<(), ProcessesError> {
        let io = |source| ProcessesError::Io { action: "inject a fault", source };
        match fault {
            Fault::KillInstance(id) => self.instance(id).kill().await.map_err(io)?,
            Fault::FreezeInstance(id) => self.instance(id).freeze().await.map_err(io)?,
            Fault::KillServer(server) => self.servers.kill(server).await?,
            Fault::FreezeServer(server) => self.servers.freeze(server).await?,
            Fault::Link(id, server, condition) => self.link(id, server).set(condition),
            Fault::External(conduct) => self.external.set(conduct),
        }
        Ok(())
    }

    /// Heals a fault.
    ///
    /// # Errors
    ///
    /// When the system refuses, or a server does not start again.
    pub(super) async fn heal(&self, fault: Fault) -> Result<(), ProcessesError> {
        let io = |source| ProcessesError::Io { action: "heal a fault", source };
        match fault {
            Fault::KillInstance(id) => self.instance(id).start().await.map_err(io)?,
            Fault::FreezeInstance(id) => self.instance(id).thaw().await.map_err(io)?,
            Fault::KillServer(server) => self.servers.restart(server).await?,
            Fault::FreezeServer(server) => self.servers.thaw(server).await?,
            Fault::Link(id, server, _) => self.link(id, server).set(Condition::Open),
            Fault::External(_) => self.external.set(Conduct::Well),
        }
        Ok(())
    }

    /// The instance of this id, which must be one of this cluster.
    pub(super) fn instance(&self, id: InstanceId) -> &Instance {
        let instance = self.instances.iter().find(|instance| instance.id == id);
        instance.expect("a fault names an instance of its cluster")
    }

    fn link(&self, id: InstanceId, server: Server) -> &Link {
        let instance = self.instance(id);
        match server {
            Server::Nats => &instance.nats,
            Server::Mongo => &instance.mongo,
        }
    }

    /// Kills every instance, and stops the servers.
    pub(super) async fn end(&self) {
        for instance in &self.instances {
            drop(instance.kill().await);
        }
        // They end with this process anyway.
        drop(self.servers.stop().await);
    }
}

impl Plan<'_> {
    async fn instance(
        &self,
        id: InstanceId,
        servers: &Servers,
        folder: &Path,
        external: SocketAddr,
    ) -> io::Result<Instance> {
        let nats = Link::to(server_address(&servers.nats_url)?).await?;
        let mongo = Link::to(server_address(&servers.mongo_url)?).await?;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, servers::free_port()));
        let name = format!("{}-{}", id.service, id.instance);
        let command_line = (self.processes.command_line)(&Launch {
            service: id.service,
            listen: address,
            nats_url: format!("nats://{}", nats.address),
            mongo_url: format!("mongodb://{}/?directConnection=true", mongo.address),
            external_url: format!("http://{external}"),
            namespace: self.namespace.to_owned(),
            time: self.time,
        });
        let program = Program {
            binary: self.binary.to_owned(),
            command_line,
            log: self.logs.join(format!("{name}.log")),
            // The reaper of the servers ends every process with an id in their folder.
            pid_file: folder.join(format!("{name}.pid")),
        };
        Ok(Instance::new(id, address, [nats, mongo], program))
    }
}

/// The address in the URL of a server that this process started.
fn server_address(url: &str) -> io::Result<SocketAddr> {
    let address = url.split("://").nth(1).and_then(|rest| rest.split('/').next());
    let address = address.and_then(|address| address.parse().ok());
    address.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, url.to_owned()))
}
