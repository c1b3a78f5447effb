//! Three nodes of each server: a JetStream cluster and a MongoDB replica set, in which a node can
//! be killed and frozen while the others go on.
//!
//! It creates no stream and no database that lasts. Next: `cluster/nats.rs` and
//! `cluster/mongo.rs`, which wait for a leader and name it.

mod form;
mod mongo;
mod nats;

use std::ffi::OsString;
use std::fmt;
use std::path::Path;
use std::time::{Duration, Instant};

use futures::future::{join_all, try_join_all};
use rustix::process::Signal;
use tokio::sync::Mutex;

use crate::acquire::binaries;
use crate::error::{ServersError, StartError};
use crate::folder::Folder;
use crate::launch::{Launch, Member, Role};
use crate::node::Node;
use crate::options::Options;
use crate::package::Binaries;
use crate::pair::at_once_where_taken;
use crate::port;
use crate::reaper::Reaper;
use crate::server::Server;
use crate::source::Source;

pub use form::NODES;

/// A JetStream cluster and a MongoDB replica set, of three nodes each. Nodes are numbered from 0.
///
/// The nodes end with this process, whichever way it ends, and their data is removed. Dropping
/// the handle ends them too.
#[non_exhaustive]
pub struct Cluster {
    /// The `nats://` URLs of all nodes, separated by commas.
    pub nats_url: String,
    /// The `mongodb://` URL of the replica set.
    pub mongo_url: String,
    /// The source of the binaries.
    pub source: Source,
    /// The time from the start of the search until both had a leader, including a fetch.
    pub ready_in: Duration,
    // Dropped in this order, as those of a pair.
    nats: Vec<Node>,
    mongod: Vec<Node>,
    folder: Folder,
    reaper: Mutex<Option<Reaper>>,
}

impl fmt::Debug for Cluster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cluster")
            .field("nats_url", &self.nats_url)
            .field("mongo_url", &self.mongo_url)
            .field("source", &self.source)
            .field("ready_in", &self.ready_in)
            .finish_non_exhaustive()
    }
}

impl Cluster {
    /// Starts all nodes from binaries on this machine, or fetched ones, and waits until streams
    /// of three replicas can be created and the replica set has a primary.
    ///
    /// # Errors
    /// [`ServersError::Unclustered`] if `options` forces a source without binaries;
    /// [`ServersError::NoSource`] if there are none; [`ServersError::Start`] if a node does not
    /// start; [`ServersError::Unformed`] if the nodes do not agree on a leader.
    pub async fn start(options: &Options) -> Result<Self, ServersError> {
        let began = Instant::now();
        let (binaries, source) = binaries(options).await?;
        let (folder, reaper, swept) = Folder::prepare(&options.data_root)?;
        let attempt = || start_nodes(&binaries, folder.path(), &options.nats_arguments);
        let (nats, mongod) = at_once_where_taken(attempt).await?;
        swept.await;
        let addresses = |nodes: &[Node], scheme: &str| {
            let address = |node: &Node| format!("{scheme}127.0.0.1:{}", node.launch.port);
            nodes.iter().map(address).collect::<Vec<_>>().join(",")
        };
        let members: Vec<u16> = mongod.iter().map(|node| node.launch.port).collect();
        let (hosts, set) = (addresses(&mongod, ""), mongo::SET);
        let mut cluster = Self {
            nats_url: addresses(&nats, "nats://"),
            mongo_url: format!("mongodb://{hosts}/?replicaSet={set}"),
            source,
            ready_in: Duration::ZERO,
            nats,
            mongod,
            folder,
            reaper: Mutex::new(Some(reaper)),
        };
        tokio::try_join!(nats::form(&cluster.nats_url), mongo::form(&members))?;
        cluster.ready_in = began.elapsed();
        Ok(cluster)
    }

    /// The node that leads this stream of JetStream; `None` while none does, or where none
    /// answers.
    pub async fn leader_of_stream(&self, stream: &str) -> Option<usize> {
        let name = nats::leader(&self.nats_url, stream).await?;
        self.nats.iter().position(|node| match &node.launch.role {
            Role::Nats(Some(member)) => member.name == name,
            _ => false,
        })
    }

