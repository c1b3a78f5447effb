//! `replay`: one run again, exactly, with its story.

use std::path::{Path, PathBuf};

use super::{CommandError, Program, Verdict};
use crate::case::{Case, Token};
use crate::console;
use crate::export::collector::{self, Accepted, Endpoint, NoEndpoint};
use crate::export::{otlp, perfetto, spans};
use crate::regressions::{Drift, Recorded, Regression, drift};
use crate::report::story;
use crate::run::{self, Run};
use crate::search::nearest::nearest;
use crate::story::Story;
use crate::subject::AnySubject;
use crate::trace::Record;

/// The arguments of `replay`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// A replay token or the file of a regression
    #[arg(value_name = "TOKEN|FILE")]
    run: String,
    /// The folder of the story, the scenario and the trace
    #[arg(long, value_name = "FOLDER", default_value = "target/rehearsal/replay")]
    out: PathBuf,
    /// Replays a regression with the planted bug that it names
    #[arg(long)]
    planted: bool,
    /// Records the current run of a regression in its file; records the run of a token as
    /// regression.json in the folder
    #[arg(long)]
    record: bool,
    /// Writes the trace to this file as OTLP/JSON, or sends it to the collector of OpenTelemetry at
    /// this URL, such as <http://localhost:4318>
    #[arg(long, value_name = "FILE|URL", conflicts_with = "record", value_parser = target)]
    otlp: Option<Target>,
    /// Writes the trace to this file as Chrome trace events, for <https://ui.perfetto.dev>
    #[arg(long, value_name = "FILE", conflicts_with = "record")]
    perfetto: Option<PathBuf>,
}

/// The examples in the help.
pub(super) fn examples(program: &Program) -> String {
    format!(
        "Examples:
  {program} replay TOKEN                           the run again, with its story
  {program} replay TOKEN --perfetto run.json       for https://ui.perfetto.dev
  {program} replay TOKEN --otlp http://localhost:4318   to a collector of OpenTelemetry
  {program} replay TOKEN --otlp run.json           the same as a file"
    )
}

/// Where a trace for OpenTelemetry goes.
#[derive(Debug, Clone)]
enum Target {
    File(PathBuf),
    Collector(Endpoint),
}

/// A URL is that of a collector; everything else is a file.
fn target(text: &str) -> Result<Target, NoEndpoint> {
    if text.contains("://") {
        return text.parse().map(Target::Collector);
    }
    Ok(Target::File(PathBuf::from(text)))
}

/// The run that was named on the command line.
enum Named {
    Token(Case),
    File(PathBuf, Box<Regression>),
}

/// Replays a run, prints its story and writes its files.
pub(super) fn run(
    subject: &AnySubject,
    args: &Args,
    program: &Program,
) -> Result<Verdict, CommandError> {
    let named = named(subject, &args.run)?;
    if args.record {
        return record(subject, args, named);
    }
    let (run, drifts, invariant) = match &named {
        Named::Token(case) => {
            let run = run::run_watched(subject, case)?;
            let drifts = drift(subject, case, &run);
            (run, drifts, None)
        }
        Named::File(_, kept) if args.planted => {
            let run = run::run_watched(subject, &kept.with_bug())?;
            (run, Vec::new(), Some(kept.invariant.as_str()))
        }
        Named::File(_, kept) => {
            let (run, drifts) = kept.replay(subject)?;
            (run, drifts, Some(kept.invariant.as_str()))
        }
    };
    if let Named::File(path, kept) = &named {
        anstream::println!("{}\n  {}\n  {}\n", kept.name, kept.why, path.display());
        let now = Recorded::of(subject, &run).decisions;
        let before = kept.recorded.decisions;
        if now != before && !args.planted {
            anstream::println!("  The run has {now} decisions; it was recorded with {before}.\n");
        }
    }
    print_drift(&drifts, &named, program);
    let verdict = print_story(subject, &run, invariant, &args.out, program)?;
    export(args, &run.trace)?;
    Ok(verdict)
}

