//! `replay`: one run again, exactly, with its story.

use std::path::{Path, PathBuf};

use super::{CommandError, Program, Verdict};
use crate::case::{Case, Token};
use crate::console;
use crate::export::{otlp, perfetto};
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
    /// Writes the trace to this file as OTLP/JSON, for OpenTelemetry
    #[arg(long, value_name = "FILE", conflicts_with = "record")]
    otlp: Option<PathBuf>,
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
  {program} replay TOKEN --otlp run.json           for a collector of OpenTelemetry:
      curl localhost:4318/v1/traces -H 'content-type: application/json' -d @run.json"
    )
}

/// A function that writes records for another tool.
type Export = fn(&[Record]) -> serde_json::Value;

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
    let exports = [(&args.otlp, otlp::document as Export), (&args.perfetto, perfetto::document)];
    for (file, export) in exports {
        if let Some(file) = file {
            std::fs::write(file, format!("{}\n", export(&run.trace)))?;
        }
    }
    print_drift(&drifts, &named, program);
    print_story(subject, &run, invariant, &args.out, program)
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
