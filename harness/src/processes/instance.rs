//! One instance of a service as a process: started, killed, frozen, and watched for readiness and
//! for an exit of its own.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::time::Duration;

use parking_lot::Mutex;
use servers::Child;
use tokio_util::task::AbortOnDropHandle;

use super::link::Link;
use crate::subject::processes::CommandLine;
use crate::trace::InstanceId;

/// Pause between two looks at a process.
const WATCH_INTERVAL: Duration = Duration::from_millis(200);

/// The files of an instance and the program that it runs.
pub(super) struct Program {
    /// The binary.
    pub(super) binary: PathBuf,
    /// The command line.
    pub(super) command_line: CommandLine,
    /// The file that its output is appended to.
    pub(super) log: PathBuf,
    /// The file with its process id.
    pub(super) pid_file: PathBuf,
}

/// An instance of a service. It keeps its address and its links over restarts.
pub(super) struct Instance {
    pub(super) id: InstanceId,
    pub(super) address: SocketAddr,
    /// The links to the NATS server, in a cluster to each of its nodes.
    pub(super) nats: Vec<Link>,
    /// The link to the MongoDB server; none in a cluster.
    pub(super) mongo: Vec<Link>,
    program: Program,
    child: tokio::sync::Mutex<Option<Child>>,
    ready: AtomicBool,
    exits: Mutex<Vec<String>>,
}

impl Instance {
    /// An instance that has no process yet.
    pub(super) fn new(
        id: InstanceId,
        address: SocketAddr,
        [nats, mongo]: [Vec<Link>; 2],
        program: Program,
    ) -> Self {
        let (child, exits) = (tokio::sync::Mutex::default(), Mutex::default());
        Self { id, address, nats, mongo, program, child, ready: AtomicBool::new(false), exits }
    }

    /// Starts a process, unless there is one.
    ///
    /// # Errors
    ///
    /// When the program cannot be run.
    pub(super) async fn start(&self) -> io::Result<()> {
        let mut child = self.child.lock().await;
        if child.is_none() {
            *child = Some(self.spawn().await?);
        }
        Ok(())
    }

    async fn spawn(&self) -> io::Result<Child> {
        let Program { binary, command_line, log, pid_file } = &self.program;
        let mut command = Command::new(binary);
        command.args(&command_line.arguments);
        command.envs(command_line.environment.iter().map(|(name, value)| (name, value)));
        Child::spawn(command, log, pid_file).await
    }

    /// Kills the process, where there is one.
    ///
    /// # Errors
    ///
    /// When the system refuses.
    pub(super) async fn kill(&self) -> io::Result<()> {
        let child = self.child.lock().await.take();
        self.ready.store(false, SeqCst);
        match child {
            Some(child) => child.kill().await,
            None => Ok(()),
        }
    }

    /// Suspends the process, where there is one.
    ///
    /// # Errors
    ///
    /// When the system refuses.
    pub(super) async fn freeze(&self) -> io::Result<()> {
        self.child.lock().await.as_ref().map_or(Ok(()), Child::freeze)
    }

    /// Resumes the process, where there is one.
    ///
    /// # Errors
    ///
    /// When the system refuses.
    pub(super) async fn thaw(&self) -> io::Result<()> {
        self.child.lock().await.as_ref().map_or(Ok(()), Child::thaw)
    }

    /// Whether the process answered, the last time it was asked, that it is ready.
    pub(super) fn is_ready(&self) -> bool {
        self.ready.load(SeqCst)
    }

    /// The exits that nobody caused, a sentence each.
    pub(super) fn exits(&self) -> Vec<String> {
        self.exits.lock().clone()
    }

    /// The end of the output of the process.
    pub(super) async fn tail(&self) -> String {
        self.child.lock().await.as_ref().map(Child::tail).unwrap_or_default()
    }

    /// Begins to ask the process whether it is ready, and to start it again where it exits by
    /// itself, as an orchestrator does.
    pub(super) fn watch(self: &Arc<Self>, client: reqwest::Client) -> AbortOnDropHandle<()> {
        let instance = Arc::clone(self);
        let url = format!("http://{}/readyz", instance.address);
        AbortOnDropHandle::new(tokio::spawn(async move {
            loop {
                if let Err(error) = instance.replace_exited().await {
                    tracing::warn!(%error, id = %instance.id, "not started again");
                }
                let answer = client.get(&url).send().await;
                let ready = answer.is_ok_and(|answer| answer.status().is_success());
                instance.ready.store(ready, SeqCst);
                tokio::time::sleep(WATCH_INTERVAL).await;
            }
        }))
    }

    async fn replace_exited(&self) -> io::Result<()> {
        let mut child = self.child.lock().await;
        let Some(running) = &mut *child else { return Ok(()) };
        let Some(status) = running.exit_status()? else { return Ok(()) };
        let log = self.program.log.display();
        self.exits.lock().push(format!("{} exited by itself: {status}, see {log}", self.id));
        *child = Some(self.spawn().await?);
        Ok(())
    }
}
