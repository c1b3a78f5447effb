//! One server process with a port and a folder of its own: started, killed, and started again on
//! the same ones.
//!
//! It never knows where the binary came from, nor which other nodes there are.

use rustix::process::Signal;
use tokio::sync::Mutex;

use crate::child::Child;
use crate::error::{ServersError, StartError};
use crate::launch::{Launch, Role};
use crate::server::Server;
use crate::{mongod, nats};

/// A node. Dropping it ends the process.
pub(crate) struct Node {
    pub(crate) launch: Launch,
    child: Mutex<Option<Child>>,
}

impl Node {
    /// Starts the server, and waits until it answers.
    pub(crate) async fn start(launch: Launch) -> Result<Self, StartError> {
        let child = start(&launch).await?;
        Ok(Self { launch, child: Mutex::new(Some(child)) })
    }

    /// Kills the server as a crash would. Does nothing if it is down.
    pub(crate) async fn kill(&self) -> Result<(), ServersError> {
        match self.child.lock().await.take() {
            Some(child) => child.kill().await.map_err(self.io("kill")),
            None => Ok(()),
        }
    }

    /// Starts the server again on its port and data, after a clean stop if it is up.
    pub(crate) async fn restart(&self) -> Result<(), ServersError> {
        let mut slot = self.child.lock().await;
        if let Some(child) = slot.take() {
            child.stop().await.map_err(self.io("stop"))?;
        }
        *slot = Some(start(&self.launch).await?);
        Ok(())
    }

    /// Sends a signal to the server, which must be up.
    pub(crate) async fn signal(&self, signal: Signal) -> Result<(), ServersError> {
        match &*self.child.lock().await {
            Some(child) => child.signal(signal).map_err(self.io("signal")),
            None => Err(ServersError::NotRunning(self.server())),
        }
    }

    /// The process id of the server, while it is up.
    pub(crate) async fn process_id(&self) -> Option<u32> {
        self.child.lock().await.as_ref().map(Child::id)
    }

    /// Stops the server cleanly. Does nothing if it is down.
    pub(crate) async fn stop(&self) -> Result<(), ServersError> {
        match self.child.lock().await.take() {
            Some(child) => child.stop().await.map_err(self.io("stop")),
            None => Ok(()),
        }
    }

    fn server(&self) -> Server {
        self.launch.role.server()
    }

    fn io(&self, action: &str) -> impl FnOnce(std::io::Error) -> ServersError {
        let action = format!("{action} {}", self.server());
        move |source| ServersError::Io { action, source }
    }
}

async fn start(launch: &Launch) -> Result<Child, StartError> {
    match &launch.role {
        Role::Nats(member) => nats::start(launch, member.as_ref()).await,
        Role::Mongo(set) => mongod::start(launch, *set).await,
    }
}
