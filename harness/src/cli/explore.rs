//! `explore`: many schedules of one workload, with faults, on all cores.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::ValueEnum;

use super::findings::{Findings, shrunk};
use super::{CommandError, EXIT_CODES, Program, Verdict};
use crate::faults::FaultKind;
use crate::report::Summary;
use crate::report::coverage::Titles;
use crate::report::progress::Progress;
use crate::report::terminal::Terminal;
use crate::search::explore::{Exploration, Plan, SchedulerChoice, Shard, explore};
use crate::subject::AnySubject;

/// The scheduler.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum SchedulerName {
    /// By turns random, random with time that hurries, and PCT
    Mixed,
    /// Uniformly random
    Random,
    /// By priorities with a few changes: probabilistic concurrency testing
    Pct,
    /// Every schedule of a small scope, except those that only swap independent calls
    Exhaustive,
}

/// What to explore.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// A workload; for the exhaustive scheduler a scope
    #[arg(value_name = "WORKLOAD")]
    pub(super) workload: String,
    /// How many schedules, each with a seed of its own; 10000 by default, and all of them for
    /// the exhaustive scheduler
    #[arg(long, value_name = "N", conflicts_with = "for",
        value_parser = clap::value_parser!(u64).range(1..))]
    pub(super) seeds: Option<u64>,
    /// For how long, as in 60s or 10m, instead of a number of schedules
    #[arg(long = "for", id = "for", value_name = "TIME", value_parser = humantime::parse_duration)]
    pub(super) limit: Option<Duration>,
    /// The first seed
    #[arg(long, value_name = "SEED", default_value_t = 1)]
    pub(super) from: u64,
    /// The scheduler, which decides which pending call runs next
    #[arg(long, value_enum, default_value = "mixed", alias = "chooser")]
    scheduler: SchedulerName,
    /// For PCT: how many ordering constraints the bugs in question need
    #[arg(long, value_name = "N", default_value_t = 3)]
    depth: u32,
    /// The kinds of faults: all, none, or names separated by commas
    #[arg(long, value_name = "FAULTS", default_value = "all")]
    faults: String,
    /// On how many cores; on all of them by default
    #[arg(long, value_name = "N")]
    jobs: Option<usize>,
    /// Only every n-th seed, as in 3/16: the others are for other machines
    #[arg(long, value_name = "K/N", value_parser = shard, default_value = "1/1")]
    shard: Shard,
    /// Fails where fewer of the possible fault points were reached, in percent
    #[arg(long, value_name = "PERCENT")]
    min_coverage: Option<f64>,
    /// Plants a bug, by name; `bugs --list` lists them
    #[arg(long, value_name = "NAME")]
    bug: Option<String>,
    /// Where the report goes
    #[arg(long, value_name = "FOLDER", default_value = "target/rehearsal/explore")]
    pub(super) out: PathBuf,
    /// Prints the summary as JSON instead of text
    #[arg(long)]
    pub(super) json: bool,
}

/// How many schedules there are by default.
const SEEDS: u64 = 10_000;

/// The file that holds an exploration, for `merge`.
pub(super) const FILE: &str = "exploration.json";

