//! `run --world processes`: each service as processes of its own, killed and cut off under load.

use std::fs;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use servers::NODES;

use super::{CommandError, Program, Verdict, runtime};
use crate::letter_case::capitalized;
use crate::processes::{
    self, CONVERGENCE_LIMIT, Counts, Manner, Outcome, ProcessesError, Settings,
};
use crate::report::progress::Progress;
use crate::report::terminal::{BAD, DIM, Terminal};
use crate::report::{Summary, counted, time, trace};
use crate::subject::AnySubject;

/// The time under load where none is given.
const LENGTH: Duration = Duration::from_secs(30);

/// The number of clients where none is given.
const CLIENTS: usize = 64;

/// The number of instances of each service.
const INSTANCES: u32 = 2;

/// The arguments of the world of processes.
#[derive(Debug, clap::Args)]
#[group(id = "processes")]
pub(super) struct Args {
    /// The time under load, such as 60s or 1h, with --world processes; 30s by default
    #[arg(long = "for", id = "for", value_name = "TIME", value_parser = humantime::parse_duration)]
    length: Option<Duration>,
    /// The number of clients that act at once, with --world processes; 64 by default
    #[arg(long, value_name = "N", alias = "buyers")]
    clients: Option<NonZeroUsize>,
    /// Three NATS servers and three MongoDB servers, whose leaders are killed and frozen, with
    /// --world processes
    #[arg(long)]
    cluster: bool,
    /// The program that runs the services, with --world processes; built by default
    #[arg(long, value_name = "PATH")]
    binary: Option<PathBuf>,
}

impl Args {
    /// The first argument that only the world of processes has a use for.
    pub(super) fn given(&self) -> Option<&'static str> {
        let given = [
            (self.length.is_some(), "--for"),
            (self.clients.is_some(), "--clients"),
            (self.cluster, "--cluster"),
            (self.binary.is_some(), "--binary"),
        ];
        given.into_iter().find(|(is_given, _)| *is_given).map(|(_, name)| name)
    }
}

impl From<ProcessesError> for CommandError {
    fn from(error: ProcessesError) -> Self {
        match error {
            ProcessesError::Undeclared(_)
            | ProcessesError::NoWorkload(_)
            | ProcessesError::NoSale(_)
            | ProcessesError::ForeignServers(_)
            | ProcessesError::NoBinary(_) => Self::Usage(error.to_string()),
            ProcessesError::Run(error) => error.into(),
            other => Self::harness(other),
        }
    }
}

/// Rehearses the services as processes and reports the result.
pub(super) fn run(
    subject: &AnySubject,
    args: &Args,
    (seed, out, json): (u64, &Path, bool),
    program: &Program,
) -> Result<Verdict, CommandError> {
    let began = Instant::now();
    let length = args.length.unwrap_or(LENGTH);
    if length.is_zero() {
        return Err(CommandError::Usage("--for must be longer than nothing".to_owned()));
    }
    let terminal = Terminal::new(json);
    terminal.line(format!("Rehearsing {} in processes, seed {seed}", subject.name()));
    let settings = Settings {
        seed,
        length,
        instances: INSTANCES,
        manner: Manner::Harm {
            cluster: args.cluster,
            clients: args.clients.map_or(CLIENTS, NonZeroUsize::get),
        },
        binary: args.binary.clone(),
        logs: logs(out)?,
    };
    let progress = Progress::of_phases();
    let rehearsal = processes::rehearse(subject, &settings, |event| show(event, length, &progress));
    let outcome = runtime()?.block_on(rehearsal);
    progress.end();
    let outcome = outcome?;
    let mut summary = summary(subject, (seed, args.cluster), &outcome);
    for (label, text) in &summary.figures {
        terminal.row(label, text);
    }
    summary.took = began.elapsed();
    let traces = out.join("traces");
    fs::create_dir_all(&traces)?;
    let path = traces.join(format!("processes-{seed}.trace.jsonl"));
    fs::write(&path, trace::text(&outcome.trace))?;
    terminal.row("logs", &settings.logs.display().to_string());
    if !outcome.violations.is_empty() {
        terminal.line(format!("\n  {BAD}violated{BAD:#}"));
        outcome.violations.iter().for_each(|violation| terminal.line(format!("    {violation}")));
        terminal.line(format!("    trace {}", path.display()));
        terminal.line(format!("    again {}", again(args, seed, program)));
        terminal.line(format!(
            "    {DIM}the same scripts and faults; the operating system decides the order{DIM:#}"
        ));
    }
    super::finish(&summary, out, &terminal, json)
}

