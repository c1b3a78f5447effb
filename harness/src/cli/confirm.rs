//! `confirm`: the probability that a fix only appears to work.

use std::time::Duration;

use super::{CommandError, Program, Verdict};
use crate::case::{Case, Token};
use crate::report::progress::Progress;
use crate::report::terminal::{BAD, GOOD};
use crate::search::confidence::{absence, enough, rate, upper_bound};
use crate::search::confirm::{Neighborhood, confirm};
use crate::subject::AnySubject;

/// The number of runs that measure the failure rate before the fix.
const MEASURED: u64 = 400;

/// The probability of chance below which a fix counts as confirmed.
const NO_CHANCE: f64 = 0.001;

/// The arguments of `confirm`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The replay token of the failed run
    token: Token,
    /// The number of runs in the neighborhood of the failure
    #[arg(long, value_name = "N", default_value_t = 2_000, conflicts_with = "time")]
    runs: u64,
    /// The duration, such as 60s, instead of a number of runs
    #[arg(long = "for", value_name = "TIME", value_parser = humantime::parse_duration, id = "time")]
    time: Option<Duration>,
    /// The failure rate of such runs before the fix, such as 0.02
    #[arg(long, value_name = "SHARE")]
    rate: Option<f64>,
    /// Runs the system without the planted bug that the token names
    #[arg(long)]
    as_is: bool,
}

/// Runs the neighborhood of a failure and prints the conclusion.
pub(super) fn run(
    subject: &AnySubject,
    args: &Args,
    program: &Program,
) -> Result<Verdict, CommandError> {
    let case = args.token.case()?.read(subject).map_err(CommandError::input)?;
    if args.rate.is_some_and(|rate| !(0.0..=1.0).contains(&rate)) {
        return Err(CommandError::Usage("--rate must be between 0 and 1".to_owned()));
    }
    let before = match args.rate {
        Some(rate) => Some((rate, "as given by --rate".to_owned())),
        None if args.as_is && case.bug.is_some() => Some(measure(subject, &case)?),
        None => None,
    };
    let bug = if args.as_is { None } else { case.bug.clone() };
    let case = Case { bug, ..case };
    let runs = if args.time.is_some() { u64::MAX } else { args.runs };
    let total = args.time.is_none().then_some(runs);
    let progress = Progress::begin("runs of the neighborhood", total);
    let tried = confirm(subject, &case, runs, args.time, || progress.one());
    progress.end();
    let tried = tried?;
    print(&tried, before, program);
    Ok(Verdict::of(tried.failed.is_empty()))
}

/// The failure rate with the bug planted, and a sentence about its measurement.
fn measure(subject: &AnySubject, case: &Case) -> Result<(f64, String), CommandError> {
    let progress = Progress::begin("runs with the planted bug", Some(MEASURED));
    let tried = confirm(subject, case, MEASURED, None, || progress.one());
    progress.end();
    let tried = tried?;
    let failed = tried.failed.len() as u64;
    let how = format!("with the planted bug {failed} of {} runs failed", tried.runs);
    Ok((rate(failed, tried.runs), how))
}

fn print(tried: &Neighborhood, before: Option<(f64, String)>, program: &Program) {
    let (runs, failed) = (tried.runs, tried.failed.len());
    if let Some((violation, case)) = tried.failed.values().next() {
        anstream::println!("{BAD}{failed} of {runs} runs failed{BAD:#}: it is not fixed");
        anstream::println!("  {violation}");
        anstream::println!("  again: {}", program.replay(&Token::of(case)));
        return;
    }
    anstream::println!("{GOOD}none of {runs} runs failed{GOOD:#}");
    let most = upper_bound(runs) * 100.0;
    anstream::println!("  the failure rate is below {most:.2} % (95 % confidence)");
    match before {
        Some((rate, how)) if rate > 0.0 => {
            let share = rate * 100.0;
            let chance = probability(absence(rate, runs));
            anstream::println!("  before, it was {share:.1} % or more: {how}");
            anstream::println!("  the probability that the fix only appears to work: {chance}");
            if let Some(enough) = enough(rate, NO_CHANCE).filter(|enough| *enough > runs) {
                anstream::println!("  {enough} runs would make it less than 0.1 %");
            }
        }
        Some((_, how)) => anstream::println!("  the rate before is unknown: {how}"),
        None => anstream::println!(
            "  pass the failure rate before the fix as --rate to get the probability of chance"
        ),
    }
}

/// A probability in words.
fn probability(chance: f64) -> String {
    if chance >= 0.001 {
        format!("{:.1} %", chance * 100.0)
    } else {
        let power = chance.max(f64::MIN_POSITIVE).log10().floor();
        format!("less than 1 in 10^{:.0}", -power - 1.0)
    }
}
