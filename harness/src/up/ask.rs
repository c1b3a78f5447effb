//! The questions of the routes to the world.

use bytes::Bytes;
use serde_json::Value;
use tokio::sync::oneshot;

use super::command::{Command, Refused};
use super::live::Replied;

/// A request to the world, and where its answer goes. Whoever asked may be gone by then.
pub(super) enum Ask {
    /// Carries out a command.
    Command(Command, oneshot::Sender<Result<(), Refused>>),
    /// Sends a request to the service that serves its path.
    Request(Box<http::Request<Bytes>>, oneshot::Sender<Replied>),
    /// The documents of all services.
    Documents(oneshot::Sender<Value>),
    /// Ends the world, and releases what it has on servers.
    End(oneshot::Sender<()>),
}
