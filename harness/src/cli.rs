//! The command line, one command per file. The `main` of a subject's program calls [`main`].
//!
//! A command parses its arguments, calls the search or the runner, and has the result rendered as a
//! [`Summary`].

mod again;
mod bugs;
mod catalog;
mod confirm;
mod conform;
mod doctor;
mod exhaust;
mod explore;
mod findings;
mod load;
mod merge;
mod processes;
mod replay;
mod run;
mod setting;
mod steps;
mod sweep;
mod up;
mod watch;

use std::error::Error;
use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::path::Path;
use std::process::ExitCode;

use clap::{Args as _, Command, FromArgMatches as _, Parser, Subcommand, ValueEnum};

use crate::case::BadToken;
use crate::gherkin::{FeatureError, GherkinError};
use crate::regressions::RegressionError;
use crate::report::terminal::Terminal;
use crate::report::{Summary, markdown};
use crate::session::RunError;
use crate::subject::{AnySubject, Subject};

pub use again::Program;

const EXIT_CODES: &str =
    "Exit codes: 0 all invariants hold, 1 a finding, 2 invalid input, 3 the harness failed.";

#[derive(Debug, Parser)]
#[command(version, args_conflicts_with_subcommands = true)]
struct Cli {
    #[command(subcommand)]
    command: Option<Subcommands>,
    #[command(flatten)]
    run: run::Args,
}

#[derive(Debug, Subcommand)]
enum Subcommands {
    /// Runs scenarios and workloads (the default)
    Run(run::Args),
    /// Runs many schedules of one workload, with faults, and shrinks failures
    Explore(explore::Args),
    /// Merges the results of several explorations into one report
    Merge(merge::Args),
    /// Replays one run exactly and prints its story
    Replay(replay::Args),
    /// Crashes a service at every call of a scenario, one run for each crash
    Sweep(sweep::Args),
    /// Searches for planted bugs and measures how many schedules each one takes
    Bugs(bugs::Args),
    /// Estimates the probability that a fix only appears to work
    Confirm(confirm::Args),
    /// Puts load on the services on real servers and measures latencies
    Load(load::Args),
    /// Compares the simulated servers with the real ones, on random calls
    Conform(conform::Args),
    /// Serves the system on a local port, in simulation or on real servers, with a console to watch
    /// and break it
    Up(up::Args),
    /// Runs again whenever sources change, the last failure first
    Watch(watch::Args),
    /// Writes what each event carries, who publishes it and who reads it
    Catalog(catalog::Args),
    /// Lists the Gherkin steps
    Steps,
    /// Lists the sources of real servers and whether each works on this machine
    Doctor,
}

/// The world of a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum WorldName {
    /// In this process, in virtual time, with every schedule determined by a seed
    Simulated,
    /// On a real nats-server and mongod
    Real,
    /// Each service in processes of its own, killed, frozen and cut off under load
    Processes,
}

/// The outcome of a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    /// Every invariant and every step held.
    Held,
    /// There is a finding.
    Finding,
}

impl Verdict {
    fn of(held: bool) -> Self {
        if held { Self::Held } else { Self::Finding }
    }
}

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
enum CommandError {
    /// An argument is invalid or names something that does not exist.
    #[error("{0}\n\nFor more information, try '--help'.")]
    Usage(String),
    /// A file or token on the command line cannot be used.
    #[error(transparent)]
    Input(Box<dyn Error>),
    /// The harness failed.
    #[error(transparent)]
    Harness(Box<dyn Error>),
}

impl CommandError {
    fn input(why: impl Into<Box<dyn Error>>) -> Self {
        Self::Input(why.into())
    }

    fn harness(why: impl Into<Box<dyn Error>>) -> Self {
        Self::Harness(why.into())
    }

    fn exit_code(&self) -> u8 {
        match self {
            Self::Usage(_) | Self::Input(_) => 2,
            Self::Harness(_) => 3,
        }
    }
}

impl From<std::io::Error> for CommandError {
    fn from(error: std::io::Error) -> Self {
        Self::harness(error)
    }
}

impl From<RunError> for CommandError {
    fn from(error: RunError) -> Self {
        match error {
            RunError::UnknownBug(_) | RunError::UnknownWorkload(_) | RunError::UnknownCall(_) => {
                Self::Usage(error.to_string())
            }
            other => Self::harness(other),
        }
    }
}

impl From<BadToken> for CommandError {
    fn from(error: BadToken) -> Self {
        Self::input(error)
    }
}

impl From<FeatureError> for CommandError {
    fn from(error: FeatureError) -> Self {
        Self::input(error)
    }
}

impl From<GherkinError> for CommandError {
    fn from(error: GherkinError) -> Self {
        match error {
            GherkinError::Features(error) => error.into(),
            other => Self::harness(other),
        }
    }
}

impl From<RegressionError> for CommandError {
    fn from(error: RegressionError) -> Self {
        match error {
            RegressionError::Run(error) => error.into(),
            other => Self::input(other),
        }
    }
}

/// Runs the command line of this process and returns its exit code.
///
/// ```no_run
/// # use harness::subject::Subject;
/// # fn program(shop: impl Subject) -> std::process::ExitCode {
/// harness::cli::main(shop)
/// # }
/// ```
pub fn main(subject: impl Subject) -> ExitCode {
    let program = Program::of_this_process();
    let subject = AnySubject::new(subject);
    let matches = command(&subject, &program).get_matches();
    let cli = Cli::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
    match dispatch(cli, &subject, &program) {
        Ok(Verdict::Held) => ExitCode::SUCCESS,
        Ok(Verdict::Finding) => ExitCode::from(1),
        Err(error) => {
            eprintln!("error: {}", chain(&error));
            ExitCode::from(error.exit_code())
        }
    }
}

