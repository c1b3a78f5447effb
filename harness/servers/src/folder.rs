//! The data folder of servers, which also holds their logs: in shared memory if it
//! has room, named after the process that owns it, and swept once that process is dead.
//!
//! It never touches a folder whose owner may still be running.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use rustix::io::Errno;
use rustix::process::{Pid, test_kill_process};

use crate::error::StartError;
use crate::reaper::Reaper;

const PREFIX: &str = "rehearsal-";
const LOCK: &str = "owner.lock";
/// With less shared memory than this, the disk is used. Containers often have 64 MiB.
const REQUIRED_ROOM: u64 = 1 << 30;

/// A data folder, removed when dropped.
pub(crate) struct Folder {
    directory: tempfile::TempDir,
    // Held for as long as the owner runs: a sweep that can take the lock knows that it is dead.
    _lock: File,
}

impl Folder {
    /// Creates a folder named after this process in `root`.
    pub(crate) fn create(root: &Path) -> io::Result<Self> {
        let directory = tempfile::Builder::new()
            .prefix(&format!("{PREFIX}{}-", std::process::id()))
            .tempdir_in(root)?;
        let lock = File::create(directory.path().join(LOCK))?;
        lock.try_lock().map_err(io::Error::from)?;
        Ok(Self { directory, _lock: lock })
    }

    /// Creates a folder in `root` with a reaper, and begins to remove those of dead processes
    /// there; the future completes when they are gone.
    pub(crate) fn prepare(
        root: &Path,
    ) -> Result<(Self, Reaper, impl Future<Output = ()> + use<>), StartError> {
        let io = |action: &str| {
            let action = format!("{action} in {}", root.display());
            move |source| StartError::Io { action, source }
        };
        let folder = Self::create(root).map_err(io("create a data folder"))?;
        let reaper = Reaper::of_folder(folder.path()).map_err(io("start the reaper"))?;
        let root = root.to_owned();
        let swept = tokio::task::spawn_blocking(move || sweep(&root));
        let swept = async {
            for stale in swept.await.unwrap_or_default() {
                tracing::debug!(folder = %stale.display(), "removed the data of a dead process");
            }
        };
        Ok((folder, reaper, swept))
    }

    pub(crate) fn path(&self) -> &Path {
        self.directory.path()
    }
}

/// The default parent of data folders: shared memory if it has room, else the temporary folder.
pub(crate) fn default_root() -> PathBuf {
    let memory = Path::new("/dev/shm");
    match rustix::fs::statvfs(memory) {
        Ok(status) if status.f_bavail.saturating_mul(status.f_frsize) >= REQUIRED_ROOM => {
            memory.to_owned()
        }
        _ => std::env::temp_dir(),
    }
}

/// Removes the folders in `root` whose owners are dead, and returns their paths.
///
/// Skips a folder that cannot be removed, for example because it belongs to another user.
pub(crate) fn sweep(root: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(root) else { return Vec::new() };
    entries
        .filter_map(Result::ok)
        .filter(|entry| {
            entry.file_name().to_str().and_then(owner).is_some_and(|pid| !is_alive(pid))
        })
        .map(|entry| entry.path())
        // Containers that share memory do not share process ids, but they do share locks.
        .filter(|path| !is_locked(path) && fs::remove_dir_all(path).is_ok())
        .collect()
}

/// Whether a process with this id is running.
pub(crate) fn is_alive(pid: i32) -> bool {
    Pid::from_raw(pid).is_some_and(|pid| test_kill_process(pid) != Err(Errno::SRCH))
}

fn owner(name: &str) -> Option<i32> {
    name.strip_prefix(PREFIX)?.split('-').next()?.parse().ok().filter(|pid| *pid > 0)
}

fn is_locked(folder: &Path) -> bool {
    File::open(folder.join(LOCK)).is_ok_and(|lock| lock.try_lock().is_err())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_owner_is_parsed_from_the_name() {
        assert_eq!(owner("rehearsal-42-abc"), Some(42));
        assert_eq!(owner("rehearsal-abc"), None);
        assert_eq!(owner("rehearsal--1-abc"), None);
        assert_eq!(owner("other-42-abc"), None);
    }

    #[test]
    fn a_sweep_keeps_the_folder_of_a_running_owner() {
        let root = tempfile::tempdir().expect("a temporary folder");
        let folder = Folder::create(root.path()).expect("created");
        assert_eq!(sweep(root.path()), Vec::<PathBuf>::new());
        assert!(folder.path().exists());
    }

    #[test]
    fn a_sweep_keeps_a_locked_folder_of_an_owner_in_another_container() {
        let root = tempfile::tempdir().expect("a temporary folder");
        let elsewhere = root.path().join(format!("{PREFIX}{}-x", i32::MAX));
        fs::create_dir(&elsewhere).expect("created");
        let lock = File::create(elsewhere.join(LOCK)).expect("a file");
        lock.lock().expect("a lock");
        assert_eq!(sweep(root.path()), Vec::<PathBuf>::new());
        drop(lock);
        assert_eq!(sweep(root.path()), vec![elsewhere]);
    }
}
