//! One build: its output goes to the terminal, and its errors to the console.

use std::io::{self, IsTerminal as _, Write as _};
use std::process::{Command, Stdio};

use anstream::adapter::strip_str;
use serde::Serialize;
use tokio::io::{AsyncBufReadExt as _, BufReader};

/// The most lines of errors that the console shows.
const SHOWN: usize = 60;

/// The state of a build.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "build", rename_all = "kebab-case")]
pub(super) enum Build {
    /// It is under way.
    Building,
    /// It has succeeded, and the program is what it was.
    Unchanged,
    /// It has failed, so the program before it goes on.
    Failed {
        /// The last errors of the compiler.
        errors: String,
    },
}

/// The end of a build.
pub(super) enum Built {
    Succeeded,
    Failed { errors: String },
}

/// Runs a build.
///
/// # Errors
///
/// When it cannot be run.
pub(super) async fn run(command: Command) -> io::Result<Built> {
    let mut command = tokio::process::Command::from(command);
    command.stdin(Stdio::null()).stderr(Stdio::piped()).kill_on_drop(true);
    if io::stderr().is_terminal() {
        command.env("CARGO_TERM_COLOR", "always");
    }
    let mut process = command.spawn()?;
    let mut output = BufReader::new(process.stderr.take().expect("it is piped"));
    let (mut lines, mut line) = (Vec::new(), Vec::new());
    while output.read_until(b'\n', &mut line).await? > 0 {
        // Nobody may read the terminal any more.
        _ = io::stderr().write_all(&line);
        lines.push(strip_str(&String::from_utf8_lossy(&line)).to_string());
        line.clear();
    }
    if process.wait().await?.success() {
        Ok(Built::Succeeded)
    } else {
        Ok(Built::Failed { errors: errors(&lines) })
    }
}

/// The lines from the first error on; the last ones where none is marked as an error.
fn errors(lines: &[String]) -> String {
    let first = lines.iter().position(|line| line.starts_with("error"));
    let shown = match first {
        Some(first) => &lines[first..lines.len().min(first + SHOWN)],
        None => &lines[lines.len().saturating_sub(SHOWN)..],
    };
    shown.concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_errors_begin_at_the_first_one() {
        let lines = ["warning: unused\n", "error[E0425]: no `x`\n", " --> src/a.rs:1:1\n"];
        let lines = lines.map(str::to_owned);
        assert_eq!(errors(&lines), "error[E0425]: no `x`\n --> src/a.rs:1:1\n");
        assert_eq!(errors(&lines[..1]), "warning: unused\n");
        let many: Vec<String> = (0..500).map(|n| format!("error {n}\n")).collect();
        assert_eq!(errors(&many).lines().count(), SHOWN);
    }
}
