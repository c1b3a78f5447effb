//! The search for servers: tries each source in order and takes the first that works.
//!
//! It knows the sources only by their functions; each has a file of its own.

use std::time::{Duration, Instant};

use tokio::sync::OnceCell;
use tokio::task::spawn_blocking;

use crate::error::{FailedSource, FetchError, LocalError, ServersError, SourceError};
use crate::handle::{Backing, Servers};
use crate::options::Options;
use crate::package::Binaries;
use crate::pair::Pair;
use crate::progress::{ProgressEvent, ToStderr};
use crate::server::Server;
use crate::source::{Source, SourceKind};
use crate::{docker, fetch, local, url};

/// The servers that all tests of this process share. The first call starts them, with the
/// options from the environment and progress on standard error. Concurrent callers wait for
/// it; after an error, the next call tries again.
///
/// # Errors
/// As [`start`], and [`ServersError::UnknownSource`].
pub async fn shared() -> Result<&'static Servers, ServersError> {
    static SHARED: OnceCell<Servers> = OnceCell::const_new();
    SHARED
        .get_or_try_init(|| async {
            start(&Options::from_env()?.with_progress(ToStderr::default())).await
        })
        .await
}

/// Whether `REHEARSAL_REAL` is `skip`: the user wants no real servers. Tests that need them
/// mark themselves as ignored.
#[must_use]
pub fn are_unwanted() -> bool {
    std::env::var("REHEARSAL_REAL").is_ok_and(|real| real == "skip")
}

/// Starts or finds a pair of servers, from the first source that works.
///
/// # Errors
/// [`ServersError::NoSource`], with the error of every source that was tried.
pub async fn start(options: &Options) -> Result<Servers, ServersError> {
    let began = Instant::now();
    let mut failed: Vec<FailedSource> = Vec::new();
    for kind in options.source.map_or(SourceKind::ALL.to_vec(), |kind| vec![kind]) {
        match from_source(kind, options).await {
            Ok(mut servers) => {
                servers.ready_in = began.elapsed();
                for failed in failed.iter().filter(|failed| !failed.error.is_absence()) {
                    let skipped = format!("skipped {failed}");
                    options.progress.report(ProgressEvent::Message(skipped));
                }
                return Ok(servers);
            }
            Err(error) => failed.push(FailedSource { kind, error }),
        }
    }
    Err(ServersError::NoSource { forced: options.source, failed })
}

async fn from_source(kind: SourceKind, options: &Options) -> Result<Servers, SourceError> {
    match kind {
        SourceKind::Url => {
            let found = url::find(options).await?;
            let source = Source::Url { nats: found.nats_version, mongo: found.mongo_version };
            Ok(servers(found.nats_url, found.mongo_url, source, Backing::Url))
        }
        SourceKind::Local => {
            let binaries = blocking(options, local::find).await?;
            let pair = Pair::start(&binaries, options).await.map_err(LocalError::from)?;
            let Binaries { nats, mongod } = binaries;
            Ok(servers_of(pair, Source::Local { nats, mongod }))
        }
        SourceKind::Docker => {
            let docker::Started { nats_url, mongo_url, source, containers } =
                docker::start(options).await?;
            Ok(servers(nats_url, mongo_url, source, Backing::Containers(Box::new(containers))))
        }
        SourceKind::Fetch => {
            let binaries = blocking(options, fetch::ensure).await?;
            let pair = Pair::start(&binaries, options).await.map_err(FetchError::from)?;
            let Binaries { nats, mongod } = binaries;
            Ok(servers_of(pair, Source::Fetch { nats, mongod }))
        }
    }
}

/// The binaries for a cluster: local ones, or else fetched ones.
///
/// # Errors
/// [`ServersError::Unclustered`] if another source is forced; [`ServersError::NoSource`].
pub(crate) async fn binaries(options: &Options) -> Result<(Binaries, Source), ServersError> {
    let kinds = match options.source {
        None => vec![SourceKind::Local, SourceKind::Fetch],
        Some(kind @ (SourceKind::Local | SourceKind::Fetch)) => vec![kind],
        Some(kind) => return Err(ServersError::Unclustered(kind)),
    };
    let mut failed = Vec::new();
    for kind in kinds {
        let found = if kind == SourceKind::Local {
            blocking(options, local::find).await.map_err(SourceError::from)
        } else {
            blocking(options, fetch::ensure).await.map_err(SourceError::from)
        };
        match found {
            Ok(binaries) => {
                let Binaries { nats, mongod } = binaries.clone();
                let source = if kind == SourceKind::Local {
                    Source::Local { nats, mongod }
                } else {
                    Source::Fetch { nats, mongod }
                };
                return Ok((binaries, source));
            }
            Err(error) => failed.push(FailedSource { kind, error }),
        }
    }
    Err(ServersError::NoSource { forced: options.source, failed })
}

/// Runs a search that hashes or downloads on a thread that may block.
async fn blocking<T: Send + 'static>(
    options: &Options,
    search: impl FnOnce(&Options) -> T + Send + 'static,
) -> T {
    let options = options.clone();
    let result = spawn_blocking(move || search(&options)).await;
    result.unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()))
}

fn servers_of(pair: Pair, source: Source) -> Servers {
    let nats_url = format!("nats://127.0.0.1:{}", pair.port(Server::Nats));
    let mongo_url =
        format!("mongodb://127.0.0.1:{}/?directConnection=true", pair.port(Server::Mongo));
    servers(nats_url, mongo_url, source, Backing::Pair(Box::new(pair)))
}

fn servers(nats_url: String, mongo_url: String, source: Source, backing: Backing) -> Servers {
    Servers { nats_url, mongo_url, source, ready_in: Duration::ZERO, backing }
}
