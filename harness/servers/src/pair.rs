//! A `nats-server` and a `mongod` as child processes: started together, each with a port and
//! data of its own, killed and restarted on the same ones.
//!
//! It never knows where the binaries came from.

use std::ffi::OsString;
use std::path::Path;

use backon::{ConstantBuilder, Retryable as _};
use tokio::sync::Mutex;

use crate::error::{ServersError, StartError};
use crate::folder::Folder;
use crate::launch::{Launch, Role};
use crate::node::Node;
use crate::options::Options;
use crate::package::Binaries;
use crate::port;
use crate::reaper::Reaper;
use crate::server::Server;

/// Ports are random picks out of thousands, so this many conflicts are no coincidence.
pub(crate) const PORT_RETRIES: usize = 20;

/// A running pair.
pub(crate) struct Pair {
    // Dropped in this order: the servers end before their folder goes, and the reaper then
    // finds nothing to do.
    nats: Node,
    mongod: Node,
    folder: Folder,
    reaper: Mutex<Option<Reaper>>,
}

impl Pair {
    /// Starts both servers in a new folder in the data root, and removes the folders of dead
    /// processes there.
    pub(crate) async fn start(binaries: &Binaries, options: &Options) -> Result<Self, StartError> {
        let (folder, reaper, swept) = Folder::prepare(&options.data_root)?;
        let launch = |program: &Path, role: Role, arguments: &[OsString]| {
            let (program, folder) = (program.to_owned(), folder.path().to_owned());
            let arguments = arguments.to_owned();
            move |port| Launch { program, folder, port, role, arguments }
        };
        let (nats, mongod) = tokio::try_join!(
            on_a_free_port(launch(&binaries.nats, Role::Nats(None), &options.nats_arguments)),
            on_a_free_port(launch(&binaries.mongod, Role::Mongo(None), &[])),
        )?;
        swept.await;
        Ok(Self { nats, mongod, folder, reaper: Mutex::new(Some(reaper)) })
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The node that runs this server.
    pub(crate) fn node(&self, server: Server) -> &Node {
        match server {
            Server::Nats => &self.nats,
            Server::Mongo => &self.mongod,
        }
    }

    /// The port of this server.
    pub(crate) fn port(&self, server: Server) -> u16 {
        self.node(server).launch.port
    }

    /// Stops both servers and removes their data.
    pub(crate) async fn stop(&self) -> Result<(), ServersError> {
        let (nats, mongod) = tokio::join!(self.nats.stop(), self.mongod.stop());
        nats.and(mongod)?;
        Reaper::finish(&self.reaper).await
    }
}

/// Starts a server on a port that stays free until the server has bound it.
async fn on_a_free_port(launch: impl FnOnce(u16) -> Launch + Clone) -> Result<Node, StartError> {
    let attempt = || async { Node::start(launch.clone()(port::pick())).await };
    at_once_where_taken(attempt).await
}

/// Repeats an attempt for as long as another process takes its port.
pub(crate) async fn at_once_where_taken<T, F>(attempt: impl Fn() -> F) -> Result<T, StartError>
where
    F: Future<Output = Result<T, StartError>>,
{
    let at_once = ConstantBuilder::new().with_delay(std::time::Duration::ZERO);
    let port_was_taken = |error: &StartError| matches!(error, StartError::PortTaken(_));
    attempt.retry(at_once.with_max_times(PORT_RETRIES)).when(port_was_taken).await
}
