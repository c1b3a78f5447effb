//! `rehearse sweep`: crashes a scenario's services at every call that they make, one run each.

use std::fs;
use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use harness::report::trace as json;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Value, json};

use super::{CommandError, Verdict};
use crate::gherkin::{Choice, features};
use crate::sweep::{self, Outcome, Plan, Point, Subject, Sweep};

const EXAMPLES: &str = "\
Examples:
  rehearse sweep 'second'        every scenario whose name, or whose feature, contains this
  rehearse sweep market:17       what the workload `market` draws for seed 17
  rehearse sweep --all           every scenario
  rehearse sweep 'InstanceId pays has the ticket' --point 17b
                                 one crash again: right before call 17 (17a: right after)

Calls are counted from the first step of the scenario, over all services. A crashed service
starts again by itself. A point survives when every promise holds in the end; that somebody
got no answer is no finding.

Exit codes: 0 all survived, 1 a finding, 2 wrong use, 3 the harness itself failed.";

/// What to sweep.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Text in the names of scenarios, or a workload and a seed
    #[arg(required_unless_present = "all", conflicts_with = "all")]
    scenario: Option<String>,
    /// All scenarios
    #[arg(long)]
    all: bool,
    /// Only this crash: the number of a call, and b for before or a for after
    #[arg(long, value_name = "POINT", conflicts_with = "all")]
    point: Option<Point>,
    /// Decides at random under this seed which call goes first, and not politely
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// On how many threads; on all cores unless said
    #[arg(long, value_name = "N")]
    jobs: Option<usize>,
    /// Where `sweep.json` and traces go
    #[arg(long, value_name = "FOLDER", default_value = "target/rehearsal")]
    out: PathBuf,
    /// Reads the features from here instead of those built in
    #[arg(long, value_name = "FOLDER")]
    features: Option<PathBuf>,
}

/// How many findings of one subject are told.
const TOLD: usize = 5;

/// Sweeps, and prints what came of each point that did not survive.
///
/// # Errors
///
/// When nothing matches, or the harness fails.
pub fn sweep(args: &Args) -> Result<Verdict, CommandError> {
    let subjects = subjects(args)?;
    let usual = Plan::default();
    let plan = Plan {
        seed: args.seed.unwrap_or(usual.seed),
        random: args.seed.is_some(),
        jobs: args.jobs.unwrap_or(usual.jobs),
        ..usual
    };
    fs::create_dir_all(&args.out)?;
    // A step that fails says so by a panic, and many will: what matters is told below.
    std::panic::set_hook(Box::new(|_| {}));
    if let Some(point) = args.point {
        return again(args, &subjects, &plan, point);
    }
    let mut held = true;
    let (mut lines, mut points, mut survived) = (Vec::new(), 0, 0);
    for subject in &subjects {
        let bar = bar(&subject.name);
        let swept = sweep::sweep(subject, &plan, |_| bar.inc(1));
        bar.finish_and_clear();
        let swept = swept.map_err(|why| failed(subject, &why.to_string()))?;
        tell(subject, &swept, args);
        held &= swept.failed().next().is_none();
        points += swept.outcomes.len();
        survived += swept.survived();
        lines.push(line(subject, &swept, args));
    }
    let written = args.out.join("sweep.json");
    let summary = json!({ "points": points, "survived": survived, "sweeps": lines });
    fs::write(&written, format!("{summary:#}\n"))?;
    println!("\n{survived} of {points} points survived. {}", written.display());
    Ok(if held { Verdict::Held } else { Verdict::Finding })
}

