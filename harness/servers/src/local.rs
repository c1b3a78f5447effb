//! The `local` source: binaries on the `PATH`, or in the cache from an earlier fetch.
//!
//! It runs nothing: a defective binary on the `PATH` is detected when it starts. A cached one
//! is verified first, because its hash is known.

use std::ffi::OsStr;
use std::fs;
use std::path::PathBuf;

use crate::cache;
use crate::error::{DamagedBinary, LocalError};
use crate::options::Options;
use crate::package::{Binaries, Package};

/// Finds both binaries, each on the `PATH` or else in the cache. Blocks while it hashes a
/// cached one.
pub(crate) fn find(options: &Options) -> Result<Binaries, LocalError> {
    let nats = find_one(options, &options.nats_package)?;
    let mongod = find_one(options, &options.mongod_package)?;
    match (nats, mongod) {
        (Some(nats), Some(mongod)) => Ok(Binaries { nats, mongod }),
        (nats, mongod) => {
            let found = [(nats, &options.nats_package), (mongod, &options.mongod_package)];
            let missing = found.into_iter().filter(|(path, _)| path.is_none());
            Err(LocalError::NotFound {
                missing: missing.map(|(_, package)| package.binary.to_string()).collect(),
                cache: options.cache.clone(),
            })
        }
    }
}

/// The first executable of this name in a list of folders in the format of `PATH`.
pub(crate) fn on_path(path: &OsStr, name: &str) -> Option<PathBuf> {
    std::env::split_paths(path)
        // An empty entry means the working directory, which is hardly ever intended.
        .filter(|folder| !folder.as_os_str().is_empty())
        .map(|folder| folder.join(name))
        .find(|program| fs::metadata(program).is_ok_and(|file| cache::is_program(&file)))
}

fn find_one(options: &Options, package: &Package) -> Result<Option<PathBuf>, DamagedBinary> {
    match on_path(&options.path, &package.binary) {
        Some(program) => Ok(Some(program)),
        None => cache::verified(package, &options.cache),
    }
}