/// The examples of the help.
pub(super) fn examples(program: &Program, workload: &str) -> String {
    format!(
        "Examples:
  {program} explore {workload}                       10000 schedules, all faults, all cores
  {program} explore {workload} --for 60s             as many as fit into a minute
  {program} explore {workload} --faults crash,lost-ack
  {program} explore {workload} --scheduler pct --depth 4
  {program} explore SCOPE --scheduler exhaustive
  {program} explore {workload} --shard 3/16 --out shards/3
  {program} merge shards/*                       one report of all shards
  {program} explore {workload} --bug NAME            with a bug planted, to see it found

{EXIT_CODES}"
    )
}

impl Args {
    /// Whether every schedule is to be explored.
    pub(super) fn is_exhaustive(&self) -> bool {
        self.scheduler == SchedulerName::Exhaustive
    }

    /// The planted bug, where there is to be one.
    pub(super) fn bug(&self, subject: &AnySubject) -> Result<Option<String>, CommandError> {
        let named = |name: &String| match subject.planted_bug(name) {
            Some(bug) => Ok(bug.name.to_owned()),
            None => Err(CommandError::Usage(format!(
                "there is no planted bug {name:?}; `bugs --list` lists them"
            ))),
        };
        self.bug.as_ref().map(named).transpose()
    }
}

/// Explores a workload, and reports minimal reproductions of its failures.
pub(super) fn run(
    subject: &AnySubject,
    args: &Args,
    program: &Program,
) -> Result<Verdict, CommandError> {
    let plan = plan(subject, args)?;
    let terminal = Terminal::new(args.json);
    announce(subject, &plan, &terminal);
    let total = args.limit.is_none().then(|| (plan.seeds.end - plan.seeds.start) / plan.shard.of);
    let progress = Progress::begin("schedules", total);
    let explored = explore(subject, &plan, |_| progress.one());
    progress.end();
    let title = format!("Exploring {}", args.workload);
    let name = args.workload.as_str();
    let end = End { title, name, out: &args.out, min_coverage: args.min_coverage, json: args.json };
    conclude(subject, explored?, &end, program)
}

fn announce(subject: &AnySubject, plan: &Plan, terminal: &Terminal) {
    let about = subject.workload(&plan.workload).map_or("", |workload| workload.about);
    terminal.line(format!("Exploring {}: {}", plan.workload, about.to_lowercase()));
    if let Some(bug) = &plan.bug {
        terminal.row("planted", bug);
    }
    let names: Vec<_> = plan.faults.iter().map(ToString::to_string).collect();
    let names = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
    terminal.row("faults", &names);
    let shard = match plan.shard {
        Shard { of: 1, .. } => String::new(),
        Shard { number, of } => format!(", shard {number} of {of}"),
    };
    terminal.row("cores", &format!("{}{shard}", plan.jobs));
}

fn plan(subject: &AnySubject, args: &Args) -> Result<Plan, CommandError> {
    if subject.workload(&args.workload).is_none() {
        let names: Vec<_> = subject.workloads().iter().map(|workload| workload.name).collect();
        return Err(CommandError::Usage(format!(
            "there is no workload {:?}; there are: {}",
            args.workload,
            names.join(", ")
        )));
    }
    let seeds = match args.limit {
        Some(_) => u64::MAX,
        None => args.seeds.unwrap_or(SEEDS),
    };
    let all = Plan::all(&args.workload, args.from..args.from.saturating_add(seeds));
    Ok(Plan {
        bug: args.bug(subject)?,
        faults: faults(&args.faults)?,
        schedulers: match args.scheduler {
            SchedulerName::Mixed | SchedulerName::Exhaustive => SchedulerChoice::Mixed,
            SchedulerName::Random => SchedulerChoice::Random,
            SchedulerName::Pct => SchedulerChoice::Pct(args.depth),
        },
        shard: args.shard,
        limit: args.limit,
        jobs: args.jobs.unwrap_or(all.jobs),
        ..all
    })
}

/// How an exploration is reported.
pub(super) struct End<'a> {
    pub(super) title: String,
    /// The name of the workload.
    pub(super) name: &'a str,
    pub(super) out: &'a Path,
    pub(super) min_coverage: Option<f64>,
    pub(super) json: bool,
}

/// Reports an exploration, and keeps it for `merge`.
pub(super) fn conclude(
    subject: &AnySubject,
    explored: Exploration,
    end: &End<'_>,
    program: &Program,
) -> Result<Verdict, CommandError> {
    let terminal = Terminal::new(end.json);
    fs::create_dir_all(end.out)?;
    let json = serde_json::to_vec_pretty(&explored).map_err(CommandError::harness)?;
    fs::write(end.out.join(FILE), json)?;
    terminal.explored(&explored);
    terminal.coverage(&explored.coverage, &Titles::of(subject), end.min_coverage);
    let Findings { findings, more } =
        shrunk(subject, explored.failures.values(), end.out, program)?;
    let covered = end.min_coverage.is_none_or(|least| explored.coverage.percent() >= least);
    let summary = Summary {
        title: end.title.clone(),
        held: explored.failures.is_empty() && covered,
        findings,
        more,
        coverage: Some(explored.coverage.clone()),
        took: explored.took,
        workloads: vec![(end.name.to_owned(), explored)],
        ..Summary::default()
    };
    summary.write(end.out)?;
    terminal.findings(&summary);
    terminal.end(&summary, end.out);
    if end.json {
        print!("{}", summary.json());
    }
    Ok(Verdict::of(summary.held))
}

/// `all`, `none`, or kinds by name.
fn faults(text: &str) -> Result<Vec<FaultKind>, CommandError> {
    match text {
        "all" => Ok(FaultKind::ALL.to_vec()),
        "none" => Ok(Vec::new()),
        names => {
            let kinds = names.split(',').map(|name| name.trim().parse());
            kinds
                .collect::<Result<_, _>>()
                .map_err(|why| CommandError::Usage(format!("--faults: {why}")))
        }
    }
}

/// `3/16`.
fn shard(text: &str) -> Result<Shard, String> {
    let parts = text.split_once('/').and_then(|(k, n)| Some((k.parse().ok()?, n.parse().ok()?)));
    match parts {
        Some((number, of)) if (1..=of).contains(&number) => Ok(Shard { number, of }),
        _ => Err("a shard is K/N with K from 1 to N, as in 3/16".to_owned()),
    }
}
