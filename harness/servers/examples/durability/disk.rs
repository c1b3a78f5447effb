//! A disk whose power can fail: a file system on an image, of which a power loss leaves what the
//! file system has handed to the device until then.

use std::fs::File;
use std::io;
use std::path::PathBuf;
use std::process::Command;

/// The size of the image, of which only the used part takes space.
const SIZE: u64 = 2 << 30;

/// A mounted disk image. Dropping it unmounts and removes it.
pub(crate) struct Disk {
    folder: tempfile::TempDir,
}

impl Disk {
    /// Mounts a new disk; `None` where this process may not.
    pub(crate) fn mount() -> io::Result<Option<Self>> {
        if !cfg!(target_os = "linux") || !rustix::process::geteuid().is_root() {
            return Ok(None);
        }
        let disk = Self { folder: tempfile::tempdir()? };
        std::fs::create_dir(disk.path())?;
        File::create(disk.image())?.set_len(SIZE)?;
        run(Command::new("mkfs.ext4").args(["-q", "-F"]).arg(disk.image()))?;
        disk.attach()?;
        Ok(Some(disk))
    }

    /// The folder of the disk.
    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().join("disk")
    }

    /// Hands everything to the device.
    pub(crate) fn sync(&self) -> io::Result<()> {
        run(Command::new("sync").arg("--file-system").arg(self.path()))
    }

    /// Leaves what the device has now, as a power loss does. No process may still write.
    pub(crate) fn lose_power(&self) -> io::Result<()> {
        let left = self.folder.path().join("left");
        run(Command::new("cp").arg("--sparse=always").arg(self.image()).arg(&left))?;
        // Open files of the old one keep it until they are closed; nothing reads them.
        run(Command::new("umount").arg("--lazy").arg(self.path()))?;
        std::fs::remove_file(self.image())?;
        std::fs::rename(left, self.image())?;
        self.attach()
    }

    fn image(&self) -> PathBuf {
        self.folder.path().join("image")
    }

    fn attach(&self) -> io::Result<()> {
        run(Command::new("mount").args(["-o", "loop"]).arg(self.image()).arg(self.path()))
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        if let Err(error) = run(Command::new("umount").arg("--lazy").arg(self.path())) {
            eprintln!("{}: {error}", self.path().display());
        }
    }
}

fn run(command: &mut Command) -> io::Result<()> {
    let output = command.output()?;
    if output.status.success() {
        return Ok(());
    }
    let why = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    Err(io::Error::other(format!("{command:?}: {why}")))
}
