//! The servers behind a deployment: one of each, or a cluster of three, in which a fault hits the
//! node that leads when it is injected.

use std::path::Path;
use std::time::{Duration, Instant};

use servers::{Cluster, NODES, Options, Server, Servers, ServersError};
use tokio_util::sync::CancellationToken;

use super::error::ProcessesError;

/// Time for which a fault waits for a leader that it can hit.
const LEADER_LIMIT: Duration = Duration::from_secs(10);

/// Pause between two questions for a leader.
const ASK_INTERVAL: Duration = Duration::from_millis(100);

/// Running servers of this process.
pub(super) enum Backend {
    /// One of each.
    Pair(Servers),
    /// Three of each.
    Cluster(Cluster),
}

/// A server, in a cluster one of its nodes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Aim {
    server: Server,
    node: usize,
}

impl Backend {
    /// Starts servers.
    ///
    /// # Errors
    ///
    /// When they cannot be had or are not this process's own.
    pub(super) async fn start(clustered: bool) -> Result<Self, ProcessesError> {
        let options = Options::from_env().map_err(ServersError::from)?;
        if clustered {
            return Ok(Self::Cluster(Cluster::start(&options).await?));
        }
        let servers = servers::start(&options).await?;
        if servers.folder().is_none() {
            return Err(ProcessesError::ForeignServers(servers.source.to_string()));
        }
        Ok(Self::Pair(servers))
    }

    /// The URL of the NATS server, or those of all nodes.
    pub(super) fn nats_url(&self) -> &str {
        match self {
            Self::Pair(pair) => &pair.nats_url,
            Self::Cluster(cluster) => &cluster.nats_url,
        }
    }

    /// The URL of the MongoDB server or replica set.
    pub(super) fn mongo_url(&self) -> &str {
        match self {
            Self::Pair(pair) => &pair.mongo_url,
            Self::Cluster(cluster) => &cluster.mongo_url,
        }
    }

    /// The number of replicas of each stream.
    pub(super) fn stream_replicas(&self) -> u8 {
        match self {
            Self::Pair(_) => 1,
            Self::Cluster(_) => NODES as u8,
        }
    }

    /// Whether clients find the members of MongoDB by themselves, past any link.
    pub(super) fn is_replica_set(&self) -> bool {
        matches!(self, Self::Cluster(_))
    }

    /// The folder of the data.
    pub(super) fn folder(&self) -> &Path {
        match self {
            Self::Pair(pair) => pair.folder().expect("checked at the start"),
            Self::Cluster(cluster) => cluster.folder(),
        }
    }

    /// The server that a fault hits now; in a cluster the node that leads: of NATS, the one that
    /// leads this stream. `None` where none leads within ten seconds, or before `ended`.
    pub(super) async fn aim(
        &self,
        server: Server,
        stream: &str,
        ended: &CancellationToken,
    ) -> Option<Aim> {
        let Self::Cluster(cluster) = self else { return Some(Aim { server, node: 0 }) };
        let began = Instant::now();
        while began.elapsed() < LEADER_LIMIT && !ended.is_cancelled() {
            let leader = match server {
                Server::Nats => cluster.leader_of_stream(stream).await,
                Server::Mongo => cluster.primary().await,
            };
            if let Some(node) = leader {
                return Some(Aim { server, node });
            }
            tokio::time::sleep(ASK_INTERVAL).await;
        }
        None
    }

    /// Kills it as a crash would.
    ///
    /// # Errors
    ///
    /// When the system refuses, as in the functions below.
    pub(super) async fn kill(&self, Aim { server, node }: Aim) -> Result<(), ServersError> {
        match self {
            Self::Pair(pair) => pair.kill(server).await,
            Self::Cluster(cluster) => cluster.kill(server, node).await,
        }
    }

    /// Starts it again on its data.
    pub(super) async fn restart(&self, Aim { server, node }: Aim) -> Result<(), ServersError> {
        match self {
            Self::Pair(pair) => pair.restart(server).await,
            Self::Cluster(cluster) => cluster.restart(server, node).await,
        }
    }

    /// Suspends it.
    pub(super) async fn freeze(&self, Aim { server, node }: Aim) -> Result<(), ServersError> {
        match self {
            Self::Pair(pair) => pair.freeze(server).await,
            Self::Cluster(cluster) => cluster.freeze(server, node).await,
        }
    }

    /// Resumes it.
    pub(super) async fn thaw(&self, Aim { server, node }: Aim) -> Result<(), ServersError> {
        match self {
            Self::Pair(pair) => pair.thaw(server).await,
            Self::Cluster(cluster) => cluster.thaw(server, node).await,
        }
    }

    /// Stops all servers and removes their data.
    pub(super) async fn stop(&self) -> Result<(), ServersError> {
        match self {
            Self::Pair(pair) => pair.stop().await,
            Self::Cluster(cluster) => cluster.stop().await,
        }
    }
}
