//! Failures of a world, as opposed to findings in the system that runs in it.

use std::io;
use std::sync::Arc;

use platform::run::StartError;
use ports::bus::{BusError, PublishError};
use ports::store::{ReadError, WriteError};
use servers::ServersError;

use crate::instance::InstanceId;

/// The world could not do what it was asked to. The harness or its servers failed, or a
/// service did not start; no verdict about the system follows.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum WorldError {
    /// The system has no service of this name.
    #[error("there is no service {0}")]
    NoSuchService(String),
    /// A service did not start.
    #[error("{instance} did not start: {source}")]
    Start {
        /// The instance that was starting.
        instance: InstanceId,
        /// The reason.
        source: StartError,
    },
    /// A service was still starting when the time for it was over.
    #[error("{0} did not start in time")]
    StartTimeout(InstanceId),
    /// A started instance could not be served on a socket.
    #[error("{instance} cannot be served: {source}")]
    Serve {
        /// The instance.
        instance: InstanceId,
        /// The reason.
        source: Arc<io::Error>,
    },
    /// There are no real servers.
    #[error("{0}")]
    Servers(#[source] Arc<ServersError>),
    /// A database did not answer.
    #[error(transparent)]
    Store(#[from] ReadError),
    /// A database could not be deleted.
    #[error(transparent)]
    StoreWrite(#[from] WriteError),
    /// The bus did not answer.
    #[error(transparent)]
    Bus(#[from] BusError),
    /// A message could not be published.
    #[error(transparent)]
    Publish(#[from] PublishError),
    /// The bus did not confirm a publish in time.
    #[error("the bus did not confirm the publish in time")]
    PublishTimeout,
    /// A failure of code around the world, such as a scenario's.
    #[error("{0}")]
    Other(String),
}

impl WorldError {
    /// A failure that only this message describes.
    pub fn other(message: impl Into<String>) -> Self {
        Self::Other(message.into())
    }
}

impl From<ServersError> for WorldError {
    fn from(error: ServersError) -> Self {
        Self::Servers(Arc::new(error))
    }
}
