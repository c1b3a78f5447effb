//! The handle of a pair of servers, which callers break, restart and stop them with.
//!
//! It never creates a stream or a database; `acquire.rs` creates the handle.

use std::fmt;
use std::path::Path;
use std::time::Duration;

use rustix::process::Signal;

use crate::docker::Containers;
use crate::error::ServersError;
use crate::pair::Pair;
use crate::server::Server;
use crate::source::Source;

/// A NATS server with JetStream and a MongoDB server, both answering.
///
/// Servers that this process started end with it, whichever way it ends, and their data is
/// removed. Dropping the handle ends them too.
#[non_exhaustive]
pub struct Servers {
    /// The `nats://` URL of the NATS server.
    pub nats_url: String,
    /// The `mongodb://` URL of the MongoDB server.
    pub mongo_url: String,
    /// The source of the servers.
    pub source: Source,
    /// The time from the start of the search until both answered, including a fetch.
    pub ready_in: Duration,
    pub(crate) backing: Backing,
}

/// The resources behind a handle.
pub(crate) enum Backing {
    /// Servers of the user, which are never stopped.
    Url,
    Pair(Box<Pair>),
    Containers(Box<Containers>),
}

impl fmt::Debug for Servers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Servers")
            .field("nats_url", &self.nats_url)
            .field("mongo_url", &self.mongo_url)
            .field("source", &self.source)
            .field("ready_in", &self.ready_in)
            .finish_non_exhaustive()
    }
}

impl Servers {
    /// Kills a server as a crash would (`SIGKILL`). Its data stays. Does nothing if it is down.
    ///
    /// # Errors
    /// [`ServersError::NotOwned`] if this process did not start it; [`ServersError::Io`] if
    /// the system refuses.
    pub async fn kill(&self, server: Server) -> Result<(), ServersError> {
        self.pair("kill")?.node(server).kill().await
    }

    /// Starts a server again on the same port and data, and waits until it is ready. A server
    /// that is up is stopped cleanly first.
    ///
    /// # Errors
    /// [`ServersError::NotOwned`] if this process did not start it; [`ServersError::Start`] if
    /// it does not become ready.
    pub async fn restart(&self, server: Server) -> Result<(), ServersError> {
        self.pair("restart")?.node(server).restart().await
    }

    /// Suspends a server (`SIGSTOP`): connections stay open, and it answers nothing.
    ///
    /// # Errors
    /// [`ServersError::NotOwned`] if this process did not start it;
    /// [`ServersError::NotRunning`] if it is down.
    pub async fn freeze(&self, server: Server) -> Result<(), ServersError> {
        self.pair("freeze")?.node(server).signal(Signal::STOP).await
    }

    /// Resumes a frozen server (`SIGCONT`).
    ///
    /// # Errors
    /// As [`Servers::freeze`].
    pub async fn thaw(&self, server: Server) -> Result<(), ServersError> {
        self.pair("thaw")?.node(server).signal(Signal::CONT).await
    }

    /// The process id of a server, if this process started it and it is up.
    pub async fn process_id(&self, server: Server) -> Option<u32> {
        match &self.backing {
            Backing::Pair(pair) => pair.node(server).process_id().await,
            Backing::Url | Backing::Containers(_) => None,
        }
    }

    /// The folder with the data and the logs (`nats.log`, `mongod.log`), if this process
    /// started the servers.
    #[must_use]
    pub fn folder(&self) -> Option<&Path> {
        match &self.backing {
            Backing::Pair(pair) => Some(pair.folder()),
            Backing::Url | Backing::Containers(_) => None,
        }
    }

    /// Stops the servers cleanly and removes their data. Servers at given URLs keep running. A
    /// second call does nothing.
    ///
    /// A process need not call this before it ends: the servers end with it.
    ///
    /// # Errors
    /// [`ServersError::Io`] or [`ServersError::Containers`] if something could not be stopped
    /// or removed.
    pub async fn stop(&self) -> Result<(), ServersError> {
        match &self.backing {
            Backing::Url => Ok(()),
            Backing::Pair(pair) => pair.stop().await,
            Backing::Containers(containers) => containers.stop().await,
        }
    }

    fn pair(&self, action: &'static str) -> Result<&Pair, ServersError> {
        match &self.backing {
            Backing::Pair(pair) => Ok(pair),
            Backing::Url | Backing::Containers(_) => {
                Err(ServersError::NotOwned { action, servers: self.source.to_string() })
            }
        }
    }
}
