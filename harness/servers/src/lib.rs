//! A `nats-server` with JetStream and a `mongod` to run against: one pair per process, from
//! the first source that works.
//!
//! It only provides servers. It never makes a stream, a database or a world in them, and
//! never prints: a [`Progress`] is told, and [`Source`] says in one line what is used.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::process::Signal;
use tokio::sync::OnceCell;

mod child;
mod docker;
mod doctor;
mod error;
mod fetch;
mod folder;
mod local;
mod mongod;
mod nats;
mod options;
mod package;
mod pair;
mod pip;
mod port;
mod progress;
mod reaper;
mod url;

pub use doctor::{Diagnosis, Finding, doctor, examine};
pub use error::{
    DockerError, FetchError, LocalError, Reason, Refusal, ServersError, StartError, UrlError,
};
pub use options::{Options, Way};
pub use package::Package;
pub use progress::{Event, Progress, Silent, ToStderr};

use pair::{Binaries, Pair};

/// One of the two servers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Server {
    /// `nats-server`.
    Nats,
    /// `mongod`.
    Mongo,
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Nats => "nats-server",
            Self::Mongo => "mongod",
        })
    }
}

/// Where the servers come from. Displays as one line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// They run already, at URLs that the environment gives.
    Url {
        /// The version of NATS.
        nats: String,
        /// The version of MongoDB.
        mongo: String,
    },
    /// Started here, from binaries that were here already.
    Local {
        /// The `nats-server` that runs.
        nats: PathBuf,
        /// The `mongod` that runs.
        mongod: PathBuf,
    },
    /// Containers.
    Docker {
        /// The engine's version.
        engine: String,
        /// The images, with tags.
        images: [String; 2],
    },
    /// Started here, from binaries fetched into the cache.
    Fetch {
        /// The `nats-server` that runs.
        nats: PathBuf,
        /// The `mongod` that runs.
        mongod: PathBuf,
    },
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Url { nats, mongo } => {
                write!(f, "url: NATS {nats} and MongoDB {mongo} at NATS_URL and MONGO_URL")
            }
            Self::Local { nats, mongod } => {
                write!(f, "local: {} and {}", nats.display(), mongod.display())
            }
            Self::Docker { engine, images: [nats, mongo] } => {
                write!(f, "docker: {nats} and {mongo} on Docker {engine}")
            }
            Self::Fetch { nats, mongod } => {
                write!(f, "fetch: {} and {}", nats.display(), mongod.display())
            }
        }
    }
}

/// A NATS server with JetStream and a MongoDB server, both answering.
///
/// Those that this process started end with it, however it ends, and so does their data.
pub struct Servers {
    /// Where NATS is, as a `nats://` URL.
    pub nats_url: String,
    /// Where MongoDB is, as a `mongodb://` URL.
    pub mongo_url: String,
    /// Where they come from.
    pub source: Source,
    /// From the first look for a source until both answered, fetching included.
    pub ready_in: Duration,
    backing: Backing,
}

enum Backing {
    Url,
    Pair(Box<Pair>),
    Containers(Box<docker::Containers>),
}

impl fmt::Debug for Servers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Servers")
            .field("nats_url", &self.nats_url)
            .field("mongo_url", &self.mongo_url)
            .field("source", &self.source)
            .field("ready_in", &self.ready_in)
            .finish_non_exhaustive()
    }
}

/// The one pair of this process, started on first use with the choices of the environment
/// and with progress on standard error. Callers that come meanwhile wait; after an error the
/// next caller tries again.
///
/// # Errors
/// As [`start`].
pub async fn shared() -> Result<&'static Servers, ServersError> {
    static SHARED: OnceCell<Servers> = OnceCell::const_new();
    SHARED
        .get_or_try_init(|| async {
            start(&Options::from_env()?.telling(ToStderr::default())).await
        })
        .await
}

/// Whether the user wants nothing that needs real servers: `REHEARSAL_REAL` is `skip`. Tests
/// leave out what needs them then, and say so.
pub fn are_unwanted() -> bool {
    std::env::var("REHEARSAL_REAL").is_ok_and(|real| real == "skip")
}

/// Gets a pair of servers from the first way that works.
///
/// # Errors
/// [`ServersError::None`], with the reason of every way that was tried.
pub async fn start(options: &Options) -> Result<Servers, ServersError> {
    let began = Instant::now();
    let mut refusals = Vec::new();
    for way in options.way.map_or(Way::ALL.to_vec(), |way| vec![way]) {
        match attempt(way, options).await {
            Ok(mut servers) => {
                servers.ready_in = began.elapsed();
                for refusal in refusals.iter().filter(|refusal| is_surprising(refusal)) {
                    options.progress.tell(Event::Line(format!("passed over {refusal}")));
                }
                return Ok(servers);
            }
            Err(reason) => refusals.push(Refusal { way, reason }),
        }
    }
    Err(ServersError::None { forced: options.way, refusals })
}

