//! Logs, on standard error: for people where that is a terminal, JSON lines where it is not.

use std::io::{IsTerminal, stderr};

use tracing_subscriber::EnvFilter;

/// Whether colours are welcome: see <https://no-color.org>.
#[expect(clippy::disallowed_methods, reason = "a convention of terminals, not a setting of ours")]
fn colours() -> bool {
    std::env::var_os("NO_COLOR").is_none_or(|no| no.is_empty())
}

/// Starts to log what this filter lets through. A panic is logged too.
pub(crate) fn start(filter: &str) {
    let filter = EnvFilter::new(filter);
    let logs = tracing_subscriber::fmt().with_env_filter(filter).with_writer(stderr);
    if stderr().is_terminal() {
        logs.with_ansi(colours()).init();
    } else {
        logs.with_ansi(false).json().flatten_event(true).init();
    }
    std::panic::set_hook(Box::new(|panic| tracing::error!(%panic, "a bug of ours")));
}
