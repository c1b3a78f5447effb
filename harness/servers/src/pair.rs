//! A `nats-server` and a `mongod` as child processes: started together, each with a port and
//! data of its own, killed and restarted on the same ones.
//!
//! It never knows where the binaries came from.

use std::path::Path;

use backon::{ConstantBuilder, Retryable as _};
use rustix::process::Signal;
use tokio::sync::Mutex;

use crate::child::Child;
use crate::error::{ServersError, StartError};
use crate::folder::{self, Folder};
use crate::package::Binaries;
use crate::port;
use crate::reaper::Reaper;
use crate::server::Server;
use crate::{mongod, nats};

/// Ports are random picks out of thousands, so this many conflicts are no coincidence.
const PORT_RETRIES: usize = 20;

/// A running pair.
pub(crate) struct Pair {
    binaries: Binaries,
    pub(crate) nats_port: u16,
    pub(crate) mongo_port: u16,
    // Dropped in this order: the servers end before their folder goes, and the reaper then
    // finds nothing to do.
    nats: Mutex<Option<Child>>,
    mongod: Mutex<Option<Child>>,
    folder: Folder,
    reaper: Mutex<Option<Reaper>>,
}

impl Pair {
    /// Starts both servers in a new folder in `root`, and removes the folders of dead
    /// processes there.
    pub(crate) async fn start(binaries: Binaries, root: &Path) -> Result<Self, StartError> {
        let io = |action: &str| {
            let action = format!("{action} in {}", root.display());
            move |source| StartError::Io { action, source }
        };
        let folder = Folder::create(root).map_err(io("create a data folder"))?;
        let reaper = Reaper::of_folder(folder.path()).map_err(io("start the reaper"))?;
        let swept = tokio::task::spawn_blocking({
            let root = root.to_owned();
            move || folder::sweep(&root)
        });
        let ((nats_port, nats), (mongo_port, mongod)) = tokio::try_join!(
            on_a_free_port(|port| nats::start(&binaries.nats, folder.path(), port)),
            on_a_free_port(|port| mongod::start(&binaries.mongod, folder.path(), port)),
        )?;
        for stale in swept.await.unwrap_or_default() {
            tracing::debug!(folder = %stale.display(), "removed the data of a dead process");
        }
        Ok(Self {
            binaries,
            nats_port,
            mongo_port,
            nats: Mutex::new(Some(nats)),
            mongod: Mutex::new(Some(mongod)),
            folder,
            reaper: Mutex::new(Some(reaper)),
        })
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Kills one server as a crash would. Does nothing if it is down.
    pub(crate) async fn kill(&self, server: Server) -> Result<(), ServersError> {
        match self.child(server).lock().await.take() {
            Some(child) => child.kill().await.map_err(io(format!("kill {server}"))),
            None => Ok(()),
        }
    }

    /// Starts one server again on its port and data, after a clean stop if it is up.
    pub(crate) async fn restart(&self, server: Server) -> Result<(), ServersError> {
        let mut slot = self.child(server).lock().await;
        if let Some(child) = slot.take() {
            child.stop().await.map_err(io(format!("stop {server}")))?;
        }
        let folder = self.folder.path();
        *slot = Some(match server {
            Server::Nats => nats::start(&self.binaries.nats, folder, self.nats_port).await?,
            Server::Mongo => mongod::start(&self.binaries.mongod, folder, self.mongo_port).await?,
        });
        Ok(())
    }

    /// Sends a signal to one server, which must be up.
    pub(crate) async fn signal(&self, server: Server, signal: Signal) -> Result<(), ServersError> {
        match &*self.child(server).lock().await {
            Some(child) => child.signal(signal).map_err(io(format!("signal {server}"))),
            None => Err(ServersError::NotRunning(server)),
        }
    }

    /// The process id of one server, while it is up.
    pub(crate) async fn process_id(&self, server: Server) -> Option<u32> {
        self.child(server).lock().await.as_ref().map(Child::id)
    }

    /// Stops both servers and removes their data.
    pub(crate) async fn stop(&self) -> Result<(), ServersError> {
        let nats = self.nats.lock().await.take();
        let mongod = self.mongod.lock().await.take();
        let stop = async |child: Option<Child>| match child {
            Some(child) => child.stop().await,
            None => Ok(()),
        };
        let (nats, mongod) = tokio::join!(stop(nats), stop(mongod));
        nats.and(mongod).map_err(io("stop the servers".to_owned()))?;
        match self.reaper.lock().await.take() {
            Some(reaper) => reaper.clean_up().await.map_err(io("remove the data".to_owned())),
            None => Ok(()),
        }
    }

    fn child(&self, server: Server) -> &Mutex<Option<Child>> {
        match server {
            Server::Nats => &self.nats,
            Server::Mongo => &self.mongod,
        }
    }
}

fn io(action: String) -> impl FnOnce(std::io::Error) -> ServersError {
    move |source| ServersError::Io { action, source }
}

/// Starts a server on a port that stays free until the server has bound it.
async fn on_a_free_port<F>(start: impl Fn(u16) -> F) -> Result<(u16, Child), StartError>
where
    F: Future<Output = Result<Child, StartError>>,
{
    let attempt = || async {
        let port = port::pick();
        Ok((port, start(port).await?))
    };
    let at_once = ConstantBuilder::new().with_delay(std::time::Duration::ZERO);
    let port_was_taken = |error: &StartError| matches!(error, StartError::PortTaken(_));
    attempt.retry(at_once.with_max_times(PORT_RETRIES)).when(port_was_taken).await
}
