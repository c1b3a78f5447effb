//! `run`: all scenarios in one world, then every workload under random schedules in simulation, or
//! races on real servers; or the world of processes.

use std::fs;
use std::ops::Range;
use std::path::PathBuf;
use std::time::Instant;

use super::findings::{Findings, shrunk};
use super::{CommandError, Program, Verdict, WorldName, processes, runtime, setting};
use crate::faults::FaultKind;
use crate::gherkin::{self, Choice, Finished, Run, WorldKind};
use crate::letter_case::capitalized;
use crate::report::progress::Progress;
use crate::report::terminal::{BAD, Terminal};
use crate::report::{Summary, counted, coverage, flow, rules, time, trace};
use crate::search::explore::{Exploration, Plan, explore};
use crate::search::races::race;
use crate::subject::AnySubject;

/// The arguments of `run`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The world to run in
    #[arg(long, value_enum, default_value = "simulated")]
    world: WorldName,
    /// Only scenarios with matching tags, such as 'not @simulated-only', and no workloads
    #[arg(long, value_name = "EXPRESSION")]
    tags: Option<String>,
    /// Only scenarios whose feature or name contains this text, and no workloads; can be repeated
    #[arg(long, value_name = "TEXT")]
    name: Vec<String>,
    /// The seed, which determines all ids and schedules
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// The number of schedules of each workload in simulation (300 by default) or of races on
    /// real servers (10 by default); none with --tags or --name
    #[arg(long, value_name = "N", alias = "seeds")]
    schedules: Option<u64>,
    #[command(flatten)]
    settings: setting::Fixed,
    /// The folder of reports and traces
    #[arg(long, value_name = "FOLDER", default_value = "target/rehearsal")]
    out: PathBuf,
    /// Reads the features from this folder instead of the embedded ones
    #[arg(long, value_name = "FOLDER")]
    features: Option<PathBuf>,
    /// Prints the summary as JSON instead of text
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    processes: processes::Args,
}

/// The default number of schedules of each workload.
const SCHEDULES: u64 = 300;

/// The default number of races on real servers.
const RACES: u64 = 10;

/// Runs scenarios and workloads and reports the result.
pub(super) fn run(
    subject: &AnySubject,
    args: &Args,
    program: &Program,
) -> Result<Verdict, CommandError> {
    if args.world == WorldName::Processes {
        let chosen = [
            (args.tags.is_some(), "--tags"),
            (!args.name.is_empty(), "--name"),
            (args.features.is_some(), "--features"),
            (args.schedules.is_some(), "--schedules"),
            (args.settings.given(), "--setting"),
        ];
        return match chosen.iter().find(|(is_given, _)| *is_given) {
            Some((_, name)) => {
                Err(CommandError::Usage(format!("{name} does not go with --world processes")))
            }
            None => {
                let common = (args.seed, args.out.as_path(), args.json);
                processes::run(subject, &args.processes, common, program)
            }
        };
    }
    if let Some(name) = args.processes.given() {
        return Err(CommandError::Usage(format!("{name} needs --world processes")));
    }
    let began = Instant::now();
    let terminal = Terminal::new(args.json);
    let runtime = runtime()?;
    fs::create_dir_all(&args.out)?;
    let mut summary = Summary { held: true, ..Summary::default() };
    let kind = match args.world {
        WorldName::Simulated => {
            summary.title = format!("{} in simulation", capitalized(subject.name()));
            terminal.line(format!(
                "Rehearsing {} in simulation, seed {}",
                subject.name(),
                args.seed
            ));
            WorldKind::simulated(args.seed)
        }
        WorldName::Real => {
            summary.title = format!("{} on real servers", capitalized(subject.name()));
            terminal.line(format!("Rehearsing {} on real servers", subject.name()));
            let servers = runtime.block_on(servers::shared()).map_err(CommandError::harness)?;
            let (source, ready) = (servers.source.to_string(), time(servers.ready_in));
            terminal.row("servers", &format!("{source} ready in {ready}"));
            WorldKind::Real
        }
        WorldName::Processes => unreachable!("it has returned"),
    };
    let chosen = scenarios(subject, args, kind, &runtime, program, &terminal, &mut summary)?;
    let schedules = match (args.schedules, chosen, args.world) {
        (Some(schedules), ..) => schedules,
        (None, true, _) => 0,
        (None, false, WorldName::Simulated) => SCHEDULES,
        (None, false, WorldName::Real | WorldName::Processes) => RACES,
    };
    let seeds = args.seed..args.seed.saturating_add(schedules);
    if schedules > 0 && args.world == WorldName::Simulated {
        workloads(subject, args, &seeds, program, &terminal, &mut summary)?;
    }
    if schedules > 0 && args.world == WorldName::Real {
        races(subject, args, &seeds, &runtime, &terminal, &mut summary)?;
    }
    let rules = subject.rules();
    if rules.possible() > 0 && !chosen {
        terminal.rules(&rules);
        summary.figures.push(("Rules".to_owned(), rules::share(&rules)));
    }
    let flow = subject.flow();
    if flow.possible() > 0 && !chosen {
        let name = |of: &str| subject.sentences().event_name(of).unwrap_or(of).to_owned();
        terminal.flow(&flow, name);
        summary.figures.push(("Flow".to_owned(), flow::share(&flow)));
        let gaps = flow::gaps(&flow, name);
        if !gaps.is_empty() {
            summary.figures.push(("Flow, gaps".to_owned(), gaps.join("; ")));
        }
    }
    let invariants = format!("{} checked after each run", subject.invariants().len());
    terminal.row("invariants", &invariants);
    summary.figures.push(("Invariants".to_owned(), invariants));
    summary.took = began.elapsed();
    terminal.failed_scenarios(&summary);
    terminal.failed_races(&summary, |seed| {
        let seed = seed.to_string();
        program.with(["--world", "real", "--seed", &seed, "--schedules", "1"])
    });
    super::finish(&summary, &args.out, &terminal, args.json)
}

