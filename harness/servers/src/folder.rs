//! The folder that a pair of servers keeps its data and logs in: in memory when there is
//! room, named after its owner, and swept when its owner is gone.
//!
//! It never touches a folder whose owner may still live.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use rustix::io::Errno;
use rustix::process::{Pid, test_kill_process};

const PREFIX: &str = "rehearsal-";
const LOCK: &str = "owner.lock";
/// Less than this in shared memory (containers often have 64 MiB), and a disk is safer.
const ROOM_NEEDED: u64 = 1 << 30;

/// A data folder, removed when dropped.
pub(super) struct Folder {
    directory: tempfile::TempDir,
    // Held, not read: whoever can take this lock knows that the owner is gone.
    _lock: File,
}

impl Folder {
    /// Makes a folder named after this process in `root`.
    pub(super) fn create(root: &Path) -> io::Result<Self> {
        let directory = tempfile::Builder::new()
            .prefix(&format!("{PREFIX}{}-", std::process::id()))
            .tempdir_in(root)?;
        let lock = File::create(directory.path().join(LOCK))?;
        lock.try_lock().map_err(io::Error::from)?;
        Ok(Self { directory, _lock: lock })
    }

    pub(super) fn path(&self) -> &Path {
        self.directory.path()
    }
}

/// Where data goes by default: shared memory if it has room, else the temporary folder.
pub(super) fn default_root() -> PathBuf {
    let memory = Path::new("/dev/shm");
    match rustix::fs::statvfs(memory) {
        Ok(status) if status.f_bavail.saturating_mul(status.f_frsize) >= ROOM_NEEDED => {
            memory.to_owned()
        }
        _ => std::env::temp_dir(),
    }
}

/// Removes the folders in `root` whose owners are gone, and says which.
///
/// A folder that cannot be removed (another user's, say) is left alone.
pub(super) fn sweep(root: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(root) else { return Vec::new() };
    entries
        .filter_map(Result::ok)
        .filter(|entry| {
            entry.file_name().to_str().and_then(owner).is_some_and(|pid| !is_alive(pid))
        })
        .map(|entry| entry.path())
        // A process id means nothing across containers that share memory; the lock does.
        .filter(|path| !is_locked(path) && fs::remove_dir_all(path).is_ok())
        .collect()
}

/// Whether a process with this id runs.
pub(super) fn is_alive(pid: i32) -> bool {
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
    fn the_owner_is_read_from_the_name() {
        assert_eq!(owner("rehearsal-42-abc"), Some(42));
        assert_eq!(owner("rehearsal-abc"), None);
        assert_eq!(owner("rehearsal--1-abc"), None);
        assert_eq!(owner("other-42-abc"), None);
    }

    #[test]
    fn a_living_owner_keeps_its_folder() {
        let root = tempfile::tempdir().expect("a folder");
        let folder = Folder::create(root.path()).expect("a folder");
        assert_eq!(sweep(root.path()), Vec::<PathBuf>::new());
        assert!(folder.path().exists());
    }

    #[test]
    fn a_held_lock_keeps_a_folder_whose_owner_cannot_be_seen() {
        let root = tempfile::tempdir().expect("a folder");
        let elsewhere = root.path().join(format!("{PREFIX}{}-x", i32::MAX));
        fs::create_dir(&elsewhere).expect("a folder");
        let lock = File::create(elsewhere.join(LOCK)).expect("a file");
        lock.lock().expect("a lock");
        assert_eq!(sweep(root.path()), Vec::<PathBuf>::new());
        drop(lock);
        assert_eq!(sweep(root.path()), vec![elsewhere]);
    }
}
