//! The cache of fetched binaries: verified against the pinned size and hash before every use.
//!
//! It never runs, fetches or removes a binary; see `fetch.rs` for the download.

use std::collections::BTreeMap;
use std::fs::{self, File, Metadata};
use std::io::{self, Read as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use parking_lot::Mutex;
use sha2::{Digest as _, Sha256};

use crate::error::{Damage, DamagedBinary};
use crate::options::Options;
use crate::package::{Binaries, Package};

const CHUNK: usize = 1 << 20;

/// The cached binary of `package`, `None` if there is none. Blocks while it hashes the file,
/// which happens once per process and state of the file.
pub(crate) fn verified(package: &Package, cache: &Path) -> Result<Option<PathBuf>, DamagedBinary> {
    let path = package.installed_at(cache);
    let checked = match fs::metadata(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => Err(error.into()),
        Ok(metadata) => check(package, &path, &metadata),
    };
    match checked {
        Ok(()) => Ok(Some(path)),
        Err(damage) => Err(DamagedBinary { path, damage }),
    }
}

/// Both cached binaries, `None` if one is missing.
pub(crate) fn verified_pair(options: &Options) -> Result<Option<Binaries>, DamagedBinary> {
    let nats = verified(&options.nats_package, &options.cache)?;
    let mongod = verified(&options.mongod_package, &options.cache)?;
    Ok(nats.zip(mongod).map(|(nats, mongod)| Binaries { nats, mongod }))
}

fn check(package: &Package, path: &Path, metadata: &Metadata) -> Result<(), Damage> {
    if metadata.len() != package.binary_size {
        return Err(Damage::Size { expected: package.binary_size, found: metadata.len() });
    }
    if !is_program(metadata) {
        return Err(Damage::NotExecutable);
    }
    let found = known_hash(path, metadata)?;
    if found != *package.binary_sha256 {
        return Err(Damage::Hash { expected: package.binary_sha256.to_string(), found });
    }
    Ok(())
}

/// Whether this file can be run.
pub(crate) fn is_program(metadata: &Metadata) -> bool {
    metadata.is_file() && metadata.permissions().mode() & 0o111 != 0
}

/// The file's hash, computed at most once per process as long as its size and its time of
/// modification stay the same: hashing `mongod` takes a noticeable part of its start.
fn known_hash(path: &Path, metadata: &Metadata) -> io::Result<String> {
    type Known = BTreeMap<PathBuf, (u64, SystemTime, String)>;
    static KNOWN: Mutex<Known> = Mutex::new(BTreeMap::new());
    let (size, modified) = (metadata.len(), metadata.modified()?);
    // Held while hashing, so that concurrent callers wait instead of hashing the same file.
    let mut known = KNOWN.lock();
    if let Some((known_size, known_modified, hash)) = known.get(path)
        && (*known_size, *known_modified) == (size, modified)
    {
        return Ok(hash.clone());
    }
    let hash = file_hash(path)?;
    known.insert(path.to_owned(), (size, modified, hash.clone()));
    Ok(hash)
}

/// A file's SHA-256 in lower-case hexadecimal.
pub(crate) fn file_hash(path: &Path) -> io::Result<String> {
    let mut file = File::open(path)?;
    let mut hash = Sha256::new();
    let mut chunk = vec![0; CHUNK];
    loop {
        match file.read(&mut chunk)? {
            0 => return Ok(const_hex::encode(hash.finalize())),
            length => hash.update(&chunk[..length]),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use super::*;
    use crate::package::NATS_SERVER;

    const CONTENT: &str = "#!/bin/sh\n";

    fn package() -> Package {
        let hash = const_hex::encode(Sha256::digest(CONTENT));
        Package { binary_sha256: hash.into(), binary_size: CONTENT.len() as u64, ..NATS_SERVER }
    }

    fn install(package: &Package, cache: &Path, content: &str, mode: u32) -> PathBuf {
        let path = package.installed_at(cache);
        fs::create_dir_all(path.parent().expect("a folder")).expect("created");
        fs::write(&path, content).expect("written");
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("changed");
        path
    }

    #[test]
    fn an_intact_binary_is_returned_and_a_missing_one_is_not_an_error() {
        let cache = tempfile::tempdir().expect("a temporary folder");
        let package = package();
        assert_eq!(verified(&package, cache.path()).expect("not damaged"), None);
        let path = install(&package, cache.path(), CONTENT, 0o755);
        assert_eq!(verified(&package, cache.path()).expect("intact"), Some(path));
    }

    #[test]
    fn a_damaged_binary_is_rejected_with_its_path_and_a_remedy() {
        let cache = tempfile::tempdir().expect("a temporary folder");
        let package = package();
        for (content, mode, damage) in [
            ("#!/bin/s", 0o755, "its size is 8 bytes instead of 10"),
            ("#!/bin/ss\n", 0o755, "its SHA-256 is "),
            (CONTENT, 0o644, "it is not executable"),
        ] {
            let path = install(&package, cache.path(), content, mode);
            let error = verified(&package, cache.path()).expect_err("damaged").to_string();
            assert!(error.starts_with(&path.display().to_string()), "{error}");
            assert!(error.contains(damage), "{error}");
            assert!(
                error.ends_with("set REHEARSAL_SERVERS=fetch once to fetch it again"),
                "{error}"
            );
        }
    }

    #[test]
    fn a_file_is_hashed_once_per_process_and_state() {
        let cache = tempfile::tempdir().expect("a temporary folder");
        let package = package();
        let path = install(&package, cache.path(), CONTENT, 0o755);
        let modified = fs::metadata(&path).and_then(|file| file.modified()).expect("a time");
        verified(&package, cache.path()).expect("intact");

        // The same size and time of modification: the remembered hash stands.
        fs::write(&path, "#!/bin/ss\n").expect("written");
        let set =
            |time| File::options().append(true).open(&path).and_then(|f| f.set_modified(time));
        set(modified).expect("changed");
        verified(&package, cache.path()).expect("not hashed again");

        set(modified + std::time::Duration::from_secs(1)).expect("changed");
        let error = verified(&package, cache.path()).expect_err("hashed again");
        assert!(matches!(error.damage, Damage::Hash { .. }), "{error}");
        let pin = Package { binary_sha256: Cow::Borrowed("other"), ..package };
        verified(&pin, cache.path()).expect_err("compared with the pin of each package");
    }
}
