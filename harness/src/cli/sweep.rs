//! `sweep`: crashes a service at every call of a scenario, one run for each crash.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::{CommandError, EXIT_CODES, Program, Verdict};
use crate::gherkin::{Choice, Playable, features};
use crate::report::progress::Progress;
use crate::report::trace;
use crate::search::sweep::{self, Outcome, Plan, Point, Sweep, Target};
use crate::subject::AnySubject;

/// The examples of the help.
pub(super) fn examples(program: &Program, workload: &str) -> String {
    format!(
        "Examples:
  {program} sweep 'second'        every scenario whose name, or whose feature, contains this
  {program} sweep {workload}:17          the script that the workload draws for seed 17
  {program} sweep --all           every scenario
  {program} sweep {workload}:17 --point 17b
                                 one crash again: right before call 17 (17a: right after)

Calls are counted from the first step of the scenario, over all services. A crashed service
starts again by itself. A point survives when every invariant holds in the end; a client
without a reply is no finding.

{EXIT_CODES}"
    )
}

/// The arguments of `sweep`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Text in the names of scenarios, or a workload and a seed, such as race:3
    #[arg(required_unless_present = "all", conflicts_with = "all")]
    scenario: Option<String>,
    /// All scenarios
    #[arg(long)]
    all: bool,
    /// Only this crash: the number of the call, with b for before or a for after it
    #[arg(long, value_name = "POINT", conflicts_with = "all")]
    point: Option<Point>,
    /// Schedules at random with this seed instead of in FIFO order
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// The number of threads; one per core by default
    #[arg(long, value_name = "N")]
    jobs: Option<usize>,
    /// The folder of `sweep.json` and traces
    #[arg(long, value_name = "FOLDER", default_value = "target/rehearsal")]
    out: PathBuf,
    /// Reads the features from this folder instead of the embedded ones
    #[arg(long, value_name = "FOLDER")]
    features: Option<PathBuf>,
}

/// The maximum number of findings printed for one target.
const PRINTED: usize = 5;

/// Sweeps and prints each point that did not survive.
pub(super) fn run(
    subject: &AnySubject,
    args: &Args,
    program: &Program,
) -> Result<Verdict, CommandError> {
    let targets = targets(subject, args)?;
    let default = Plan::default();
    let plan = Plan {
        seed: args.seed.unwrap_or(default.seed),
        random: args.seed.is_some(),
        jobs: args.jobs.unwrap_or(default.jobs),
        ..default
    };
    fs::create_dir_all(&args.out)?;
    // Many steps fail by a panic in a sweep, and the default hook would print each one.
    std::panic::set_hook(Box::new(|_| {}));
    if let Some(point) = args.point {
        let target = targets.first().expect("a choice without a match was refused");
        return one(subject, args, target, &plan, point);
    }
    let mut held = true;
    let (mut lines, mut points, mut survived) = (Vec::new(), 0, 0);
    for target in &targets {
        let progress = Progress::begin(format!("points of {}", target.name), None);
        let swept = sweep::sweep(subject, target, &plan, |_| progress.one());
        progress.end();
        let swept = swept.map_err(|why| failed(target, &why))?;
        print(target, &swept, args, program);
        held &= swept.failed().next().is_none();
        points += swept.outcomes.len();
        survived += swept.survived();
        lines.push(line(target, &swept, args, program));
    }
    let written = args.out.join("sweep.json");
    let summary = json!({ "points": points, "survived": survived, "sweeps": lines });
    fs::write(&written, format!("{summary:#}\n"))?;
    anstream::println!("\n{survived} of {points} points survived. {}", written.display());
    Ok(Verdict::of(held))
}

