//! `rehearse replay`: one run again, exactly, told as a story.

use std::path::{Path, PathBuf};

use super::{CommandError, Verdict};
use crate::case::{Case, Token};
use crate::regression::{Drift, Recorded, Regression, RegressionError, drift};
use crate::simulate::{self, Run};
use crate::story;

/// What to replay.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The token of a run, or the file of a regression
    #[arg(value_name = "TOKEN|FILE")]
    run: String,
    /// Where the story, the scenario and the trace go
    #[arg(long, value_name = "FOLDER", default_value = "target/rehearsal/replay")]
    out: PathBuf,
    /// Replays a regression under the planted bug that it names
    #[arg(long)]
    planted: bool,
    /// Records a regression as its run is now; of a token, into the folder, as regression.json
    #[arg(long)]
    record: bool,
}

/// What was named on the command line.
enum Named {
    Token(Case),
    File(PathBuf, Box<Regression>),
}

/// Runs it again, prints the story, and writes it down.
///
/// # Errors
///
/// When there is no such run, or the files cannot be written.
pub fn replay(args: &Args) -> Result<Verdict, CommandError> {
    let named = named(&args.run)?;
    if args.record {
        return record(args, named);
    }
    let (run, drifts, invariant) = match &named {
        Named::Token(case) => {
            let run = simulate::run_watched(case).map_err(failed)?;
            let drifts = drift(case, &run);
            (run, drifts, None)
        }
        Named::File(_, kept) if args.planted => {
            let run = simulate::run_watched(&kept.with_bug()).map_err(failed)?;
            (run, Vec::new(), Some(kept.invariant.as_str()))
        }
        Named::File(_, kept) => {
            let (run, drifts) = kept.replay().map_err(failed)?;
            (run, drifts, Some(kept.invariant.as_str()))
        }
    };
    if let Named::File(path, kept) = &named {
        anstream::println!("{}\n  {}\n  {}\n", kept.name, kept.why, path.display());
        let now = Recorded::of(&run).decisions;
        if now != kept.recorded.decisions && !args.planted {
            let before = kept.recorded.decisions;
            anstream::println!(
                "  The run has {now} decisions; it had {before} when it was kept.\n"
            );
        }
    }
    say_drift(&drifts, &named);
    tell(&run, invariant, &args.out)
}

fn named(text: &str) -> Result<Named, CommandError> {
    let path = Path::new(text);
    if path.is_file() {
        let kept = Regression::read(path).map_err(|why| CommandError::Use(why.to_string()))?;
        return Ok(Named::File(path.to_owned(), Box::new(kept)));
    }
    let token: Result<Token, _> = text.parse();
    let case = token.and_then(|token| token.case());
    let case = case.map_err(|why| CommandError::Use(format!("{why}, and no such file")))?;
    Ok(Named::Token(case))
}

fn say_drift(drifts: &[Drift], named: &Named) {
    if drifts.is_empty() {
        return;
    }
    anstream::println!("  This run is not what it was when it was written down:");
    drifts.iter().for_each(|drift| anstream::println!("  - {drift}"));
    if let Named::File(path, _) = named {
        anstream::println!(
            "  To keep it as it is now: rehearse replay {} --record",
            path.display()
        );
    }
    anstream::println!();
}

fn tell(run: &Run, invariant: Option<&str>, out: &Path) -> Result<Verdict, CommandError> {
    let told = story::of(run, invariant, &[]);
    let files = told.write(run, out, "replay")?;
    if let Some(promise) = &told.promise {
        anstream::println!("{promise}: broken\n");
    }
    told.print(Some(&files));
    Ok(if run.is_finding() { Verdict::Finding } else { Verdict::Held })
}

/// Keeps a run as a regression.
fn record(args: &Args, named: Named) -> Result<Verdict, CommandError> {
    let (path, kept) = match named {
        Named::File(path, kept) => (path, kept.again().map_err(unfit)?),
        Named::Token(case) => {
            let run = simulate::run_watched(&case).map_err(failed)?;
            let Some(broken) = run.broken() else {
                return Err(CommandError::Use("it breaks no promise: nothing to keep".to_owned()));
            };
            let name = story::promise(broken.invariant);
            let why = story::of(&run, None, &[]).steps.pop().unwrap_or_default();
            let kept = Regression::record(&name, &why, broken.invariant, &run.exact);
            std::fs::create_dir_all(&args.out)?;
            (args.out.join("regression.json"), kept.map_err(unfit)?)
        }
    };
    kept.write(&path).map_err(unfit)?;
    anstream::println!("recorded in {}", path.display());
    Ok(Verdict::Held)
}

fn failed(why: impl std::fmt::Display) -> CommandError {
    CommandError::Harness(why.to_string())
}

fn unfit(why: RegressionError) -> CommandError {
    match why {
        RegressionError::World(why) => CommandError::Harness(why.to_string()),
        other => CommandError::Use(other.to_string()),
    }
}
