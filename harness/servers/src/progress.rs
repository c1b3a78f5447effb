//! Progress of a search for servers, and a reporter that shows it on standard error.
//!
//! No other file of this crate prints; each sends events to a [`Progress`].

use std::io::IsTerminal as _;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use parking_lot::Mutex;

/// One step of the search for servers.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProgressEvent {
    /// A complete line for the user.
    Message(String),
    /// A step that may take seconds has started; the text describes it. Steps do not overlap.
    StepStarted(String),
    /// The current step has processed some of its bytes.
    StepAdvanced {
        /// Bytes processed so far.
        done: u64,
        /// Bytes in total.
        total: u64,
    },
    /// The current step has ended. Its error, if any, is returned, not reported here.
    StepFinished,
}

/// A receiver of progress events. Called from any thread.
pub trait Progress: Send + Sync {
    /// Handles one event.
    fn report(&self, event: ProgressEvent);
}

/// Ignores all events.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Progress for Silent {
    fn report(&self, _: ProgressEvent) {}
}

/// Shows events on standard error: a progress bar on a terminal, plain lines elsewhere.
#[derive(Debug, Default)]
pub struct ToStderr {
    bar: Mutex<Option<ProgressBar>>,
}

impl Progress for ToStderr {
    fn report(&self, event: ProgressEvent) {
        let mut bar = self.bar.lock();
        match (event, &*bar) {
            (ProgressEvent::Message(line), Some(bar)) => bar.println(line),
            (ProgressEvent::Message(line), None) => eprintln!("{line}"),
            (ProgressEvent::StepStarted(step), _) if std::io::stderr().is_terminal() => {
                let spinner = ProgressBar::new_spinner().with_message(step);
                spinner.enable_steady_tick(Duration::from_millis(100));
                *bar = Some(spinner);
            }
            (ProgressEvent::StepStarted(step), _) => eprintln!("{step}"),
            (ProgressEvent::StepAdvanced { done, total }, Some(bar)) => advance(bar, done, total),
            (ProgressEvent::StepAdvanced { .. }, None) => {}
            (ProgressEvent::StepFinished, _) => {
                if let Some(bar) = bar.take() {
                    bar.finish_and_clear();
                }
            }
        }
    }
}

/// Turns the spinner into a bar once the total is known, and moves it.
fn advance(bar: &ProgressBar, done: u64, total: u64) {
    if bar.length().is_none() {
        bar.set_style(
            ProgressStyle::with_template("{msg} {wide_bar} {bytes}/{total_bytes}")
                .expect("the template is well formed"),
        );
        bar.set_length(total);
    }
    bar.set_position(done);
}
