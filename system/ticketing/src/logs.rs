//! Logging to standard error: human-readable on a terminal, JSON lines otherwise.
//!
//! It only configures the subscriber; every module logs through `tracing`.

use std::io::{IsTerminal, stderr};

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
    let logs = tracing_subscriber::fmt().with_env_filter(filter).with_writer(stderr);
    if stderr().is_terminal() {
        logs.with_ansi(wants_colours()).init();
    } else {
        logs.with_ansi(false).json().flatten_event(true).init();
    }
    std::panic::set_hook(Box::new(|panic| tracing::error!(%panic, "panicked")));
}
