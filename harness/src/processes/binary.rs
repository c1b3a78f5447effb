//! The program that runs the services: given, built by cargo, or found beside this program.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde::Deserialize;
use tokio::process::Command;

use super::error::ProcessesError;

/// A message of `cargo build --message-format=json`, of which only one kind matters.
#[derive(Deserialize)]
struct Message {
    reason: String,
    executable: Option<PathBuf>,
    target: Option<Target>,
}

#[derive(Deserialize)]
struct Target {
    name: String,
}

/// The binary of this package: the given one; otherwise, where cargo runs this program, a fresh
/// build, so that no stale binary is rehearsed; otherwise the one beside this program, or a build.
/// `on_build` is called before a build.
///
/// # Errors
///
/// When the given binary does not exist or cargo cannot build it.
pub(super) async fn find(
    package: &'static str,
    given: Option<&Path>,
    on_build: impl Fn(&str),
) -> Result<PathBuf, ProcessesError> {
    if let Some(given) = given {
        let found = given.is_file().then(|| given.to_owned());
        return found.ok_or_else(|| ProcessesError::NoBinary(given.to_owned()));
    }
    let folder = output_folder();
    let beside = folder.as_ref().map(|folder| folder.join(package)).filter(|path| path.is_file());
    let cargo = env::var_os("CARGO");
    match (cargo, beside) {
        (None, Some(beside)) => Ok(beside),
        (cargo, _) => {
            let cargo = cargo.map_or_else(|| PathBuf::from("cargo"), PathBuf::from);
            let profile =
                folder.as_deref().and_then(Path::file_name).and_then(|name| name.to_str());
            let profile = profile.map_or("dev", |name| if name == "debug" { "dev" } else { name });
            on_build(&format!("cargo build -p {package} --profile {profile}"));
            build(&cargo, package, profile).await
        }
    }
}

/// The folder that cargo put this program into; for a test or an example it is the
/// parent of theirs.
fn output_folder() -> Option<PathBuf> {
    let program = env::current_exe().ok()?;
    let folder = program.parent()?;
    let is_below = folder.file_name().is_some_and(|name| name == "deps" || name == "examples");
    Some(if is_below { folder.parent()?.to_owned() } else { folder.to_owned() })
}

async fn build(
    cargo: &Path,
    package: &'static str,
    profile: &str,
) -> Result<PathBuf, ProcessesError> {
    let failed = |why: String| ProcessesError::Build { package, why };
    let mut command = Command::new(cargo);
    command.args(["build", "--package", package, "--bin", package, "--profile", profile]);
    command.args(["--message-format", "json-render-diagnostics"]);
    let output = command.stdin(Stdio::null()).stderr(Stdio::inherit()).output().await;
    let output = output.map_err(|error| failed(format!(": {error}")))?;
    if !output.status.success() {
        return Err(failed(String::new()));
    }
    let text = String::from_utf8_lossy(&output.stdout);
    let messages = text.lines().filter_map(|line| serde_json::from_str::<Message>(line).ok());
    let mut built = messages.filter(|message| {
        message.reason == "compiler-artifact"
            && message.target.as_ref().is_some_and(|target| target.name == package)
    });
    let executable = built.find_map(|message| message.executable);
    executable.ok_or_else(|| failed(": cargo names no binary".to_owned()))
}
