//! The servers of one setting: one, or three of them, and none of the other kind.

use futures::future::try_join_all;
use servers::{Cluster, NODES, Options, Server, Servers};

use super::Failure;

/// The stream of the measurement.
pub(crate) const STREAM: &str = "durability";

/// Running servers of one kind.
pub(crate) struct Setup {
    server: Server,
    running: Running,
}

enum Running {
    Pair(Servers),
    Cluster(Cluster),
}

impl Setup {
    /// Starts the servers, and kills those of the other kind, which would take time and sync the
    /// disk.
    pub(crate) async fn start(
        options: &Options,
        server: Server,
        clustered: bool,
    ) -> Result<Self, Failure> {
        let other = if server == Server::Nats { Server::Mongo } else { Server::Nats };
        let running = if clustered {
            let cluster = Cluster::start(options).await?;
            for node in 0..NODES {
                cluster.kill(other, node).await?;
            }
            Running::Cluster(cluster)
        } else {
            let pair = servers::start(options).await?;
            pair.kill(other).await?;
            Running::Pair(pair)
        };
        Ok(Self { server, running })
    }

    pub(crate) fn url(&self) -> &str {
        match (&self.running, self.server) {
            (Running::Pair(pair), Server::Nats) => &pair.nats_url,
            (Running::Pair(pair), Server::Mongo) => &pair.mongo_url,
            (Running::Cluster(cluster), Server::Nats) => &cluster.nats_url,
            (Running::Cluster(cluster), Server::Mongo) => &cluster.mongo_url,
        }
    }

    /// The numbers of the nodes.
    pub(crate) fn nodes(&self) -> Vec<usize> {
        match &self.running {
            Running::Pair(_) => vec![0],
            Running::Cluster(_) => (0..NODES).collect(),
        }
    }

    /// Kills the node that leads, and returns its number.
    pub(crate) async fn kill_leader(&self) -> Result<usize, Failure> {
        let node = match (&self.running, self.server) {
            (Running::Pair(_), _) => Some(0),
            (Running::Cluster(cluster), Server::Nats) => cluster.leader_of_stream(STREAM).await,
            (Running::Cluster(cluster), Server::Mongo) => cluster.primary().await,
        };
        let node = node.ok_or("there is no leader")?;
        self.kill(node).await?;
        Ok(node)
    }

    /// Kills all nodes at once.
    pub(crate) async fn kill_all(&self) -> Result<(), Failure> {
        try_join_all(self.nodes().into_iter().map(|node| self.kill(node))).await?;
        Ok(())
    }

    async fn kill(&self, node: usize) -> Result<(), Failure> {
        match &self.running {
            Running::Pair(pair) => pair.kill(self.server).await?,
            Running::Cluster(cluster) => cluster.kill(self.server, node).await?,
        }
        Ok(())
    }

    /// Starts these nodes again.
    pub(crate) async fn restart(&self, nodes: &[usize]) -> Result<(), Failure> {
        try_join_all(nodes.iter().map(async |node| match &self.running {
            Running::Pair(pair) => pair.restart(self.server).await,
            Running::Cluster(cluster) => cluster.restart(self.server, *node).await,
        }))
        .await?;
        Ok(())
    }

    pub(crate) async fn stop(&self) -> Result<(), Failure> {
        match &self.running {
            Running::Pair(pair) => pair.stop().await?,
            Running::Cluster(cluster) => cluster.stop().await?,
        }
        Ok(())
    }
}
