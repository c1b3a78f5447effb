//! `rehearse run`: all scenarios in one world, then races of ten buyers under random
//! schedules.

use std::fs;
use std::ops::Range;
use std::path::PathBuf;
use std::time::Instant;

use harness::report::trace as json;
use servers;

use super::conclude::{Telling, tell};
use super::{CommandError, Verdict, WorldName, runtime};
use crate::explore::{Exploration, Plan, explore};
use crate::gherkin::{self, Choice, Run};
use crate::races::{self, Finding};
use crate::report::page::Page;
use crate::report::{self, Progress, Report};
use crate::stage::WorldKind;
use crate::{invariants, workloads};

/// What to run.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// In which world
    #[arg(long, value_enum, default_value = "simulated")]
    world: WorldName,
    /// Only scenarios with matching tags, as in 'not @simulated-only'
    #[arg(long, value_name = "EXPRESSION")]
    tags: Option<String>,
    /// Only scenarios whose feature or name contains this, and no races; may be repeated
    #[arg(long, value_name = "TEXT")]
    name: Vec<String>,
    /// Where ids and schedules come from: the same seed, the same run
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How many races of ten buyers, each under a schedule of its own; 300 in simulation and
    /// 10 on real servers where no scenario is chosen
    #[arg(long, value_name = "N")]
    schedules: Option<u64>,
    /// Where reports and traces go
    #[arg(long, value_name = "FOLDER", default_value = "target/rehearsal")]
    out: PathBuf,
    /// Reads the features from here instead of those built in
    #[arg(long, value_name = "FOLDER")]
    features: Option<PathBuf>,
}

/// Runs scenarios and races, and prints a summary.
///
/// # Errors
///
/// When the features cannot be read, servers cannot be had, or reports cannot be written.
pub fn run(args: &Args) -> Result<Verdict, CommandError> {
    let began = Instant::now();
    let choice = choice(args)?;
    let chosen = choice.tags.is_some() || !choice.names.is_empty();
    let runtime = runtime()?;
    fs::create_dir_all(&args.out)?;
    let report = Report::begin(args.world, args.seed, &args.out);
    if args.world == WorldName::Real {
        let servers = runtime.block_on(servers::shared());
        let servers = servers.map_err(|why| CommandError::Harness(why.to_string()))?;
        report.servers(&servers.source.to_string(), servers.ready_in);
    }

    let kind = match args.world {
        WorldName::Simulated => WorldKind::simulated(args.seed),
        WorldName::Real => WorldKind::Real,
    };
    let run = Run { choice, output: Some(args.out.clone()), ..Run::all(kind) };
    let progress = Progress::begin("scenarios");
    let scenarios = runtime.block_on(gherkin::run(&run, |finished| progress.scenario(finished)))?;
    progress.end();
    if scenarios.scenarios.is_empty() && scenarios.unreadable.is_empty() && chosen {
        let why = format!("no scenario of the {} world matches", run.kind.name());
        return Err(CommandError::Use(why));
    }
    report.scenarios(&scenarios);
    let mut page = Page {
        title: format!("The ticketing system, {}", run.kind.name()),
        held: scenarios.is_success(),
        scenarios: &scenarios.scenarios,
        ..Page::default()
    };
    let count = format!("{} held, {} failed", scenarios.passed(), scenarios.failed());
    page.figures.push(("Scenarios".to_owned(), count));
    let (mut all, mut telling) = (Exploration::default(), Telling::default());

    let usual = match (chosen, args.world) {
        (true, _) => 0,
        (false, WorldName::Simulated) => 300,
        (false, WorldName::Real) => 10,
    };
    let schedules = args.schedules.unwrap_or(usual);
    if schedules > 0 {
        let seeds = args.seed..args.seed.saturating_add(schedules);
        page.held &= match args.world {
            WorldName::Simulated => {
                all = simulate(&seeds, &report, &mut page)?;
                report::covered(&all.coverage, None);
                telling = tell(all.failures.values(), &args.out)?;
                all.failures.is_empty()
            }
            WorldName::Real => {
                let progress = Progress::begin("races");
                let raced = Instant::now();
                let found = runtime.block_on(races::run_all(seeds, || progress.one()));
                progress.end();
                let found = found.map_err(|why| CommandError::Harness(why.to_string()))?;
                keep_traces(args, &found)?;
                report.races(schedules, raced.elapsed(), &found);
                let count = format!("{schedules}, {} failed", found.len());
                page.figures.push(("Races".to_owned(), count));
                found.is_empty()
            }
        };
    }
    let count = format!("{} checked after each", invariants::ALL.len());
    page.figures.push(("Promises".to_owned(), count));
    page.failures = &telling.told;
    page.untold = telling.untold;
    page.coverage = (all.schedules > 0).then_some(&all.coverage);
    page.write(&args.out)?;
    report.end(page.held, began.elapsed());
    Ok(if page.held { Verdict::Held } else { Verdict::Finding })
}

/// Runs every workload under these seeds.
fn simulate(
    seeds: &Range<u64>,
    report: &Report,
    page: &mut Page<'_>,
) -> Result<Exploration, CommandError> {
    let mut all = Exploration::default();
    for workload in workloads::ALL {
        let progress = Progress::begin(workload.name);
        let found = explore(&Plan::all(workload, seeds.clone()), |_| progress.one());
        progress.end();
        let found = found.map_err(|why| CommandError::Harness(why.to_string()))?;
        report.workload(workload, &found);
        page.figures.push((format!("Workload {}", workload.name), report::schedules(&found)));
        all.merge(found);
    }
    Ok(all)
}

fn choice(args: &Args) -> Result<Choice, CommandError> {
    let parse = |tags: &String| {
        tags.parse().map_err(|why| CommandError::Use(format!("--tags {tags:?}: {why}")))
    };
    Ok(Choice {
        folder: args.features.clone(),
        names: args.name.clone(),
        tags: args.tags.as_ref().map(parse).transpose()?,
        places: None,
    })
}

/// Writes the trace of each race that was a finding.
fn keep_traces(args: &Args, findings: &[Finding]) -> Result<(), CommandError> {
    let folder = args.out.join("traces");
    fs::create_dir_all(&folder)?;
    for finding in findings {
        let path = folder.join(format!("race-{}.trace.jsonl", finding.seed));
        fs::write(path, json::text(&finding.trace))?;
    }
    Ok(())
}
