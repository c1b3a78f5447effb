//! Commands for printing, quoted so that they can be pasted into a shell.

use std::fmt;
use std::path::Path;
use std::process::Command;

use crate::case::Token;

/// The command that starts this program in a shell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Program(String);

impl Program {
    /// The program of this process: `cargo NAME` where cargo runs it by an alias or as the
    /// binary of a package, and its path otherwise.
    pub fn of_this_process() -> Self {
        let path = std::env::args().next().unwrap_or_else(|| "rehearse".to_owned());
        let name = Path::new(&path).file_stem().and_then(|name| name.to_str());
        match (std::env::var_os("CARGO"), name) {
            (Some(_), Some("rehearse")) => Self("cargo rehearse".to_owned()),
            (Some(_), Some(name)) => {
                Self(format!("cargo run {} --", cargo_target(Path::new(&path), name).join(" ")))
            }
            _ => Self(quoted(&path)),
        }
    }

    /// The command with these arguments, quoted for a shell.
    pub fn with<'a>(&self, arguments: impl IntoIterator<Item = &'a str>) -> String {
        let arguments = arguments.into_iter().map(|argument| format!(" {}", quoted(argument)));
        format!("{}{}", self.0, arguments.collect::<String>())
    }

    /// The command that replays a run.
    pub fn replay(&self, token: &Token) -> String {
        self.with(["replay", &token.to_string()])
    }
}

impl fmt::Display for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Cargo, as the user called it.
pub(super) fn cargo() -> Command {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    // Cargo sets these for the program that it runs. Build scripts that read them would run
    // again, and half of the dependencies would be compiled again with them.
    let of_this_run = |name: &str| {
        ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_", "OUT_DIR"]
            .iter()
            .any(|set| name.starts_with(set))
    };
    for (name, _) in std::env::vars_os() {
        if name.to_str().is_some_and(of_this_run) {
            command.env_remove(name);
        }
    }
    command
}

/// The arguments by which cargo runs or builds the binary or example at this path, in the same
/// profile.
pub(super) fn cargo_target(path: &Path, name: &str) -> Vec<String> {
    let folder = path.parent();
    let is_example = folder.is_some_and(|folder| folder.ends_with("examples"));
    let profile = if is_example { folder.and_then(Path::parent) } else { folder };
    let profile = profile.and_then(Path::file_name).and_then(|profile| profile.to_str());
    let mut arguments = Vec::new();
    // Cargo names the folder of the profile `dev` differently.
    if let Some(profile) = profile.filter(|profile| *profile != "debug") {
        arguments.extend(["--profile".to_owned(), profile.to_owned()]);
    }
    // The alias of `rehearse` names its package too. Without it, cargo would choose features for
    // all members of the workspace, and compile the dependencies again.
    if is_example || name == "rehearse" {
        let package = std::env::var("CARGO_PKG_NAME");
        arguments.extend(package.into_iter().flat_map(|package| ["-p".to_owned(), package]));
    }
    let kind = if is_example { "--example" } else { "--bin" };
    arguments.extend([kind.to_owned(), name.to_owned()]);
    arguments
}

/// An argument as a shell reads it.
fn quoted(argument: &str) -> String {
    shlex::try_quote(argument).map_or_else(|_| argument.to_owned(), std::borrow::Cow::into_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_run_again_in_its_own_profile() {
        let run = |path| cargo_target(Path::new(path), "shop").join(" ");
        assert_eq!(run("target/debug/shop"), "--bin shop");
        assert_eq!(run("target/rehearse/shop"), "--profile rehearse --bin shop");
        assert!(run("target/rehearse/examples/shop").ends_with("--example shop"));
    }

    #[test]
    fn an_argument_with_an_apostrophe_survives_a_shell() {
        let program = Program("rehearse".to_owned());
        let command = program.with(["--name", "Ben's order"]);
        assert_eq!(shlex::split(&command).unwrap(), ["rehearse", "--name", "Ben's order"]);
    }
}