fn subjects(args: &Args) -> Result<Vec<Subject>, CommandError> {
    if let Some(workload) = args.scenario.as_deref().and_then(Subject::workload) {
        return Ok(vec![workload]);
    }
    let names = args.scenario.iter().cloned().collect();
    let choice = Choice { folder: args.features.clone(), names, ..Choice::default() };
    let program = features::program(&choice, "simulated")?;
    if let Some(why) = program.unreadable.first() {
        return Err(CommandError::Use(format!("a feature cannot be read: {why}")));
    }
    let subjects = program.features.iter().flat_map(|feature| {
        feature.scenarios.iter().map(|scenario| Subject::scenario(feature, scenario))
    });
    let mut subjects: Vec<_> = subjects.collect();
    // A whole name is meant, though others may contain it.
    let is_meant = |subject: &Subject| Some(&subject.name) == args.scenario.as_ref();
    if subjects.iter().any(is_meant) {
        subjects.retain(is_meant);
    }
    match (subjects.len(), args.point) {
        (0, _) => {
            let wanted = args.scenario.as_deref().unwrap_or_default();
            let why =
                format!("no scenario of the simulated world is called {wanted:?}, and no workload");
            Err(CommandError::Use(why))
        }
        (2.., Some(_)) => {
            let names = subjects.iter().map(|s| format!("\n  {} ({})", s.name, s.place));
            let names: String = names.collect();
            Err(CommandError::Use(format!("--point is for one scenario, and these match:{names}")))
        }
        _ => Ok(subjects),
    }
}

fn failed(subject: &Subject, why: &str) -> CommandError {
    CommandError::Harness(format!("{}: {why}", subject.name))
}

/// Counts points on a terminal.
fn bar(name: &str) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new_spinner().with_message(name.to_owned());
    let style = ProgressStyle::with_template("{spinner} {pos} points of {msg} in {elapsed}");
    bar.set_style(style.expect("the template is well formed"));
    bar.enable_steady_tick(Duration::from_millis(100));
    bar
}

/// One crash again, with its record.
fn again(
    args: &Args,
    subjects: &[Subject],
    plan: &Plan,
    point: Point,
) -> Result<Verdict, CommandError> {
    let subject = subjects.first().expect("what matches nothing was refused");
    let (outcome, played) = sweep::crash(subject, plan, point)
        .map_err(|why| failed(subject, &format!("{point}: {why}")))?;
    println!("{} ({})\n  {}", subject.name, subject.place, outcome.story());
    if let Some(why) = &played.broke_its_words {
        println!("  went otherwise: {}", why.trim());
    }
    let trace = args.out.join(format!("sweep-{point}.trace.jsonl"));
    fs::write(&trace, json::text(&played.trace))?;
    for violation in &outcome.violations {
        println!("  broken: {violation}");
    }
    let held = outcome.violations.is_empty();
    println!("{}. {}", if held { "All promises held" } else { "Did not survive" }, trace.display());
    Ok(if held { Verdict::Held } else { Verdict::Finding })
}

fn tell(subject: &Subject, swept: &Sweep, args: &Args) {
    println!(
        "{} of {} points survived, {} kept the scenario's own words  {} ({}, {:.1} s)",
        swept.survived(),
        swept.outcomes.len(),
        swept.kept_their_words(),
        subject.name,
        subject.place,
        swept.took.as_secs_f64()
    );
    for outcome in swept.failed().take(TOLD) {
        println!("  {}  {}", outcome.point, outcome.story());
        for violation in &outcome.violations {
            println!("       broken: {violation}");
        }
        println!("       again: {}", command(subject, outcome, args));
    }
    let failed = swept.failed().count();
    if failed > TOLD {
        println!("  and {} more points", failed - TOLD);
    }
}

/// How to have a crash again.
fn command(subject: &Subject, outcome: &Outcome, args: &Args) -> String {
    let mut command = format!("rehearse sweep '{}' --point {}", subject.name, outcome.point);
    if let Some(seed) = args.seed {
        command += &format!(" --seed {seed}");
    }
    if let Some(folder) = args.features.as_deref().map(Path::display) {
        command += &format!(" --features '{folder}'");
    }
    command
}

fn line(subject: &Subject, swept: &Sweep, args: &Args) -> Value {
    let failed = swept.failed().map(|outcome| {
        let broken = outcome
            .violations
            .iter()
            .map(|violation| json!({ "promise": violation.invariant, "how": violation.how }));
        json!({
            "point": outcome.point.to_string(),
            "call": outcome.call,
            "story": outcome.story(),
            "broken": broken.collect::<Vec<_>>(),
            "again": command(subject, outcome, args),
        })
    });
    json!({
        "name": subject.name,
        "place": subject.place,
        "calls": swept.calls,
        "points": swept.outcomes.len(),
        "survived": swept.survived(),
        "keptTheirWords": swept.kept_their_words(),
        "failed": failed.collect::<Vec<_>>(),
    })
}