fn dispatch(cli: Cli, subject: &AnySubject, program: &Program) -> Result<Verdict, CommandError> {
    match cli.command {
        Some(Subcommands::Bugs(args)) => bugs::run(subject, &args, program),
        Some(Subcommands::Confirm(args)) => confirm::run(subject, &args, program),
        Some(Subcommands::Conform(args)) => conform::run(&args),
        Some(Subcommands::Doctor) => doctor::run(),
        Some(Subcommands::Explore(args)) if args.is_exhaustive() => {
            exhaust::run(subject, &args, program)
        }
        Some(Subcommands::Explore(args)) => explore::run(subject, &args, program),
        Some(Subcommands::Load(args)) => load::run(subject, &args, program),
        Some(Subcommands::Merge(args)) => merge::run(subject, &args, program),
        Some(Subcommands::Replay(args)) => replay::run(subject, &args, program),
        Some(Subcommands::Catalog(args)) => catalog::run(subject, &args),
        Some(Subcommands::Steps) => steps::run(subject),
        Some(Subcommands::Sweep(args)) => sweep::run(subject, &args, program),
        Some(Subcommands::Up(args)) => up::run(subject, &args, program),
        Some(Subcommands::Watch(args)) => watch::run(&args),
        Some(Subcommands::Run(args)) => run::run(subject, &args, program),
        None => run::run(subject, &cli.run, program),
    }
}

/// The command line, with the names of this subject in its help.
fn command(subject: &AnySubject, program: &Program) -> Command {
    let workload = subject.workloads().first().map_or("WORKLOAD", |workload| workload.name);
    let examples = format!(
        "Examples:
  {program}                            all scenarios and workloads, in simulation
  {program} --world real               the same on a real nats-server and mongod
  {program} --world processes --for 60s --seed 7    each service in processes under load
  {program} --name 'concurrent'        only scenarios whose name contains the text
  {program} --tags 'not @simulated-only'
  {program} explore {workload} --for 60s      as many schedules as fit into one minute
  {program} replay TOKEN               one run again, exactly, with its story
  {program} sweep --all                a crash at every call of every scenario
  {program} bugs                       how many schedules each planted bug takes
  {program} confirm TOKEN              the probability that the fix only appears to work
  {program} conform                    the simulated servers against the real ones
  {program} up                         the system in a browser, with a console
  {program} watch                      run again whenever sources change
  {program} catalog --check OLD        what each event carries, and what a change of it breaks

{EXIT_CODES}"
    );
    let about = format!(
        "Rehearses {}: finds what breaks under faults, crashes and concurrency.",
        subject.name()
    );
    let command = Cli::augment_args(Command::new("rehearse")).about(about).after_help(examples);
    let names = |named: &[crate::subject::any::Named]| {
        let lines = named.iter().map(|n| format!("\n  {:<24} {}", n.name, n.about));
        lines.collect::<String>()
    };
    let mut lists = format!("Workloads:{}\n", names(subject.workloads()));
    if !subject.scopes().is_empty() {
        let scopes = names(subject.scopes());
        lists += &format!("\nScopes, for --scheduler exhaustive:{scopes}\n");
    }
    command
        .bin_name(program.to_string())
        .mut_subcommand("explore", |explore| {
            let settings = setting::list(subject);
            let examples = explore::examples(program, workload);
            explore.after_help(format!("{lists}\n{settings}\n{examples}"))
        })
        .mut_subcommand("conform", |conform| conform.after_help(conform::examples(program)))
        .mut_subcommand("load", |load| {
            let things = subject.sale().map(|(things, _)| things);
            load.after_help(load::examples(program))
                .mut_arg("things", |arg| arg.visible_aliases(things))
        })
        .mut_subcommand("sweep", |sweep| sweep.after_help(sweep::examples(program, workload)))
        .mut_subcommand("replay", |replay| replay.after_help(replay::examples(program)))
        .mut_subcommand("up", |up| up.after_help(up::examples(program)))
}

/// An error and its sources on one line.
fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text += &format!(": {cause_text}");
        }
        source = cause.source();
    }
    text
}

/// Writes the reports of a summary and prints its end.
fn finish(
    summary: &Summary,
    out: &Path,
    terminal: &Terminal,
    json: bool,
) -> Result<Verdict, CommandError> {
    write(summary, out)?;
    terminal.findings(summary);
    terminal.end(summary, out);
    if json {
        print!("{}", summary.json());
    }
    Ok(Verdict::of(summary.held))
}

/// Writes the reports. On GitHub, the summary goes to the page of the job too.
fn write(summary: &Summary, out: &Path) -> io::Result<()> {
    summary.write(out)?;
    let Some(page) = std::env::var_os("GITHUB_STEP_SUMMARY") else { return Ok(()) };
    let mut page = OpenOptions::new().create(true).append(true).open(page)?;
    page.write_all(markdown::summary(summary).as_bytes())
}

/// A tokio runtime, for real servers and the Gherkin runner.
fn runtime() -> Result<tokio::runtime::Runtime, CommandError> {
    Ok(tokio::runtime::Builder::new_multi_thread().enable_all().build()?)
}