/// The folder of the logs of the instances. Old logs would be mixed with those of this run.
pub(super) fn logs(out: &Path) -> std::io::Result<PathBuf> {
    let logs = out.join("processes");
    if logs.exists() {
        fs::remove_dir_all(&logs)?;
    }
    Ok(logs)
}

fn again(args: &Args, seed: u64, program: &Program) -> String {
    let seed = seed.to_string();
    let length = humantime::format_duration(args.length.unwrap_or(LENGTH)).to_string();
    let clients = args.clients.map_or(CLIENTS, NonZeroUsize::get).to_string();
    let mut arguments = vec!["--world", "processes", "--seed", &seed, "--for", &length];
    arguments.extend(["--clients", &clients]);
    if args.cluster {
        arguments.push("--cluster");
    }
    let binary = args.binary.as_ref().map(|binary| binary.display().to_string());
    if let Some(binary) = &binary {
        arguments.extend(["--binary", binary]);
    }
    program.with(arguments)
}

pub(super) fn show(event: &processes::Progress<'_>, length: Duration, progress: &Progress) {
    match event {
        processes::Progress::Building(command) => progress.line(command),
        processes::Progress::Ready => progress.line("all processes are ready"),
        processes::Progress::Load(elapsed, counts, faults, last) => progress.phase(&format!(
            "{} of {} s: {}{}{}",
            elapsed.as_secs(),
            length.as_secs(),
            done(counts),
            if *faults > 0 {
                format!(", {}", counted(*faults as u64, "fault"))
            } else {
                String::new()
            },
            if last.is_empty() { String::new() } else { format!(", last: {last}") }
        )),
        processes::Progress::Converging => {
            progress.line("nothing more is sent or injected, converging");
        }
        processes::Progress::Judging => progress.line("converged, judging"),
    }
}

/// The work of the clients so far: the milestones and the requests.
fn done(counts: &Counts) -> String {
    let milestones = counts.milestones.iter().map(|(name, count)| counted(*count, name) + ", ");
    format!("{}{}", milestones.collect::<String>(), counted(counts.requests, "request"))
}

fn summary(subject: &AnySubject, (seed, clustered): (u64, bool), outcome: &Outcome) -> Summary {
    let mut figures: Vec<(String, String)> = Vec::new();
    let mut add = |label: &str, text: String| figures.push((label.to_owned(), text));
    let minutes = outcome.length.as_secs_f64() / 60.0;
    let per_minute = |count: u64| format!("{:.0} a minute", count as f64 / minutes);
    for (name, count) in &outcome.counts.milestones {
        add(&format!("{name}s"), format!("{count}, {}", per_minute(*count)));
    }
    let replies = outcome.counts.replies.iter().map(|(class, count)| format!("{class} {count}"));
    let replies: Vec<String> = replies.collect();
    add("requests", format!("{}: {}", outcome.counts.requests, replies.join(", ")));
    for (kind, targets) in outcome.faults() {
        let total: u64 = targets.values().sum();
        let each: Vec<String> = targets.iter().map(|(name, n)| format!("{name} {n}")).collect();
        add(kind, format!("{total}: {}", each.join(", ")));
    }
    if clustered {
        add("servers", format!("{NODES} nats-server, {NODES} mongod, no links to mongod"));
    }
    outcome.figures.iter().for_each(|(label, text)| add(label, text.clone()));
    let converged = match outcome.converged {
        Some(after) => format!("{} after the last fault", time(after)),
        None => format!("not within {} s", CONVERGENCE_LIMIT.as_secs()),
    };
    add("converged", converged);
    let all = subject.invariants().len() + 1;
    let checked = all - outcome.left_out.len();
    add("invariants", format!("{checked} checked, {} in part", outcome.in_part.len()));
    add("in part", outcome.in_part.join(", "));
    add("left out", format!("{}: they need a trace of calls", outcome.left_out.join(", ")));
    Summary {
        title: format!("{} in processes", capitalized(subject.name())),
        held: outcome.violations.is_empty(),
        figures,
        races: outcome.finding(seed).into_iter().collect(),
        ..Summary::default()
    }
}