    /// The node that is the primary of the replica set; `None` while none is, or where none
    /// answers.
    pub async fn primary(&self) -> Option<usize> {
        let answers = join_all(self.mongod.iter().map(|node| mongo::election(node.launch.port)));
        let elections = answers.await.into_iter().enumerate();
        // A deposed primary that was frozen believes in an older election.
        let primaries = elections.filter_map(|(index, election)| Some((election?, index)));
        primaries.max().map(|(_, index)| index)
    }

    /// Kills a node as a crash would (`SIGKILL`). Its data stays. Does nothing if it is down.
    ///
    /// # Errors
    /// [`ServersError::Io`] if the system refuses.
    ///
    /// # Panics
    /// If there is no such node, here and in the methods below.
    pub async fn kill(&self, server: Server, node: usize) -> Result<(), ServersError> {
        self.nodes(server)[node].kill().await
    }

    /// Starts a node again on the same port and data, and waits until it answers, which may be
    /// before it has rejoined the others. A node that is up is stopped cleanly first.
    ///
    /// # Errors
    /// [`ServersError::Start`] if it does not answer.
    pub async fn restart(&self, server: Server, node: usize) -> Result<(), ServersError> {
        self.nodes(server)[node].restart().await
    }

    /// Suspends a node (`SIGSTOP`): connections stay open, and it answers nothing.
    ///
    /// # Errors
    /// [`ServersError::NotRunning`] if it is down.
    pub async fn freeze(&self, server: Server, node: usize) -> Result<(), ServersError> {
        self.nodes(server)[node].signal(Signal::STOP).await
    }

    /// Resumes a frozen node (`SIGCONT`).
    ///
    /// # Errors
    /// As [`Cluster::freeze`].
    pub async fn thaw(&self, server: Server, node: usize) -> Result<(), ServersError> {
        self.nodes(server)[node].signal(Signal::CONT).await
    }

    /// The process id of a node, while it is up.
    pub async fn process_id(&self, server: Server, node: usize) -> Option<u32> {
        self.nodes(server)[node].process_id().await
    }

    /// The folder with a folder for each node, which has its data and its log.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Stops all nodes cleanly and removes their data. A second call does nothing.
    ///
    /// # Errors
    /// [`ServersError::Io`] if something could not be stopped or removed.
    pub async fn stop(&self) -> Result<(), ServersError> {
        let stopped = join_all(self.nats.iter().chain(&self.mongod).map(Node::stop)).await;
        stopped.into_iter().collect::<Result<(), _>>()?;
        Reaper::finish(&self.reaper).await
    }

    fn nodes(&self, server: Server) -> &[Node] {
        match server {
            Server::Nats => &self.nats,
            Server::Mongo => &self.mongod,
        }
    }
}

/// Starts all nodes, each in a folder of its own, on ports that are free at the moment.
async fn start_nodes(
    binaries: &Binaries,
    folder: &Path,
    nats_arguments: &[OsString],
) -> Result<(Vec<Node>, Vec<Node>), StartError> {
    let name = crate::nats::unique_name();
    let routes: Vec<u16> = (0..NODES).map(|_| port::pick()).collect();
    let io = |source| StartError::Io { action: "create the folder of a node".to_owned(), source };
    let (mut nats, mut mongod) = (Vec::new(), Vec::new());
    for (node, route) in routes.iter().enumerate() {
        // A folder for each attempt: nothing of an earlier one may be found.
        let folder = folder.join(format!("{name}-{node}"));
        std::fs::create_dir_all(&folder).map_err(io)?;
        let member = Member {
            name: format!("{name}-{node}"),
            cluster: name.clone(),
            port: *route,
            routes: routes.clone(),
        };
        let launch = |program: &Path, role, arguments: &[OsString]| {
            let (program, folder) = (program.to_owned(), folder.clone());
            Launch { program, folder, port: port::pick(), role, arguments: arguments.to_owned() }
        };
        let role = Role::Nats(Some(member));
        nats.push(Node::start(launch(&binaries.nats, role, nats_arguments)));
        mongod.push(Node::start(launch(&binaries.mongod, Role::Mongo(Some(mongo::SET)), &[])));
    }
    tokio::try_join!(try_join_all(nats), try_join_all(mongod))
}
