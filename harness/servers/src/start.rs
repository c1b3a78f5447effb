//! The start of a server process: from the spawn until it is ready, has exited or runs out of
//! time.
//!
//! The two servers differ only in their command line and in how they show that they are
//! ready; see `nats.rs` and `mongod.rs`.

use std::io;
use std::path::Path;
use std::process::{Command, ExitStatus};
use std::time::{Duration, Instant};

use tokio::time::sleep;

use crate::child::Child;
use crate::error::StartError;
use crate::port;
use crate::server::Server;

/// The pause between two checks for readiness.
const POLL_INTERVAL: Duration = Duration::from_millis(2);

/// A server process that is not ready yet. Dropping it kills the process.
pub(crate) struct Starting<'a> {
    program: &'a Path,
    port: u16,
    time_limit: Duration,
    began: Instant,
    child: Child,
}

impl<'a> Starting<'a> {
    /// Spawns `command`, which runs `program`, with its log and its id in `folder`.
    pub(crate) async fn spawn(
        server: Server,
        program: &'a Path,
        command: Command,
        folder: &Path,
        port: u16,
        time_limit: Duration,
    ) -> Result<Self, StartError> {
        let began = Instant::now();
        let name = match server {
            Server::Nats => "nats",
            Server::Mongo => "mongod",
        };
        let log = folder.join(format!("{name}.log"));
        let pid_file = folder.join(format!("{name}.pid"));
        let child = Child::spawn(command, &log, &pid_file).await.map_err(io("start", program))?;
        Ok(Self { program, port, time_limit, began, child })
    }

    /// All that the process has logged.
    pub(crate) fn log(&self) -> Result<String, StartError> {
        self.child.log().text().map_err(io("read the log of", self.program))
    }

    /// Pauses before the next check for readiness, unless that check would be pointless.
    pub(crate) async fn pause(&mut self) -> Result<(), StartError> {
        if let Some(status) = self.child.exit_status().map_err(io("watch", self.program))? {
            return Err(self.exited(status));
        }
        if self.began.elapsed() > self.time_limit {
            return Err(StartError::Timeout {
                program: self.program.to_owned(),
                waited: self.time_limit,
                log: self.child.log().tail(),
            });
        }
        sleep(POLL_INTERVAL).await;
        Ok(())
    }

    /// The process, once the caller has seen that it is ready.
    pub(crate) fn ready(self) -> Child {
        self.child
    }

    fn exited(&self, status: ExitStatus) -> StartError {
        // Only another process can hold the port now that this one is gone.
        if !port::is_free(self.port) {
            return StartError::PortTaken(self.port);
        }
        let log = self.child.log().tail();
        let program = self.program.to_owned();
        match log.lines().find(is_loader_message) {
            Some(line) => StartError::Libraries { program, message: line.to_owned() },
            None => StartError::Exited { program, status, log },
        }
    }
}

/// Whether the dynamic loader of glibc or musl wrote this line. The loader offers no other
/// sign, and only the advice in the error depends on it.
fn is_loader_message(line: &&str) -> bool {
    line.contains("error while loading shared libraries")
        || line.contains("Error loading shared library")
        || line.contains("' not found (required by")
}

/// Adds the operation and the binary to a system error.
pub(crate) fn io(action: &str, program: &Path) -> impl FnOnce(io::Error) -> StartError {
    let action = format!("{action} {}", program.display());
    move |source| StartError::Io { action, source }
}
