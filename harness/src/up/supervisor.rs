//! The supervisor of a program that serves a system: rebuilds it whenever sources change, and
//! replaces it once a build has succeeded. It holds the socket, so that the port stays, and requests
//! wait while no program runs.
//!
//! The program inherits the socket as the variables `LISTEN_FDS` and `LISTEN_FDS_FIRST_FD` say, and
//! reads the states of builds from its standard input, one JSON object in each line. The input ends
//! with the supervisor, and so must the program.
//!
//! Next: `build` (one build and its output).

mod build;

use std::io::{self, Write as _};
use std::net::TcpListener;
use std::os::fd::{AsFd as _, AsRawFd as _};
use std::path::PathBuf;
use std::process::{Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, SystemTime};

use rustix::io::{FdFlags, fcntl_setfd};
use tokio::io::AsyncWriteExt as _;
use tokio::process::{Child, ChildStdin};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use crate::sources::Sources;
use build::{Build, Built};

/// The time in which a program ends after its input has ended.
const END_LIMIT: Duration = Duration::from_secs(10);

/// The exit code of a program that is used wrongly, and the one of a harness that failed: neither
/// changes with the sources.
const FINAL_CODES: [i32; 2] = [2, 3];

/// A program that is rebuilt and replaced.
pub struct Supervisor {
    /// Builds the program.
    pub build: Box<dyn Fn() -> Command>,
    /// Runs what was built.
    pub program: Box<dyn Fn() -> Command>,
    /// The file that a build writes anew where the program has changed.
    pub artifact: PathBuf,
    /// The folders of its sources.
    pub folders: Vec<PathBuf>,
}

/// Why a supervisor ends.
#[derive(Debug, thiserror::Error)]
pub enum SupervisorError {
    /// The sources cannot be watched.
    #[error("the sources cannot be watched: {0}")]
    Watch(#[from] notify::Error),
    /// A process or the socket failed.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// The program has ended with an error that no change of its sources mends.
    #[error("the program has ended: {0}")]
    Ended(ExitStatus),
}

impl Supervisor {
    /// Runs the program on this socket until `interrupted` completes.
    ///
    /// # Errors
    ///
    /// When sources cannot be watched, a process cannot be started, or the program ends with the
    /// exit code 2 or 3.
    pub async fn run(
        &self,
        listener: &TcpListener,
        interrupted: impl Future<Output = ()>,
    ) -> Result<(), SupervisorError> {
        let mut changes = changes(&self.folders)?;
        let mut program = Some(self.start(listener)?);
        let mut interrupted = std::pin::pin!(interrupted);
        loop {
            tokio::select! {
                biased;
                () = &mut interrupted => break,
                status = end_of(&mut program) => {
                    let status = status?;
                    if status.code().is_some_and(|code| FINAL_CODES.contains(&code)) {
                        return Err(SupervisorError::Ended(status));
                    }
                    // Nobody may read the terminal any more.
                    _ = writeln!(io::stderr(), "the program has ended: {status}; it starts again after a change");
                    program = None;
                }
                change = changes.recv() => {
                    if change.is_none() {
                        break;
                    }
                    tokio::select! {
                        () = &mut interrupted => break,
                        replaced = self.replace(&mut program, &mut changes, listener) => replaced?,
                    }
                }
            }
        }
        match program {
            Some(program) => Ok(program.end().await?),
            None => Ok(()),
        }
    }

    /// Builds until no source changes meanwhile, and then replaces the program if the build has
    /// succeeded.
    async fn replace(
        &self,
        program: &mut Option<Program>,
        changes: &mut UnboundedReceiver<()>,
        listener: &TcpListener,
    ) -> Result<(), SupervisorError> {
        tell(program, &Build::Building).await;
        let built = loop {
            let built = build::run((self.build)()).await?;
            if changes.try_recv().is_err() {
                break built;
            }
            while changes.try_recv().is_ok() {}
        };
        match built {
            // A change of a test, for example.
            Built::Succeeded if self.is_current(program.as_ref()) => {
                tell(program, &Build::Unchanged).await;
            }
            Built::Succeeded => {
                if let Some(program) = program.take() {
                    program.kill().await?;
                }
                *program = Some(self.start(listener)?);
            }
            Built::Failed { errors } => tell(program, &Build::Failed { errors }).await,
        }
        Ok(())
    }
}

impl Supervisor {
    /// True if this program is what the artifact has.
    fn is_current(&self, program: Option<&Program>) -> bool {
        let version = program.and_then(|program| program.version);
        version.is_some() && version == self.version()
    }

    fn start(&self, listener: &TcpListener) -> io::Result<Program> {
        Program::start(&self.program, self.version(), listener)
    }

    /// The time of the last change of the artifact, where it can be known.
    fn version(&self) -> Option<SystemTime> {
        self.artifact.metadata().and_then(|artifact| artifact.modified()).ok()
    }
}

/// The changes of the sources.
fn changes(folders: &[PathBuf]) -> notify::Result<UnboundedReceiver<()>> {
    let sources = Sources::watch(folders)?;
    let (changed, changes) = unbounded_channel();
    thread::spawn(move || {
        loop {
            sources.wait();
            if changed.send(()).is_err() {
                return;
            }
        }
    });
    Ok(changes)
}

async fn tell(program: &mut Option<Program>, build: &Build) {
    if let Some(program) = program {
        program.tell(build).await;
    }
}

/// Waits until the program ends by itself.
async fn end_of(program: &mut Option<Program>) -> io::Result<ExitStatus> {
    match program {
        Some(program) => program.process.wait().await,
        None => std::future::pending().await,
    }
}

/// A program that runs.
struct Program {
    process: Child,
    input: ChildStdin,
    /// The time of the last change of the artifact when it started.
    version: Option<SystemTime>,
}

impl Program {
    fn start(
        command: &dyn Fn() -> Command,
        version: Option<SystemTime>,
        listener: &TcpListener,
    ) -> io::Result<Self> {
        let mut command = tokio::process::Command::from(command());
        command
            .env("LISTEN_FDS", "1")
            .env("LISTEN_FDS_FIRST_FD", listener.as_raw_fd().to_string())
            .env_remove("LISTEN_PID")
            .stdin(Stdio::piped())
            .kill_on_drop(true);
        // Only this process inherits the socket: a build, or a server of one, would keep the port.
        fcntl_setfd(listener.as_fd(), FdFlags::empty())?;
        let process = command.spawn();
        fcntl_setfd(listener.as_fd(), FdFlags::CLOEXEC)?;
        let mut process = process?;
        let input = process.stdin.take().expect("it is piped");
        Ok(Self { process, input, version })
    }

    /// Tells the program of a build.
    async fn tell(&mut self, build: &Build) {
        let mut line = serde_json::to_string(build).expect("it is plain data");
        line.push('\n');
        // A program that has ended reads nothing.
        _ = self.input.write_all(line.as_bytes()).await;
    }

    /// Kills it, as a crash would.
    async fn kill(mut self) -> io::Result<()> {
        self.process.kill().await
    }

    /// Lets it release what it has, and waits for its end.
    async fn end(self) -> io::Result<()> {
        let Self { mut process, input, .. } = self;
        drop(input);
        match tokio::time::timeout(END_LIMIT, process.wait()).await {
            Ok(ended) => ended.map(drop),
            Err(_) => process.kill().await,
        }
    }
}
