//! A `nats-server` and a `mongod` of our own: started together, each on its port and data,
//! killed and restarted on the same ones.
//!
//! It never knows where the binaries came from.

use std::path::{Path, PathBuf};
use std::process::ExitStatus;

use rustix::process::Signal;
use tokio::sync::Mutex;

use super::Server;
use super::child::{Child, Log};
use super::error::{ServersError, StartError};
use super::folder::{self, Folder};
use super::port;
use super::reaper::Will;
use super::{mongod, nats};

/// Ports are tried at random out of thousands; this many conflicts are no accident.
const PORTS_TO_TRY: usize = 20;

/// Both servers' binaries.
#[derive(Debug, Clone)]
pub(super) struct Binaries {
    pub(super) nats: PathBuf,
    pub(super) mongod: PathBuf,
}

/// The running pair.
pub(super) struct Pair {
    binaries: Binaries,
    pub(super) nats_port: u16,
    pub(super) mongo_port: u16,
    // In this order: servers end before their folder goes, and the will finds it gone.
    nats: Mutex<Option<Child>>,
    mongod: Mutex<Option<Child>>,
    folder: Folder,
    will: Mutex<Option<Will>>,
}

impl Pair {
    /// Sweeps what dead runs left in `root`, then starts both servers in a folder there.
    pub(super) async fn start(binaries: Binaries, root: &Path) -> Result<Self, StartError> {
        let io = |doing: &str| {
            let doing = format!("{doing} in {}", root.display());
            move |source| StartError::Io { doing, source }
        };
        let folder = Folder::create(root).map_err(io("make a data folder"))?;
        let will = Will::remove_folder(folder.path()).map_err(io("arrange the cleaning up"))?;
        let swept = tokio::task::spawn_blocking({
            let root = root.to_owned();
            move || folder::sweep(&root)
        });
        let ((nats_port, nats), (mongo_port, mongod)) = tokio::try_join!(
            on_a_free_port(|port| nats::start(&binaries.nats, folder.path(), port)),
            on_a_free_port(|port| mongod::start(&binaries.mongod, folder.path(), port)),
        )?;
        for stale in swept.await.unwrap_or_default() {
            tracing::debug!(folder = %stale.display(), "swept the data of a dead run");
        }
        Ok(Self {
            binaries,
            nats_port,
            mongo_port,
            nats: Mutex::new(Some(nats)),
            mongod: Mutex::new(Some(mongod)),
            folder,
            will: Mutex::new(Some(will)),
        })
    }

    pub(super) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Kills one server as a crash would. Nothing happens if it is down.
    pub(super) async fn kill(&self, server: Server) -> Result<(), ServersError> {
        match self.of(server).lock().await.take() {
            Some(child) => child.kill().await.map_err(io(format!("kill {server}"))),
            None => Ok(()),
        }
    }

    /// Starts one server again, on its port and data. If it is up, it is stopped first.
    pub(super) async fn restart(&self, server: Server) -> Result<(), ServersError> {
        let mut place = self.of(server).lock().await;
        if let Some(child) = place.take() {
            child.stop().await.map_err(io(format!("stop {server}")))?;
        }
        let folder = self.folder.path();
        *place = Some(match server {
            Server::Nats => nats::start(&self.binaries.nats, folder, self.nats_port).await?,
            Server::Mongo => mongod::start(&self.binaries.mongod, folder, self.mongo_port).await?,
        });
        Ok(())
    }

    /// Stops or continues a server's process without ending it.
    pub(super) async fn signal(&self, server: Server, signal: Signal) -> Result<(), ServersError> {
        match &*self.of(server).lock().await {
            Some(child) => child.signal(signal).map_err(io(format!("signal {server}"))),
            None => Err(ServersError::NotRunning(server)),
        }
    }

    /// The server's process id, while it is up.
    pub(super) async fn process_id(&self, server: Server) -> Option<u32> {
        self.of(server).lock().await.as_ref().map(Child::id)
    }

    /// Stops both and removes their data.
    pub(super) async fn stop(&self) -> Result<(), ServersError> {
        let nats = self.nats.lock().await.take();
        let mongod = self.mongod.lock().await.take();
        let stop = async |child: Option<Child>| match child {
            Some(child) => child.stop().await,
            None => Ok(()),
        };
        let (nats, mongod) = tokio::join!(stop(nats), stop(mongod));
        nats.and(mongod).map_err(io("stop the servers".to_owned()))?;
        match self.will.lock().await.take() {
            Some(will) => will.execute().await.map_err(io("remove the data".to_owned())),
            None => Ok(()),
        }
    }

    fn of(&self, server: Server) -> &Mutex<Option<Child>> {
        match server {
            Server::Nats => &self.nats,
            Server::Mongo => &self.mongod,
        }
    }
}

fn io(doing: String) -> impl FnOnce(std::io::Error) -> ServersError {
    move |source| ServersError::Io { doing, source }
}

async fn on_a_free_port<F>(start: impl Fn(u16) -> F) -> Result<(u16, Child), StartError>
where
    F: Future<Output = Result<Child, StartError>>,
{
    let mut tries = 0;
    loop {
        let port = port::pick();
        tries += 1;
        match start(port).await {
            Err(StartError::PortTaken(_)) if tries < PORTS_TO_TRY => {}
            started => return started.map(|child| (port, child)),
        }
    }
}

/// What it means that a server ended before it was ready.
pub(super) fn early_end(program: &Path, port: u16, status: ExitStatus, log: &Log) -> StartError {
    let said = log.tail();
    let program = program.to_owned();
    if said.to_lowercase().contains("address already in use") {
        return StartError::PortTaken(port);
    }
    // What the loaders of glibc and musl say.
    let loader = |line: &&str| {
        line.contains("error while loading shared libraries")
            || line.contains("Error loading shared library")
            || line.contains("' not found (required by")
    };
    match said.lines().find(loader) {
        Some(line) => StartError::Libraries { program, said: line.to_owned() },
        None => StartError::Ended { program, status, log: said },
    }
}
