//! `rehearse confirm`: how sure it is that a failure is mended.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anstyle::{AnsiColor, Style};

use super::{CommandError, Verdict};
use crate::case::{Case, Token};
use crate::confirm::{at_most, enough, luck, rate};
use crate::invariants::Violation;
use crate::neighbours::neighbour;
use crate::report::Progress;
use crate::simulate;
use crate::threads::{self, on_threads};

const GOOD: Style = AnsiColor::Green.on_default().bold();
const BAD: Style = AnsiColor::Red.on_default().bold();

/// How many neighbours are run where the rate of the old failure is measured.
const MEASURED: u64 = 400;

/// Luck that nobody believes in.
const NO_LUCK: f64 = 0.001;

/// What to confirm.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The token of the run that failed
    token: Token,
    /// How many runs like it
    #[arg(long, value_name = "N", default_value_t = 2_000, conflicts_with = "time")]
    runs: u64,
    /// For how long, as in 60s
    #[arg(long = "for", value_name = "TIME", value_parser = humantime::parse_duration, id = "time")]
    time: Option<Duration>,
    /// In how many of such runs the failure showed before it was mended, as in 0.02
    #[arg(long, value_name = "SHARE")]
    rate: Option<f64>,
    /// Runs the system as it is, without the planted bug that the token names
    #[arg(long)]
    as_is: bool,
}

/// Runs what is like a former failure, and says what it means that nothing failed.
///
/// # Errors
///
/// When the token cannot be read or the harness fails.
pub fn run(args: &Args) -> Result<Verdict, CommandError> {
    let case = args.token.case().map_err(|why| CommandError::Use(why.to_string()))?;
    if args.rate.is_some_and(|rate| !(0.0..=1.0).contains(&rate)) {
        return Err(CommandError::Use("--rate is a share, from 0 to 1".to_owned()));
    }
    let before = match args.rate {
        Some(rate) => Some((rate, "as you say".to_owned())),
        None if args.as_is && case.bug.is_some() => Some(measure(&case)?),
        None => None,
    };
    let bug = if args.as_is { None } else { case.bug.clone() };
    let case = Case { bug, ..case };
    let runs = if args.time.is_some() { u64::MAX } else { args.runs };
    let progress = Progress::begin("runs like the failure");
    let tried = try_neighbours(&case, runs, args.time, || progress.one());
    progress.end();
    let tried = tried?;
    say(&tried, before);
    Ok(if tried.failed.is_empty() { Verdict::Held } else { Verdict::Finding })
}

/// What came of the neighbourhood.
struct Tried {
    runs: u64,
    /// By number, what broke.
    failed: BTreeMap<u64, (Violation, Case)>,
}

/// In how many runs the failure shows while its bug is planted.
fn measure(case: &Case) -> Result<(f64, String), CommandError> {
    let progress = Progress::begin("runs with the planted bug");
    let tried = try_neighbours(case, MEASURED, None, || progress.one());
    progress.end();
    let tried = tried?;
    let failed = tried.failed.len() as u64;
    let how = format!("with the planted bug {failed} of {} runs failed", tried.runs);
    Ok((rate(failed, tried.runs), how))
}

fn try_neighbours(
    case: &Case,
    runs: u64,
    time: Option<Duration>,
    done: impl Fn() + Sync,
) -> Result<Tried, CommandError> {
    let began = Instant::now();
    let (next, ran) = (AtomicU64::new(0), AtomicU64::new(0));
    let failed = Mutex::new(BTreeMap::new());
    let work = || -> Result<(), CommandError> {
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= runs || time.is_some_and(|time| began.elapsed() >= time) {
                return Ok(());
            }
            // The first is the failure itself.
            let like = match number.checked_sub(1) {
                None => case.clone(),
                Some(number) => neighbour(case, number),
            };
            let run =
                simulate::judge(&like).map_err(|why| CommandError::Harness(why.to_string()))?;
            ran.fetch_add(1, Ordering::Relaxed);
            if let Some(broken) = run.broken() {
                let mut failed = failed.lock().expect("no panic holds this lock");
                failed.insert(number, (broken.clone(), run.exact.clone()));
            }
            done();
        }
    };
    on_threads(threads::available(), work)?;
    let failed = failed.into_inner().expect("no panic holds this lock");
    Ok(Tried { runs: ran.into_inner(), failed })
}

fn say(tried: &Tried, before: Option<(f64, String)>) {
    let (runs, failed) = (tried.runs, tried.failed.len());
    if let Some((broken, case)) = tried.failed.values().next() {
        anstream::println!("{BAD}{failed} of {runs} runs like it failed{BAD:#}: it is not mended");
        anstream::println!("  {broken}");
        anstream::println!("  again: rehearse replay {}", Token::of(case));
        return;
    }
    anstream::println!("{GOOD}{runs} runs like it, none failed{GOOD:#}");
    let most = at_most(runs) * 100.0;
    anstream::println!(
        "  if it is still there, it shows in less than {most:.2} % of such runs (95 %)"
    );
    match before {
        Some((rate, how)) if rate > 0.0 => {
            let share = rate * 100.0;
            anstream::println!("  before, it showed in {share:.1} % of them or more: {how}");
            anstream::println!("  that it stayed away by luck: {}", likely(luck(rate, runs)));
            match enough(rate, NO_LUCK) {
                Some(enough) if enough > runs => {
                    anstream::println!("  {enough} runs would leave no luck to speak of");
                }
                _ => {}
            }
        }
        Some((_, how)) => {
            anstream::println!("  how often it showed before is not known: {how}");
        }
        None => anstream::println!("  with --rate it can be said how likely that is by luck"),
    }
}

/// A probability as people say it.
fn likely(chance: f64) -> String {
    if chance >= 0.001 {
        format!("{:.1} %", chance * 100.0)
    } else {
        let power = chance.max(f64::MIN_POSITIVE).log10().floor();
        format!("less than 1 in 10^{:.0}", -power - 1.0)
    }
}
