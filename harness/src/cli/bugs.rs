//! `bugs`: the scoreboard of planted bugs, as a table.

use std::fs;
use std::path::PathBuf;
use std::time::Instant;

use anstyle::Style;
use serde::Serialize;

use super::{CommandError, Program, Verdict, setting};
use crate::bugs::scoreboard::{self, Effort, Score};
use crate::case::Token;
use crate::report::junit;
use crate::report::progress::Progress;
use crate::report::terminal::{BAD, DIM, GOOD};
use crate::subject::AnySubject;

/// The arguments of `bugs`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The planted bugs; all by default
    #[arg(value_name = "NAME")]
    names: Vec<String>,
    /// Lists the planted bugs without running them
    #[arg(long)]
    list: bool,
    /// The number of hunts for each bug, each from its own seeds
    #[arg(long, value_name = "N", default_value_t = Effort::default().hunts)]
    hunts: u64,
    /// The maximum number of schedules of a hunt
    #[arg(long, value_name = "N", default_value_t = Effort::default().limit)]
    limit: u64,
    /// The first seed of the first hunt
    #[arg(long, default_value_t = Effort::default().seed)]
    seed: u64,
    #[command(flatten)]
    settings: setting::Fixed,
    /// The number of threads; one per core by default
    #[arg(long, value_name = "N")]
    jobs: Option<usize>,
    /// Writes the scores as JSON to this file
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Writes the scores as JUnit XML to this file
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
}

#[derive(Serialize)]
struct Figures<'a> {
    bugs: &'a [Score],
    as_it_is: &'a Score,
    seconds: f64,
}

/// Searches for planted bugs and prints how many schedules each one takes.
pub(super) fn run(
    subject: &AnySubject,
    args: &Args,
    program: &Program,
) -> Result<Verdict, CommandError> {
    let unknown = |name: String| {
        CommandError::Usage(format!(
            "there is no planted bug {name:?}; run `bugs --list` to list them"
        ))
    };
    let bugs = scoreboard::chosen(subject, &args.names).map_err(unknown)?;
    if args.list {
        bugs.iter().for_each(|bug| anstream::println!("{:<26}{}", bug.name, bug.story));
        return Ok(Verdict::Held);
    }
    let began = Instant::now();
    let jobs = args.jobs.unwrap_or(Effort::default().jobs);
    let (hunts, limit, seed) = (args.hunts, args.limit, args.seed);
    let settings = args.settings.choice(subject)?;
    let effort = Effort { hunts, limit, seed, jobs, settings, ..Effort::default() };

    anstream::println!(
        "Hunting planted bugs: {}, {} times each, from seed {}\n",
        bugs.len(),
        args.hunts,
        args.seed
    );
    anstream::println!(
        "{DIM}{:<25} {:>6} {:>9} {:>6} {:>6}  found in{DIM:#}",
        "bug",
        "found",
        "schedules",
        "steps",
        "time"
    );
    let progress = Progress::begin("planted bugs", Some(bugs.len() as u64));
    let scores = scoreboard::score(subject, &bugs, &effort, |score| {
        row(subject, score);
        progress.one();
    });
    progress.end();
    let scores = scores?;

    let schedules: u64 = scores.iter().map(|score| score.schedules).sum();
    let progress = Progress::begin("schedules of the system as it is", Some(schedules));
    let sound = scoreboard::withstand(subject, schedules, &effort, || progress.one());
    progress.end();
    let sound = sound?;
    if let Some(path) = &args.json {
        let seconds = began.elapsed().as_secs_f64();
        let figures = Figures { bugs: &scores, as_it_is: &sound, seconds };
        let text = serde_json::to_string_pretty(&figures).expect("figures are plain data");
        fs::write(path, text + "\n")?;
    }
    if let Some(path) = &args.junit {
        fs::write(path, junit::bugs(&scores, &sound)?)?;
    }
    let found = scores.iter().filter(|score| score.found > 0).count();
    end(found, &scores, &sound, began.elapsed().as_secs_f64(), program);
    let held = found == scores.len() && sound.found == 0;
    Ok(Verdict::of(held))
}

/// A line of the table.
fn row(subject: &AnySubject, score: &Score) {
    let name = score.bug.unwrap_or_default();
    let style = match score.found {
        0 => BAD,
        found if found < score.hunts => Style::new(),
        _ => GOOD,
    };
    let steps = score.story.as_ref().map_or("-".to_owned(), |story| story.steps().to_string());
    let place = score.quickest.as_ref().map_or_else(
        || subject.planted_bug(name).map_or(String::new(), |bug| bug.story.to_owned()),
        |find| format!("{}, {}", find.workload, find.invariant),
    );
    let median =
        if score.found == 0 { format!(">{}", score.median) } else { score.median.to_string() };
    anstream::println!(
        "{style}{name:<25} {:>6}{style:#} {median:>9} {steps:>6} {:>5.1}s  {place}",
        format!("{}/{}", score.found, score.hunts),
        score.seconds,
    );
}

/// The system as it is, and the sum.
fn end(found: usize, scores: &[Score], sound: &Score, seconds: f64, program: &Program) {
    if let Some(find) = &sound.quickest {
        let again = program.replay(&Token::of(&find.case));
        anstream::println!(
            "\n{BAD}The system as it is violates {}{BAD:#}: {}",
            find.invariant,
            find.how
        );
        anstream::println!("  in {}; again: {again}", find.workload);
    }
    let style = if found == scores.len() { GOOD } else { BAD };
    let withstood = match sound.found {
        0 => format!("{GOOD}withstood{GOOD:#}"),
        failed => format!("{BAD}failed in {failed} of{BAD:#}"),
    };
    anstream::println!(
        "\n{style}{found} of {} found{style:#}; the system as it is {withstood} the same {} \
         schedules; {seconds:.0} s.",
        scores.len(),
        sound.schedules,
    );
}