/// Runs the scenarios; returns whether --tags or --name restricted them.
fn scenarios(
    subject: &AnySubject,
    args: &Args,
    kind: WorldKind,
    runtime: &tokio::runtime::Runtime,
    program: &Program,
    terminal: &Terminal,
    summary: &mut Summary,
) -> Result<bool, CommandError> {
    let choice = choice(args)?;
    let chosen = choice.tags.is_some() || !choice.names.is_empty();
    if args.features.is_none() && subject.features().is_empty() {
        return Ok(chosen);
    }
    let run = Run { choice, output: Some(args.out.clone()), ..Run::all(kind) };
    let progress = Progress::begin("scenarios", None);
    let on_finished = |finished: &Finished| {
        progress.one();
        if finished.failure.is_some() {
            progress.line(&format!("{BAD}failed{BAD:#}  {}", finished.scenario));
        }
    };
    let ran = runtime.block_on(gherkin::run(subject, &run, on_finished));
    progress.end();
    let ran = ran?;
    if ran.scenarios.is_empty() && ran.unreadable.is_empty() && ran.left_out == 0 {
        let why = if chosen {
            "no scenario matches --name and --tags"
        } else {
            "the features contain no scenario"
        };
        return Err(CommandError::Usage(why.to_owned()));
    }
    terminal.scenarios(&ran);
    summary.held &= ran.is_success();
    summary.scenarios = ran.scenarios;
    for finished in summary.scenarios.iter_mut().filter(|finished| finished.failure.is_some()) {
        finished.again = Some(again(args, program, finished));
    }
    summary.left_out = ran.left_out;
    summary.unreadable = ran.unreadable;
    Ok(chosen)
}

/// Explores every workload with these seeds.
fn workloads(
    subject: &AnySubject,
    args: &Args,
    seeds: &Range<u64>,
    program: &Program,
    terminal: &Terminal,
    summary: &mut Summary,
) -> Result<(), CommandError> {
    let mut all = Exploration::default();
    for workload in subject.workloads() {
        let total = seeds.end - seeds.start;
        let progress = Progress::begin(format!("schedules of {}", workload.name), Some(total));
        let settings = args.settings.choice(subject)?;
        let plan = Plan { settings, ..Plan::all(workload.name, seeds.clone()) };
        let found = explore(subject, &plan, |_| progress.one());
        progress.end();
        let found = found?;
        terminal.workload(workload.name, &found);
        all.merge(found.clone());
        summary.workloads.push((workload.name.to_owned(), found));
    }
    terminal.coverage(&all.coverage, &coverage::Titles::of(subject), None);
    let failures = all.failures.values();
    let Findings { findings, more } =
        shrunk(subject, failures, FaultKind::ALL, &args.out, program)?;
    summary.held &= all.failures.is_empty();
    (summary.findings, summary.more) = (findings, more);
    summary.coverage = Some(all.coverage);
    Ok(())
}

/// Races on real servers.
fn races(
    subject: &AnySubject,
    args: &Args,
    seeds: &Range<u64>,
    runtime: &tokio::runtime::Runtime,
    terminal: &Terminal,
    summary: &mut Summary,
) -> Result<(), CommandError> {
    let races = seeds.end - seeds.start;
    let began = Instant::now();
    let progress = Progress::begin("races", Some(races));
    let found = runtime.block_on(race(subject, seeds.clone(), || progress.one()));
    progress.end();
    let found = found?;
    let folder = args.out.join("traces");
    fs::create_dir_all(&folder)?;
    for finding in &found {
        let path = folder.join(format!("race-{}.trace.jsonl", finding.seed));
        fs::write(path, trace::text(&finding.trace))?;
    }
    terminal.races(races, found.len(), began.elapsed());
    let figure = format!("{}, {} failed", counted(races, "race"), found.len());
    summary.figures.push(("Races on real servers".to_owned(), figure));
    summary.held &= found.is_empty();
    summary.races = found;
    Ok(())
}

fn choice(args: &Args) -> Result<Choice, CommandError> {
    let parse = |tags: &String| {
        tags.parse().map_err(|why| CommandError::Usage(format!("--tags {tags:?}: {why}")))
    };
    Ok(Choice {
        folder: args.features.clone(),
        names: args.name.clone(),
        tags: args.tags.as_ref().map(parse).transpose()?,
        places: None,
    })
}

/// The command that runs a scenario again.
fn again(args: &Args, program: &Program, finished: &Finished) -> String {
    let seed = args.seed.to_string();
    let mut arguments = vec!["--seed", seed.as_str(), "--name", finished.scenario.as_str()];
    if args.world == WorldName::Real {
        arguments.extend(["--world", "real"]);
    }
    let folder = args.features.as_ref().map(|folder| folder.display().to_string());
    if let Some(folder) = &folder {
        arguments.extend(["--features", folder]);
    }
    program.with(arguments)
}
