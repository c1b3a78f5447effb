//! Binaries that are here already: on the PATH, or left in the cache by an earlier fetch.
//!
//! It only finds them. Whether they are good shows when they start.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use super::error::LocalError;
use super::options::Options;
use super::package::Package;
use super::pair::Binaries;

/// Finds both binaries. Each may come from the PATH, or else from the cache.
pub(super) fn find(options: &Options) -> Result<Binaries, LocalError> {
    let nats = find_one(options, &options.nats_package);
    let mongod = find_one(options, &options.mongod_package);
    match (nats, mongod) {
        (Some(nats), Some(mongod)) => Ok(Binaries { nats, mongod }),
        (nats, mongod) => {
            let missing: Vec<&str> =
                [(nats, &options.nats_package), (mongod, &options.mongod_package)]
                    .iter()
                    .filter(|(found, _)| found.is_none())
                    .map(|(_, package)| &*package.binary)
                    .collect();
            Err(LocalError::NotFound {
                missing: missing.join(" and no "),
                cache: options.cache.clone(),
            })
        }
    }
}

/// Both binaries, if an earlier fetch left them in the cache.
pub(super) fn fetched(options: &Options) -> Option<Binaries> {
    let nats = options.nats_package.installed_at(&options.cache);
    let mongod = options.mongod_package.installed_at(&options.cache);
    (is_program(&nats) && is_program(&mongod)).then_some(Binaries { nats, mongod })
}

/// The first program of this name in a list of folders like the variable `PATH`.
pub(super) fn on_path(path: &OsStr, name: &str) -> Option<PathBuf> {
    std::env::split_paths(path)
        // An empty entry means the working folder; nobody means that here.
        .filter(|folder| !folder.as_os_str().is_empty())
        .map(|folder| folder.join(name))
        .find(|program| is_program(program))
}

fn find_one(options: &Options, package: &Package) -> Option<PathBuf> {
    on_path(&options.path, &package.binary)
        .or_else(|| Some(package.installed_at(&options.cache)).filter(|path| is_program(path)))
}

fn is_program(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|file| file.is_file() && file.permissions().mode() & 0o111 != 0)
}
