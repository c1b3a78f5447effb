//! The reaper: a small shell that cleans up after this process, whichever way it ends.
//!
//! The shell waits on a pipe that the kernel closes together with the process. It covers the
//! cases that no code inside the process can: statics are never dropped, and nothing runs
//! after `kill -9`. It exits once it has cleaned up.

use std::ffi::OsStr;
use std::io;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::{Duration, Instant};

use tokio::sync::Mutex;
use tokio::time::sleep;

use crate::error::ServersError;

/// Kills the servers whose ids are in the folder, then removes the folder. On Linux the kernel
/// has already killed them.
const REMOVE_FOLDER: &str = r#"
trap '' HUP INT TERM
read -r _
for file in "$1"/*.pid "$1"/*/*.pid; do
    [ -f "$file" ] && kill -9 "$(cat "$file")"
done
tries=0
until rm -rf "$1" && [ ! -e "$1" ]; do
    tries=$((tries + 1))
    [ "$tries" -ge 50 ] && exit 1
    sleep 0.1
done
"#;

/// Longer than the shell takes for all of its attempts.
const FINISH_LIMIT: Duration = Duration::from_secs(10);
const POLL_INTERVAL: Duration = Duration::from_millis(5);

/// A waiting shell. It runs its cleanup command when this is dropped or the process ends.
pub(crate) struct Reaper {
    shell: Child,
    pipe: Option<ChildStdin>,
}

impl Reaper {
    /// A reaper that kills the servers of this data folder and removes the folder.
    pub(crate) fn of_folder(folder: &Path) -> io::Result<Self> {
        Self::spawn(REMOVE_FOLDER, &[folder.as_os_str()])
    }

    /// A reaper that runs this shell command, which must begin by reading a line.
    pub(crate) fn spawn(cleanup_command: &str, arguments: &[&OsStr]) -> io::Result<Self> {
        use std::os::unix::process::CommandExt as _;
        let mut shell = Command::new("/bin/sh")
            .args(["-c", cleanup_command, "sh"])
            .args(arguments)
            .current_dir("/")
            .stdin(Stdio::piped())
            // An inherited output would keep `cargo test | ...` from ending.
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()?;
        let pipe = shell.stdin.take();
        Ok(Self { shell, pipe })
    }

    /// Runs the cleanup command of a reaper that is still there, and takes it away.
    ///
    /// # Errors
    /// [`ServersError::Io`] if the data cannot be removed.
    pub(crate) async fn finish(reaper: &Mutex<Option<Self>>) -> Result<(), ServersError> {
        let io = |source| ServersError::Io { action: "remove the data".to_owned(), source };
        match reaper.lock().await.take() {
            Some(reaper) => reaper.clean_up().await.map_err(io),
            None => Ok(()),
        }
    }

    /// Runs the cleanup command now, and waits until it has finished.
    ///
    /// # Errors
    /// `TimedOut` if it takes longer than ten seconds.
    pub(crate) async fn clean_up(mut self) -> io::Result<()> {
        self.pipe = None;
        let deadline = Instant::now() + FINISH_LIMIT;
        while self.shell.try_wait()?.is_none() {
            if Instant::now() >= deadline {
                return Err(io::ErrorKind::TimedOut.into());
            }
            sleep(POLL_INTERVAL).await;
        }
        Ok(())
    }
}
