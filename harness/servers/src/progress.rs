//! What getting the servers reports while it works, and one way to show it.
//!
//! The rest of this room never prints; it tells a [`Progress`].

use std::io::IsTerminal as _;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

/// Something worth telling while servers are got.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// One line, complete in itself.
    Line(String),
    /// A step that may take seconds has begun. Steps do not overlap.
    Began(String),
    /// How far the step is, in bytes.
    Advanced {
        /// Bytes done.
        done: u64,
        /// Bytes in all.
        total: u64,
    },
    /// The step has ended, well or not (an error tells that itself).
    Ended,
}

/// Who is told. Called from any thread.
pub trait Progress: Send + Sync {
    /// Takes one event.
    fn tell(&self, event: Event);
}

/// Shows nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Progress for Silent {
    fn tell(&self, _: Event) {}
}

/// Shows progress on standard error: a moving bar on a terminal, plain lines elsewhere.
#[derive(Debug, Default)]
pub struct ToStderr {
    bar: Mutex<Option<ProgressBar>>,
}

impl Progress for ToStderr {
    fn tell(&self, event: Event) {
        let mut bar = self.bar.lock().unwrap_or_else(PoisonError::into_inner);
        match event {
            Event::Line(line) => match &*bar {
                Some(bar) => bar.println(line),
                None => eprintln!("{line}"),
            },
            Event::Began(step) if std::io::stderr().is_terminal() => {
                let spinner = ProgressBar::new_spinner().with_message(step);
                spinner.enable_steady_tick(Duration::from_millis(100));
                *bar = Some(spinner);
            }
            Event::Began(step) => eprintln!("{step}"),
            Event::Advanced { done, total } => {
                if let Some(bar) = &*bar {
                    if bar.length().is_none() {
                        bar.set_style(
                            ProgressStyle::with_template("{msg} {wide_bar} {bytes}/{total_bytes}")
                                .expect("the template is well formed"),
                        );
                        bar.set_length(total);
                    }
                    bar.set_position(done);
                }
            }
            Event::Ended => {
                if let Some(bar) = bar.take() {
                    bar.finish_and_clear();
                }
            }
        }
    }
}