/// Writes the trace for other tools, or sends it to a collector.
fn export(args: &Args, records: &[Record]) -> Result<(), CommandError> {
    if let Some(file) = &args.perfetto {
        std::fs::write(file, format!("{}\n", perfetto::document(records)))?;
    }
    match &args.otlp {
        None => {}
        Some(Target::File(file)) => {
            std::fs::write(file, format!("{}\n", otlp::document(records)))?;
        }
        Some(Target::Collector(endpoint)) => {
            let document = otlp::document(records);
            let sent = collector::send(endpoint, &document);
            let accepted = super::runtime()?.block_on(sent).map_err(CommandError::harness)?;
            anstream::println!("{}", receipt(endpoint, &accepted, records));
        }
    }
    Ok(())
}

/// The answer of a collector in words, with the time under which its viewer shows the trace.
fn receipt(endpoint: &Endpoint, accepted: &Accepted, records: &[Record]) -> String {
    let spans = spans::of(records).len();
    let Accepted { rejected, message } = accepted;
    let mut text = format!("  sent      {spans} spans to {endpoint}");
    if let Some((first, last)) = records.first().zip(records.last()) {
        text += &format!(", in the time of the run: {} to {}", first.at, last.at);
    }
    if *rejected > 0 {
        text += &format!("\n  rejected  {rejected} of them by the collector: {message}");
    } else if !message.is_empty() {
        text += &format!("\n  warning   of the collector: {message}");
    }
    text
}

fn named(subject: &AnySubject, text: &str) -> Result<Named, CommandError> {
    let path = Path::new(text);
    if path.is_file() {
        let kept = Regression::read(subject, path)?;
        return Ok(Named::File(path.to_owned(), Box::new(kept)));
    }
    let token: Token = text.parse().map_err(|why| {
        CommandError::Usage(format!("{text:?} is neither a file nor a replay token: {why}"))
    })?;
    let case = token.case()?.read(subject).map_err(CommandError::input)?;
    Ok(Named::Token(case))
}

fn print_drift(drifts: &[Drift], named: &Named, program: &Program) {
    if drifts.is_empty() {
        return;
    }
    anstream::println!("  The run has drifted from its record:");
    drifts.iter().for_each(|drift| anstream::println!("  - {drift}"));
    if let Named::File(path, _) = named {
        let command = program.with(["replay", &path.display().to_string(), "--record"]);
        anstream::println!("  To record it as it is now: {command}");
    }
    anstream::println!();
}

fn print_story(
    subject: &AnySubject,
    run: &Run,
    invariant: Option<&str>,
    out: &Path,
    program: &Program,
) -> Result<Verdict, CommandError> {
    let mut story = Story::of(subject, run, invariant, &[]);
    if let Some(invariant) = &story.invariant {
        let nearest = nearest(subject, run, invariant, || ())?;
        story = story.explained(subject, run, &nearest);
    }
    let again = program.replay(&story.token);
    let page = console::page(subject, run, &program.with(["replay"]));
    let files = story::write(&story, run, out, "replay", &page, &again)?;
    if let Some(statement) = &story.statement {
        anstream::println!("{statement}: violated\n");
    }
    story::text(&story, Some(&files), &again)
        .lines()
        .for_each(|line| anstream::println!("  {line}"));
    Ok(Verdict::of(!run.is_finding()))
}

/// Keeps a run as a regression.
fn record(subject: &AnySubject, args: &Args, named: Named) -> Result<Verdict, CommandError> {
    let (path, kept) = match named {
        Named::File(path, kept) => (path, kept.again(subject)?),
        Named::Token(case) => {
            let run = run::run_watched(subject, &case)?;
            let Some(violation) = run.violation() else {
                return Err(CommandError::Usage(
                    "the run violates no invariant, so there is nothing to record".to_owned(),
                ));
            };
            let name = subject.statement(&violation.invariant);
            let why = Story::of(subject, &run, None, &[]).steps.pop().unwrap_or_default();
            let kept = Regression::record(subject, &name, &why, &violation.invariant, &run.exact)?;
            std::fs::create_dir_all(&args.out)?;
            (args.out.join("regression.json"), kept)
        }
    };
    kept.write(&path)?;
    anstream::println!("recorded in {}", path.display());
    Ok(Verdict::Held)
}
