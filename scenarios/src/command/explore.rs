//! `rehearse explore`: many schedules of one workload, with faults, on all cores.

use std::path::PathBuf;
use std::time::Duration;

use clap::ValueEnum;
use harness::faults::FaultKind;

use super::conclude::conclude;
use super::exhaust::exhaust_command;
use super::{CommandError, Verdict};
use crate::explore::{Choosing, Plan, Shard, explore};
use crate::report::{self, Progress};
use crate::{planted, workloads};

const EXAMPLES: &str = "\
Examples:
  rehearse explore market                       10000 schedules, all faults, all cores
  rehearse explore race --for 60s               as many as go into a minute
  rehearse explore market --faults crash,lost-ack
  rehearse explore payment --scheduler pct --depth 4
  rehearse explore two-buyers --scheduler exhaustive
  rehearse explore market --shard 3/16 --out shards/3
  rehearse merge shards/*                       one report of all shards
  rehearse explore race --bug look-then-insert  with a bug planted, to see it found

Exit codes: 0 all held, 1 a finding, 2 wrong use, 3 the harness itself failed.";

/// Who decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ChooserName {
    /// By turns uniformly, with time that hurries, and by priorities
    Mixed,
    /// Uniformly
    Random,
    /// By priorities with a few changes: probabilistic concurrency testing
    Pct,
    /// Every schedule of a small scope, but those that only swap independent calls
    Exhaustive,
}

/// What to explore.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// What people do: race, market, expiry, payment, bans, restart or accounts; for the
    /// exhaustive chooser a scope: two-buyers, two-buyers-one-expiry or pay-or-cancel
    #[arg(value_name = "WORKLOAD")]
    pub(super) workload: String,
    /// How many schedules, each with a seed of its own; 10000 where nothing is said, and all
    /// of them for the exhaustive chooser
    #[arg(long, value_name = "N", conflicts_with = "for")]
    pub(super) seeds: Option<u64>,
    /// For how long, as in 60s or 10m, instead of a number of schedules
    #[arg(long = "for", id = "for", value_name = "TIME", value_parser = humantime::parse_duration)]
    pub(super) limit: Option<Duration>,
    /// The first seed
    #[arg(long, value_name = "SEED", default_value_t = 1)]
    pub(super) from: u64,
    /// Who decides which call goes on
    #[arg(long, value_enum, default_value = "mixed")]
    scheduler: ChooserName,
    /// For pct: how many orderings the bugs in question need
    #[arg(long, value_name = "N", default_value_t = 3)]
    depth: u32,
    /// What may go wrong: all, none, or names separated by commas
    #[arg(long, value_name = "FAULTS", default_value = "all")]
    faults: String,
    /// On how many cores; all of them by default
    #[arg(long, value_name = "N")]
    jobs: Option<usize>,
    /// Only every n-th seed, as in 3/16: the others are for other machines
    #[arg(long, value_name = "K/N", value_parser = shard, default_value = "1/1")]
    shard: Shard,
    /// Fails where fewer of the possible fault points were reached, in percent
    #[arg(long, value_name = "PERCENT")]
    min_coverage: Option<f64>,
    /// Plants a bug, by name; `rehearse bugs` lists them
    #[arg(long, value_name = "NAME")]
    bug: Option<String>,
    /// Where the report goes
    #[arg(long, value_name = "FOLDER", default_value = "target/rehearsal/explore")]
    pub(super) out: PathBuf,
}

/// How many schedules there are where nothing is said.
const SEEDS: u64 = 10_000;

impl Args {
    /// The planted bug, if there is to be one.
    pub(super) fn bug(&self) -> Result<Option<&'static str>, CommandError> {
        let named = |name: &String| {
            let bug = planted::named(name).map(|bug| bug.name);
            bug.ok_or_else(|| CommandError::Use(format!("there is no planted bug {name:?}")))
        };
        self.bug.as_ref().map(named).transpose()
    }
}

/// Explores a workload, and hands back what failed, as small as it goes.
///
/// # Errors
///
/// When there is no such workload, fault or bug, or the report cannot be written.
pub fn explore_command(args: &Args) -> Result<Verdict, CommandError> {
    if args.scheduler == ChooserName::Exhaustive {
        return exhaust_command(args);
    }
    let plan = plan(args)?;
    report::exploring(&plan);
    let progress = Progress::begin("schedules");
    let explored = explore(&plan, |_| progress.one());
    progress.end();
    let explored = explored.map_err(|why| CommandError::Harness(why.to_string()))?;
    conclude(format!("Exploring {}", args.workload), &explored, &args.out, args.min_coverage)
}

fn plan(args: &Args) -> Result<Plan, CommandError> {
    let workload = workloads::named(&args.workload).ok_or_else(|| {
        let names: Vec<_> = workloads::ALL.iter().map(|workload| workload.name).collect();
        let why =
            format!("there is no workload {:?}; there are: {}", args.workload, names.join(", "));
        CommandError::Use(why)
    })?;
    let seeds = match args.limit {
        Some(_) => u64::MAX,
        None => args.seeds.unwrap_or(SEEDS),
    };
    let all = Plan::all(workload, args.from..args.from.saturating_add(seeds));
    Ok(Plan {
        bug: args.bug()?,
        faults: faults(&args.faults)?,
        choosing: match args.scheduler {
            ChooserName::Mixed | ChooserName::Exhaustive => Choosing::Mixed,
            ChooserName::Random => Choosing::Random,
            ChooserName::Pct => Choosing::Pct(args.depth),
        },
        shard: args.shard,
        limit: args.limit,
        jobs: args.jobs.unwrap_or(all.jobs),
        ..all
    })
}

/// `all`, `none`, or kinds by name.
pub(super) fn faults(text: &str) -> Result<Vec<FaultKind>, CommandError> {
    match text {
        "all" => Ok(FaultKind::ALL.to_vec()),
        "none" => Ok(Vec::new()),
        names => {
            let kinds = names.split(',').map(|name| name.trim().parse());
            kinds
                .collect::<Result<_, _>>()
                .map_err(|why| CommandError::Use(format!("--faults: {why}")))
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
