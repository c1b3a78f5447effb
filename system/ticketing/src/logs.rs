//! Logging to standard error: human-readable on a terminal, JSON lines otherwise.
//!
//! It only configures the subscriber; every module logs through `tracing`.

use std::fmt::Display;
use std::io::{IsTerminal, Write, stderr};

use tracing_subscriber::EnvFilter;

/// Returns true unless the user opted out of colours: see <https://no-color.org>.
#[expect(
    clippy::disallowed_methods,
    reason = "a convention of terminals, not a setting of this system"
)]
fn wants_colours() -> bool {
    std::env::var_os("NO_COLOR").is_none_or(|no| no.is_empty())
}

/// Starts logging with this filter. Panics are logged too.
pub(crate) fn start(filter: &str) {
    let filter = EnvFilter::new(filter);
    // A log that cannot be written is lost. Reporting that on the same stream would panic.
    let logs = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(stderr)
        .log_internal_errors(false);
    if stderr().is_terminal() {
        logs.with_ansi(wants_colours()).init();
    } else {
        logs.with_ansi(false).json().flatten_event(true).init();
    }
    std::panic::set_hook(Box::new(|panic| tracing::error!(%panic, "panicked")));
}

/// Writes a line for the person who started the program. A line that cannot be written is lost:
/// there is nowhere to report that.
pub(crate) fn line(text: impl Display) {
    drop(writeln!(stderr(), "ticketing: {text}"));
}
