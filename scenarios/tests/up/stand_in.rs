//! A system under a supervisor, with a stand-in for its sources and for cargo.

use std::fs;
use std::io;
use std::process::Command;

use harness::up::supervisor::Supervisor;
use tempfile::TempDir;

/// A folder of sources that are right or wrong.
pub(crate) struct Sources(TempDir);

/// A build that takes a second, fails while the source is wrong, and writes what has changed.
const BUILD: &str = "
sleep 1
if grep -q wrong lib.rs; then echo 'error: lib.rs is wrong' >&2; exit 1; fi
cmp -s lib.rs built || cp lib.rs built
";

impl Sources {
    /// Sources that are right.
    pub(crate) fn new() -> io::Result<Self> {
        let sources = Self(tempfile::tempdir()?);
        sources.write("right")?;
        fs::copy(sources.0.path().join("lib.rs"), sources.0.path().join("built"))?;
        Ok(sources)
    }

    /// Changes the source.
    pub(crate) fn write(&self, text: &str) -> io::Result<()> {
        fs::write(self.0.path().join("lib.rs"), text)
    }

    /// Runs the program of this test in simulation, whatever was built.
    pub(crate) fn supervisor(&self) -> Supervisor {
        let folder = self.0.path().to_owned();
        let journal = folder.join("journal");
        let (folders, artifact) = (vec![folder.clone()], folder.join("built"));
        let build = Box::new(move || {
            let mut command = Command::new("sh");
            command.current_dir(&folder).args(["-c", BUILD]);
            command
        });
        let program = Box::new(move || {
            let mut command = Command::new(env!("CARGO_BIN_EXE_rehearse"));
            command.args(["up", "--supervised", "test", "--seed", "7"]);
            command.arg("--journal").arg(&journal);
            command
        });
        Supervisor { build, program, artifact, folders }
    }
}
