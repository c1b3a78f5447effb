//! Progress of long work, on standard error: a bar on a terminal, and a line every few seconds
//! elsewhere.

use std::io::IsTerminal as _;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};
use parking_lot::Mutex;

/// The interval between lines of progress where there is no terminal.
const LINE_INTERVAL: Duration = Duration::from_secs(5);

/// Counts what is done.
pub struct Progress {
    what: String,
    total: Option<u64>,
    bar: Option<ProgressBar>,
    /// The count, and the time of the last line.
    done: Mutex<(u64, Instant)>,
}

impl Progress {
    /// Begins to count these, up to a total where it is known.
    pub fn begin(what: impl Into<String>, total: Option<u64>) -> Self {
        let what = what.into();
        let bar = std::io::stderr().is_terminal().then(|| {
            let (bar, template) = match total {
                Some(total) => {
                    (ProgressBar::new(total), "{wide_bar:.green} {pos} of {len} {msg}, {eta} left")
                }
                None => (ProgressBar::new_spinner(), "{spinner} {pos} {msg} in {elapsed}"),
            };
            let style = ProgressStyle::with_template(template);
            bar.set_style(style.expect("the template is well formed"));
            bar.enable_steady_tick(Duration::from_millis(100));
            bar.with_message(what.clone())
        });
        Self { what, total, bar, done: Mutex::new((0, Instant::now())) }
    }

    /// Begins to show phases of work that has no count.
    pub fn of_phases() -> Self {
        let bar = std::io::stderr().is_terminal().then(|| {
            let style = ProgressStyle::with_template("{spinner} {msg}");
            let bar = ProgressBar::new_spinner();
            bar.set_style(style.expect("the template is well formed"));
            bar.enable_steady_tick(Duration::from_millis(100));
            bar
        });
        Self { what: String::new(), total: None, bar, done: Mutex::new((0, Instant::now())) }
    }

    /// Shows the state of a phase: at once on a terminal, and now and then elsewhere.
    pub fn phase(&self, text: &str) {
        let mut done = self.done.lock();
        match &self.bar {
            Some(bar) => bar.set_message(text.to_owned()),
            None if done.1.elapsed() >= LINE_INTERVAL => {
                eprintln!("{text}");
                done.1 = Instant::now();
            }
            None => {}
        }
    }

    /// One more is done.
    pub fn one(&self) {
        let mut done = self.done.lock();
        done.0 += 1;
        match &self.bar {
            Some(bar) => bar.inc(1),
            None if done.1.elapsed() >= LINE_INTERVAL => {
                match self.total {
                    Some(total) => eprintln!("{} of {total} {} so far", done.0, self.what),
                    None => eprintln!("{} {} so far", done.0, self.what),
                }
                done.1 = Instant::now();
            }
            None => {}
        }
    }

    /// Prints a line beside the bar.
    pub fn line(&self, line: &str) {
        match &self.bar {
            Some(bar) => bar.suspend(|| anstream::eprintln!("{line}")),
            None => anstream::eprintln!("{line}"),
        }
    }

    /// All are done.
    pub fn end(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
