//! A world that goes on while people use it: what differs between simulation and real servers.
//!
//! Next: `simulated`, `real`.

mod real;
mod simulated;

use async_trait::async_trait;
use bytes::Bytes;
use ports::Timestamp;
use serde::Serialize;
use tokio::sync::oneshot;

use super::command::{Clock, Refused};
use crate::faults::FaultRule;
use crate::simulated::Simulated;
use crate::world::{Reply, World, WorldError};

pub(super) use real::OnServers;
pub(super) use simulated::InSimulation;

/// The outcome of a request, and the time of the world at that moment.
pub(super) type Replied = (Reply, Timestamp);

/// The world lost what it needs, so it ends.
#[derive(Debug, thiserror::Error)]
#[error("the servers have not answered for {seconds} s: {source}")]
pub struct Outage {
    /// The time without an answer, in seconds.
    seconds: u64,
    /// The last error.
    source: WorldError,
}

/// The clock of a world, and the work that waits in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Pace {
    /// True if time passes.
    pub(super) playing: bool,
    /// The factor of the world's time to real time.
    pub(super) speed: u32,
    /// The work that is pending, one sentence each.
    pub(super) pending: Vec<String>,
}

/// A world that goes on.
#[async_trait(?Send)]
pub(super) trait Live {
    /// The world.
    fn world(&mut self) -> &mut dyn World;

    /// Waits until there may be something to do. A wait that is given up loses nothing.
    async fn wait(&mut self);

    /// Does what is due.
    ///
    /// # Errors
    ///
    /// When the world cannot go on.
    async fn go_on(&mut self) -> Result<(), Outage>;

    /// Sends a request to the services.
    fn submit(&mut self, request: http::Request<Bytes>, reply: oneshot::Sender<Replied>);

    /// Carries out a command about time, or refuses it.
    fn command(&mut self, command: Clock, done: oneshot::Sender<Result<(), Refused>>);

    /// Checks that this world can inject the fault.
    ///
    /// # Errors
    ///
    /// When it cannot.
    fn check(&self, rule: &FaultRule) -> Result<(), Refused>;

    /// The world that can be played again from its requests; `None` on real servers.
    fn replayable(&mut self) -> Option<&mut Simulated>;

    /// Its clock and its pending work.
    fn pace(&self) -> Pace;
}
