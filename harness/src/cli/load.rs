//! `load`: sales at a fixed rate on real servers, with their latencies.

use std::fs;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::{CommandError, Program, Verdict, processes as world, runtime};
use crate::processes::latency::Row;
use crate::processes::{self, Latencies, Manner, Outcome, Settings};
use crate::report::plot::{Axis, Plot};
use crate::report::progress::Progress;
use crate::report::terminal::{BAD, DIM, Terminal};
use crate::report::{Summary, counted, time};
use crate::subject::AnySubject;

/// The seed, by which only the ids of a run differ: a sale has no chance.
const SEED: u64 = 1;

/// The file of the figures.
const FILE: &str = "load.json";

/// The quantiles of the plot of latencies.
const QUANTILES: [f64; 12] =
    [0.0, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.98, 0.99, 0.995, 0.998, 0.999];

/// The arguments of `load`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The number of buyers that compete in each sale
    #[arg(long, value_name = "N", default_value = "16")]
    buyers: NonZeroUsize,
    /// The number of things for sale in each
    #[arg(long, value_name = "N", default_value = "1")]
    things: NonZeroUsize,
    /// The number of things for sale each second, in all sales together
    #[arg(long, value_name = "RATE", default_value_t = 5.0, value_parser = rate)]
    rate: f64,
    /// The time under load, such as 60s or 1h
    #[arg(long = "for", value_name = "TIME", default_value = "30s", value_parser = humantime::parse_duration)]
    length: Duration,
    /// The number of instances of each service
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..=16))]
    instances: u32,
    /// The program that runs the services; built by default
    #[arg(long, value_name = "PATH")]
    binary: Option<PathBuf>,
    /// The folder of the report
    #[arg(long, value_name = "FOLDER", default_value = "target/rehearsal/load")]
    out: PathBuf,
    /// Prints the figures as JSON, and nothing else
    #[arg(long)]
    json: bool,
}

/// The examples in the help.
pub(super) fn examples(program: &Program) -> String {
    format!(
        "Sales begin when they are due, however slow the replies are, and a latency begins when its
operation was due.

Examples:
  {program} load --buyers 64 --rate 2     64 buyers for each thing, two a second
  {program} load --rate 50 --for 5m       more sales at once, with little contention each
  {program} load --instances 4            four instances of each service"
    )
}

fn rate(text: &str) -> Result<f64, String> {
    let rate: f64 = text.parse().map_err(|_| "it is not a number".to_owned())?;
    let is_right = (0.01..=100_000.0).contains(&rate);
    is_right.then_some(rate).ok_or_else(|| "it is not between 0.01 and 100000".to_owned())
}

/// The figures of a load, as they are kept for comparison.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Figures {
    buyers: usize,
    things: usize,
    rate: f64,
    seconds: f64,
    instances: u32,
    /// Milestones a second.
    goodput: f64,
    rows: Vec<Row>,
}

impl Figures {
    fn of(args: &Args, outcome: &Outcome) -> Self {
        let milestones: u64 = outcome.counts.milestones.values().sum();
        let seconds = outcome.length.as_secs_f64();
        Self {
            buyers: args.buyers.get(),
            things: args.things.get(),
            rate: args.rate,
            seconds,
            instances: args.instances,
            goodput: milestones as f64 / seconds,
            rows: outcome.latencies.rows(),
        }
    }

    /// The figures that an earlier run with the same arguments has left.
    fn earlier(&self, path: &Path) -> Option<Self> {
        let text = fs::read_to_string(path).ok()?;
        let earlier: Self = serde_json::from_str(&text).ok()?;
        let shape = |f: &Self| (f.buyers, f.things, f.rate.to_bits(), f.instances);
        (shape(&earlier) == shape(self)).then_some(earlier)
    }
}

/// Puts load on the services and reports the latencies.
pub(super) fn run(
    subject: &AnySubject,
    args: &Args,
    program: &Program,
) -> Result<Verdict, CommandError> {
    let began = Instant::now();
    if args.length < Duration::from_secs(1) {
        return Err(CommandError::Usage("--for must be at least a second".to_owned()));
    }
    let terminal = Terminal::new(args.json);
    terminal.line(format!("Load on {}", subject.name()));
    let settings = Settings {
        seed: SEED,
        length: args.length,
        instances: args.instances,
        manner: Manner::Rush {
            buyers: args.buyers.get(),
            things: args.things.get(),
            rate: args.rate,
        },
        binary: args.binary.clone(),
        logs: world::logs(&args.out)?,
    };
    let progress = Progress::of_phases();
    let on_event = |event: &processes::Progress<'_>| world::show(event, args.length, &progress);
    let outcome = runtime()?.block_on(processes::rehearse(subject, &settings, on_event));
    progress.end();
    let outcome = outcome?;
    fs::create_dir_all(&args.out)?;
    let figures = Figures::of(args, &outcome);
    let path = args.out.join(FILE);
    let earlier = figures.earlier(&path);
    print(&figures, earlier.as_ref(), &outcome, &terminal);
    let text = serde_json::to_string_pretty(&figures).map_err(CommandError::harness)? + "\n";
    fs::write(&path, &text)?;
    let summary = Summary { took: began.elapsed(), ..summary(subject, &figures, &outcome) };
    for violation in &outcome.violations {
        terminal.line(format!("  {BAD}violated{BAD:#} {violation}"));
    }
    if !outcome.violations.is_empty() {
        terminal.line(format!("  logs       {}", settings.logs.display()));
        terminal.line(format!("  again      {}", again(args, program)));
    }
    if args.json {
        anstream::print!("{text}");
    }
    super::finish(&summary, &args.out, &terminal, false)
}