async fn attempt(way: Way, options: &Options) -> Result<Servers, Reason> {
    match way {
        Way::Url => {
            let found = url::find(options).await?;
            Ok(Servers {
                nats_url: found.nats_url,
                mongo_url: found.mongo_url,
                source: Source::Url { nats: found.nats_version, mongo: found.mongo_version },
                ready_in: Duration::ZERO,
                backing: Backing::Url,
            })
        }
        Way::Local => {
            let binaries = local::find(options)?;
            let pair = Pair::start(binaries.clone(), &options.data_root)
                .await
                .map_err(LocalError::from)?;
            let Binaries { nats, mongod } = binaries;
            Ok(Servers::of_pair(pair, Source::Local { nats, mongod }))
        }
        Way::Docker => {
            let containers = docker::start(options).await?;
            Ok(Servers {
                nats_url: containers.nats_url.clone(),
                mongo_url: containers.mongo_url.clone(),
                source: Source::Docker {
                    engine: containers.engine.clone(),
                    images: docker::images(),
                },
                ready_in: Duration::ZERO,
                backing: Backing::Containers(Box::new(containers)),
            })
        }
        Way::Fetch => {
            let binaries = fetch::ensure(options).await?;
            let pair = Pair::start(binaries.clone(), &options.data_root)
                .await
                .map_err(FetchError::from)?;
            let Binaries { nats, mongod } = binaries;
            Ok(Servers::of_pair(pair, Source::Fetch { nats, mongod }))
        }
    }
}

/// Something that is there, but broken, is worth a line although another way works.
fn is_surprising(refusal: &Refusal) -> bool {
    !matches!(
        refusal.reason,
        Reason::Url(UrlError::NotSet("NATS_URL and MONGO_URL are"))
            | Reason::Local(LocalError::NotFound { .. })
            | Reason::Docker(DockerError::NoEngine(_))
    )
}

impl Servers {
    fn of_pair(pair: Pair, source: Source) -> Self {
        Self {
            nats_url: format!("nats://127.0.0.1:{}", pair.nats_port),
            mongo_url: format!("mongodb://127.0.0.1:{}/?directConnection=true", pair.mongo_port),
            source,
            ready_in: Duration::ZERO,
            backing: Backing::Pair(Box::new(pair)),
        }
    }

    /// Kills a server as a crash would (`SIGKILL`). Its data stays. Nothing happens if it is
    /// down.
    ///
    /// # Errors
    /// [`ServersError::NotOurs`] if this process did not start it.
    pub async fn kill(&self, server: Server) -> Result<(), ServersError> {
        self.pair("kill")?.kill(server).await
    }

    /// Starts a server again on the same port and data, and waits until it answers. One that
    /// is up is stopped in good order first.
    ///
    /// # Errors
    /// [`ServersError::NotOurs`] if this process did not start it; [`ServersError::Start`] if
    /// it does not come up.
    pub async fn restart(&self, server: Server) -> Result<(), ServersError> {
        self.pair("restart")?.restart(server).await
    }

    /// Stops a server from running without ending it (`SIGSTOP`): connections stay open, and
    /// nothing answers.
    ///
    /// # Errors
    /// [`ServersError::NotOurs`] if this process did not start it;
    /// [`ServersError::NotRunning`] if it is down.
    pub async fn freeze(&self, server: Server) -> Result<(), ServersError> {
        self.pair("freeze")?.signal(server, Signal::STOP).await
    }

    /// Lets a frozen server go on (`SIGCONT`).
    ///
    /// # Errors
    /// As [`Servers::freeze`].
    pub async fn thaw(&self, server: Server) -> Result<(), ServersError> {
        self.pair("thaw")?.signal(server, Signal::CONT).await
    }

    /// A server's process id, if this process started it and it is up.
    pub async fn process_id(&self, server: Server) -> Option<u32> {
        match &self.backing {
            Backing::Pair(pair) => pair.process_id(server).await,
            Backing::Url | Backing::Containers(_) => None,
        }
    }

    /// Where data and logs are (`nats.log`, `mongod.log`), if this process started them.
    #[must_use]
    pub fn folder(&self) -> Option<&Path> {
        match &self.backing {
            Backing::Pair(pair) => Some(pair.folder()),
            Backing::Url | Backing::Containers(_) => None,
        }
    }

    /// Stops the servers in good order and removes their data. Servers behind given URLs are
    /// left as they are. A second call does nothing.
    ///
    /// Not needed at the end of a process: what is left then goes with it.
    ///
    /// # Errors
    /// [`ServersError::Io`] or [`ServersError::Containers`] if something could not be ended.
    pub async fn stop(&self) -> Result<(), ServersError> {
        match &self.backing {
            Backing::Url => Ok(()),
            Backing::Pair(pair) => pair.stop().await,
            Backing::Containers(containers) => containers.stop().await,
        }
    }

    fn pair(&self, verb: &'static str) -> Result<&Pair, ServersError> {
        match &self.backing {
            Backing::Pair(pair) => Ok(pair),
            Backing::Url | Backing::Containers(_) => {
                Err(ServersError::NotOurs { verb, servers: self.source.to_string() })
            }
        }
    }
}
