//! What is done when this process is gone, however it went: a small shell waits on a pipe
//! that the kernel closes with the process, then cleans up.
//!
//! It covers what nothing inside the process can: a static is never dropped, and nobody
//! runs code after `kill -9`. It never outlives its errand.

use std::ffi::OsStr;
use std::io;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::Duration;

use tokio::time::sleep;

/// Ends the servers whose ids are on file and removes their folder. On Linux the kernel has
/// already killed them; elsewhere this does.
const REMOVE_FOLDER: &str = r#"
trap '' HUP INT TERM
read -r _
for file in "$1"/*.pid; do
    [ -f "$file" ] && kill -9 "$(cat "$file")"
done
tries=0
until rm -rf "$1" && [ ! -e "$1" ]; do
    tries=$((tries + 1))
    [ "$tries" -ge 50 ] && exit 1
    sleep 0.1
done
"#;

/// Removes containers by name, with their anonymous volumes.
const REMOVE_CONTAINERS: &str = r#"
trap '' HUP INT TERM
read -r _
docker rm --force --volumes "$@" || { sleep 1; docker rm --force --volumes "$@"; }
"#;

/// The waiting shell. Carried out when this is dropped or the process ends.
pub(super) struct Will {
    shell: Child,
    pipe: Option<ChildStdin>,
}

impl Will {
    /// On the end: kill the servers of this data folder, and remove it.
    pub(super) fn remove_folder(folder: &Path) -> io::Result<Self> {
        Self::write(REMOVE_FOLDER, &[folder.as_os_str()])
    }

    /// On the end: remove these containers. Needs the `docker` command.
    pub(super) fn remove_containers(names: &[&str]) -> io::Result<Self> {
        let names: Vec<&OsStr> = names.iter().map(OsStr::new).collect();
        Self::write(REMOVE_CONTAINERS, &names)
    }

    fn write(script: &str, arguments: &[&OsStr]) -> io::Result<Self> {
        use std::os::unix::process::CommandExt as _;
        let mut shell = Command::new("/bin/sh")
            .args(["-c", script, "sh"])
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

    /// Has it carried out now, and waits until it is, for at most ten seconds.
    pub(super) async fn execute(mut self) -> io::Result<()> {
        self.pipe = None;
        for _ in 0..2_000 {
            if self.shell.try_wait()?.is_some() {
                return Ok(());
            }
            sleep(Duration::from_millis(5)).await;
        }
        Err(io::Error::from(io::ErrorKind::TimedOut))
    }
}
