//! `explore`: many schedules of one workload, with faults, on all cores.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::ValueEnum;

use super::findings::{Findings, shrunk};
use super::{CommandError, EXIT_CODES, Program, Verdict, setting};
use crate::faults::FaultKind;
use crate::report::Summary;
use crate::report::coverage::Titles;
use crate::report::progress::Progress;
use crate::report::terminal::Terminal;
use crate::search::explore::{Exploration, Plan, SchedulerChoice, Shard, explore};
use crate::session::RunError;
use crate::subject::AnySubject;

/// The scheduler.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum SchedulerName {
    /// Random, random with early timers, and PCT in turn
    Mixed,
    /// Uniformly random
    Random,
    /// Probabilistic concurrency testing: random priorities with a few changes
    Pct,
    /// Every schedule of a small scope, up to swaps of independent calls
    Exhaustive,
}

/// The arguments of `explore`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The workload, or the scope for the exhaustive scheduler
    #[arg(value_name = "WORKLOAD")]
    pub(super) workload: String,
    /// The number of schedules, each with its own seed; 10000 by default, unlimited for the
    /// exhaustive scheduler
    #[arg(long, value_name = "N", conflicts_with = "for", alias = "seeds",
        value_parser = clap::value_parser!(u64).range(1..))]
    pub(super) schedules: Option<u64>,
    /// The duration, such as 60s or 10m, instead of a number of schedules
    #[arg(long = "for", id = "for", value_name = "TIME", value_parser = humantime::parse_duration)]
    pub(super) limit: Option<Duration>,
    /// The first seed
    #[arg(long, value_name = "SEED", default_value_t = 1)]
    pub(super) from: u64,
    /// The scheduler, which decides which pending call runs next
    #[arg(long, value_enum, default_value = "mixed", alias = "chooser")]
    scheduler: SchedulerName,
    /// For PCT: the number of ordering constraints that a bug needs to show
    #[arg(long, value_name = "N", default_value_t = 3)]
    depth: u32,
    /// The kinds of faults: all, none, or a comma-separated list
    #[arg(long, value_name = "FAULTS", default_value = "all")]
    faults: String,
    #[command(flatten)]
    settings: setting::Fixed,
    /// The number of threads; one per core by default
    #[arg(long, value_name = "N")]
    jobs: Option<usize>,
    /// The part of the seeds to run, such as 3/16, to split a run among machines
    #[arg(long, value_name = "K/N", value_parser = shard, default_value = "1/1")]
    shard: Shard,
    /// Fails if less than this percentage of the possible fault points was reached
    #[arg(long, value_name = "PERCENT")]
    min_coverage: Option<f64>,
    /// Plants this bug; `bugs --list` lists the names
    #[arg(long, value_name = "NAME")]
    bug: Option<String>,
    /// The folder of the report
    #[arg(long, value_name = "FOLDER", default_value = "target/rehearsal/explore")]
    pub(super) out: PathBuf,
    /// Prints the summary as JSON instead of text
    #[arg(long)]
    pub(super) json: bool,
}

/// The default number of schedules.
const SCHEDULES: u64 = 10_000;

/// The file that holds an exploration, for `merge`.
pub(super) const FILE: &str = "exploration.json";

/// The examples of the help.
pub(super) fn examples(program: &Program, workload: &str) -> String {
    format!(
        "Examples:
  {program} explore {workload}                       10000 schedules, all faults, all cores
  {program} explore {workload} --for 60s             as many as fit into one minute
  {program} explore {workload} --faults crash,lost-ack
  {program} explore {workload} --scheduler pct --depth 4
  {program} explore {workload} --setting attempts=2 --setting default
  {program} explore SCOPE --scheduler exhaustive
  {program} explore {workload} --shard 3/16 --out shards/3
  {program} merge shards/*                       one report of all shards
  {program} explore {workload} --bug NAME            with a planted bug

{EXIT_CODES}"
    )
}

impl Args {
    /// Whether every schedule is to be explored.
    pub(super) fn is_exhaustive(&self) -> bool {
        self.scheduler == SchedulerName::Exhaustive
    }

    /// The planted bug; `None` for none.
    pub(super) fn bug(&self, subject: &AnySubject) -> Result<Option<String>, CommandError> {
        let named = |name: &String| match subject.planted_bug(name) {
            Some(bug) => Ok(bug.name.to_owned()),
            None => Err(CommandError::Usage(RunError::UnknownBug(name.clone()).to_string())),
        };
        self.bug.as_ref().map(named).transpose()
    }
}

/// Explores a workload and reports minimal reproductions of its failures.
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
    let (faults, out) = (&plan.faults[..], args.out.as_path());
    let (min_coverage, json) = (args.min_coverage, args.json);
    let end = End { title, name, faults, out, min_coverage, json };
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
    terminal.row("settings", &setting::announced(&plan.settings));
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
            "there is no workload {:?}; the workloads are {}",
            args.workload,
            names.join(", ")
        )));
    }
    let seeds = match args.limit {
        Some(_) => u64::MAX,
        None => args.schedules.unwrap_or(SCHEDULES),
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
        settings: args.settings.choice(subject)?,
        shard: args.shard,
        limit: args.limit,
        jobs: args.jobs.unwrap_or(all.jobs),
        ..all
    })
}

/// The presentation of an exploration.
pub(super) struct End<'a> {
    pub(super) title: String,
    /// The name of the workload.
    pub(super) name: &'a str,
    /// The kinds of faults that it injected.
    pub(super) faults: &'a [FaultKind],
    pub(super) out: &'a Path,
    pub(super) min_coverage: Option<f64>,
    pub(super) json: bool,
}

/// Reports an exploration and writes it to a file for `merge`.
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
    terminal.rules(&subject.rules());
    let Findings { findings, more } =
        shrunk(subject, explored.failures.values(), end.faults, end.out, program)?;
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
    super::finish(&summary, end.out, &terminal, end.json)
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
        _ => Err("a shard is K/N with K from 1 to N, such as 3/16".to_owned()),
    }
}