fn again(args: &Args, program: &Program) -> String {
    let length = humantime::format_duration(args.length).to_string();
    let (buyers, things) = (args.buyers.to_string(), args.things.to_string());
    let (rate, instances) = (args.rate.to_string(), args.instances.to_string());
    program.with([
        "load",
        "--buyers",
        &buyers,
        "--things",
        &things,
        "--rate",
        &rate,
        "--for",
        &length,
        "--instances",
        &instances,
    ])
}

fn print(figures: &Figures, earlier: Option<&Figures>, outcome: &Outcome, terminal: &Terminal) {
    terminal.line(format!(
        "  {:<28} {:<6} {:>8} {:>9} {:>9} {:>9} {:>9} {:>9}",
        "route", "reply", "count", "p50", "p95", "p99", "p99.9", "longest"
    ));
    for row in &figures.rows {
        let [p50, p95, p99, p999, max] = [row.p50, row.p95, row.p99, row.p999, row.max].map(micros);
        terminal.line(format!(
            "  {:<28} {:<6} {:>8} {p50:>9} {p95:>9} {p99:>9} {p999:>9} {max:>9}",
            row.route, row.replies, row.count
        ));
        let alike = |other: &&Row| other.route == row.route && other.replies == row.replies;
        if let Some(before) = earlier.and_then(|earlier| earlier.rows.iter().find(alike)) {
            let ratio = |now: u64, before: u64| format!("{:.2}", now as f64 / before.max(1) as f64);
            terminal.line(format!(
                "  {DIM}{:<44} {:>9} {:>9} {:>9}{DIM:#}",
                "times the last run with these arguments",
                ratio(row.p50, before.p50),
                ratio(row.p95, before.p95),
                ratio(row.p99, before.p99)
            ));
        }
    }
    for (name, count) in &outcome.counts.milestones {
        let rate = *count as f64 / figures.seconds;
        terminal.row(&format!("{name}s"), &format!("{count}, {rate:.1} a second"));
    }
    let converged = outcome.converged.map_or("no".to_owned(), time);
    terminal.row("converged", &format!("{converged} after the last reply"));
}

/// A latency in milliseconds.
fn micros(micros: u64) -> String {
    format!("{:.2} ms", micros as f64 / 1_000.0)
}

fn summary(subject: &AnySubject, figures: &Figures, outcome: &Outcome) -> Summary {
    let shape = format!(
        "{} for {}, {} a second, {} of each service",
        counted(figures.buyers as u64, "buyer"),
        counted(figures.things as u64, "thing"),
        figures.rate,
        counted(figures.instances.into(), "instance")
    );
    let rows = figures.rows.iter().map(|row| {
        let latencies = format!(
            "{} times, p50 {}, p99 {}, p99.9 {}",
            row.count,
            micros(row.p50),
            micros(row.p99),
            micros(row.p999)
        );
        (format!("{} {}", row.route, row.replies), latencies)
    });
    let milestones = ("Goodput".to_owned(), format!("{:.1} milestones a second", figures.goodput));
    Summary {
        title: format!("Load on {}", subject.name()),
        held: outcome.violations.is_empty(),
        figures: [("Load".to_owned(), shape), milestones].into_iter().chain(rows).collect(),
        plots: plots(&outcome.latencies),
        races: outcome.finding(SEED).into_iter().collect(),
        ..Summary::default()
    }
}

fn plots(latencies: &Latencies) -> Vec<Plot> {
    let millis = |micros: u64| micros as f64 / 1_000.0;
    // One of n takes longer: the scale that shows a tail.
    let of_quantile = |quantile: f64| 1.0 / (1.0 - quantile);
    let lines: Vec<(String, Vec<(f64, f64)>)> = latencies
        .quantiles(&QUANTILES)
        .into_iter()
        .map(|(name, points)| {
            let points = points.into_iter().map(|(at, micros)| (of_quantile(at), millis(micros)));
            (name, points.collect())
        })
        .collect();
    let values = lines.iter().flat_map(|(_, points)| points).map(|(_, value)| *value);
    let y = Axis::logarithmic("latency in ms", values);
    let tail = [(1.0, "0"), (2.0, "50"), (10.0, "90"), (100.0, "99"), (1_000.0, "99.9")];
    let ticks = tail.iter().map(|(at, label)| (*at, (*label).to_owned())).collect();
    let x = Axis {
        label: "percent of the operations that were faster".to_owned(),
        is_log: true,
        ticks,
    };
    let by_quantile = Plot { title: "Latency of each route and reply".to_owned(), x, y, lines };

    let seconds = latencies.seconds();
    let line = |of: fn(&processes::latency::Second) -> u64| {
        seconds.iter().map(|second| (second.at as f64, millis(of(second)))).collect::<Vec<_>>()
    };
    let lines = vec![
        ("p50 of all operations".to_owned(), line(|second| second.p50)),
        ("p99 of all operations".to_owned(), line(|second| second.p99)),
    ];
    let values = lines.iter().flat_map(|(_, points)| points).map(|(_, value)| *value);
    let y = Axis::logarithmic("latency in ms", values);
    let last = seconds.last().map_or(1.0, |second| second.at as f64);
    let x = Axis::linear("seconds since the beginning", last);
    let by_second = Plot { title: "Latency over time".to_owned(), x, y, lines };

    let counts: Vec<_> = seconds.iter().map(|one| (one.at as f64, one.count as f64)).collect();
    let most = counts.iter().map(|(_, count)| *count).fold(1.0, f64::max);
    let rate = Plot {
        title: "Operations that were due".to_owned(),
        x: Axis::linear("seconds since the beginning", last),
        y: Axis::linear("operations a second", most),
        lines: vec![("all operations".to_owned(), counts)],
    };
    vec![by_quantile, by_second, rate]
}