fn targets(subject: &AnySubject, args: &Args) -> Result<Vec<Target>, CommandError> {
    if let Some(workload) =
        args.scenario.as_deref().and_then(|name| Target::workload(subject, name))
    {
        return Ok(vec![workload]);
    }
    let names = args.scenario.iter().cloned().collect();
    let choice = Choice { folder: args.features.clone(), names, ..Choice::default() };
    let program = features::program(subject, &choice, "simulated")?;
    if let Some(why) = program.unreadable.first() {
        return Err(CommandError::Usage(format!("a feature cannot be read: {why}")));
    }
    let targets = program.features.iter().flat_map(|feature| {
        let scenarios = feature.scenarios.iter();
        scenarios.map(|scenario| Target::scenario(Playable::new(feature, scenario)))
    });
    let mut targets: Vec<_> = targets.collect();
    // A full name selects that scenario only, even if other names contain it.
    let is_meant = |target: &Target| Some(&target.name) == args.scenario.as_ref();
    if targets.iter().any(is_meant) {
        targets.retain(is_meant);
    }
    match (targets.len(), args.point) {
        (0, _) => {
            let wanted = args.scenario.as_deref().unwrap_or_default();
            Err(CommandError::Usage(format!(
                "no scenario contains {wanted:?} in its name, and no workload has this name"
            )))
        }
        (2.., Some(_)) => {
            let names = targets.iter().map(|t| format!("\n  {} ({})", t.name, t.place));
            let names: String = names.collect();
            Err(CommandError::Usage(format!(
                "--point needs one scenario, but these match; give a full name:{names}"
            )))
        }
        _ => Ok(targets),
    }
}

fn failed(target: &Target, why: &dyn std::error::Error) -> CommandError {
    CommandError::harness(format!("{}: {}", target.name, super::chain(why)))
}

/// Repeats one crash and writes its trace.
fn one(
    subject: &AnySubject,
    args: &Args,
    target: &Target,
    plan: &Plan,
    point: Point,
) -> Result<Verdict, CommandError> {
    let (outcome, played) =
        sweep::crash(subject, target, plan, point).map_err(|why| failed(target, &why))?;
    anstream::println!(
        "{} ({})\n  {}",
        target.name,
        target.place,
        subject.sentences().of(&outcome.call)
    );
    if let Some(why) = &played.failed_step {
        anstream::println!("  a step failed: {}", why.trim());
    }
    let path = args.out.join(format!("sweep-{point}.trace.jsonl"));
    fs::write(&path, trace::text(&played.trace))?;
    for violation in &outcome.violations {
        anstream::println!("  violated: {violation}");
    }
    let held = outcome.violations.is_empty();
    let verdict = if held { "Survived" } else { "Did not survive" };
    anstream::println!("{verdict}. {}", path.display());
    Ok(Verdict::of(held))
}

fn print(target: &Target, swept: &Sweep, args: &Args, program: &Program) {
    anstream::println!(
        "{} of {} points survived, all steps passed at {}  {} ({}, {:.1} s)",
        swept.survived(),
        swept.outcomes.len(),
        swept.steps_passed(),
        target.name,
        target.place,
        swept.took.as_secs_f64()
    );
    for outcome in swept.failed().take(PRINTED) {
        for violation in &outcome.violations {
            anstream::println!("  {}  violated: {violation}", outcome.point);
        }
        anstream::println!("       again: {}", command(target, outcome, args, program));
    }
    let failed = swept.failed().count();
    if failed > PRINTED {
        anstream::println!("  and {} more points", failed - PRINTED);
    }
}

/// The command that repeats a crash.
fn command(target: &Target, outcome: &Outcome, args: &Args, program: &Program) -> String {
    let point = outcome.point.to_string();
    let seed = args.seed.map(|seed| seed.to_string());
    let folder = args.features.as_deref().map(Path::display).map(|folder| folder.to_string());
    let mut arguments = vec!["sweep", target.name.as_str(), "--point", &point];
    if let Some(seed) = &seed {
        arguments.extend(["--seed", seed]);
    }
    if let Some(folder) = &folder {
        arguments.extend(["--features", folder]);
    }
    program.with(arguments)
}

fn line(target: &Target, swept: &Sweep, args: &Args, program: &Program) -> Value {
    let failed = swept.failed().map(|outcome| {
        json!({
            "point": outcome.point.to_string(),
            "call": outcome.call,
            "violations": outcome.violations,
            "again": command(target, outcome, args, program),
        })
    });
    json!({
        "name": target.name,
        "place": target.place,
        "calls": swept.calls,
        "points": swept.outcomes.len(),
        "survived": swept.survived(),
        "stepsPassed": swept.steps_passed(),
        "failed": failed.collect::<Vec<_>>(),
    })
}
