//! The program `rehearse`: one command per file.
//!
//! Commands decide nothing about the system: they run, and have the outcome rendered.

pub mod bugs;
mod conclude;
pub mod confirm;
pub mod doctor;
mod exhaust;
pub mod explore;
pub mod merge;
pub mod replay;
pub mod run;
pub mod sweep;

use std::fmt;
use std::process::ExitCode;

use clap::{Parser, Subcommand, ValueEnum};

const EXAMPLES: &str = "\
Examples:
  rehearse                            all scenarios and 300 races, in simulation
  rehearse --world real               the same on a real nats-server and mongod
  rehearse --name 'same moment'       only scenarios whose name contains this
  rehearse --tags 'not @simulated-only'
  rehearse --seed 42 --schedules 1    one race again, exactly
  rehearse replay TOKEN               a found run again, told as a story
  rehearse sweep --all                a crash at every call of every scenario, one run each
  rehearse bugs                       how hard each planted bug is to find
  rehearse confirm TOKEN              how sure it is that this failure is mended
  rehearse doctor                     which servers would be used, and why

Exit codes: 0 all held, 1 a finding, 2 wrong use, 3 the harness itself failed.";

/// Rehearses the ticketing system before opening night.
#[derive(Debug, Parser)]
#[command(name = "rehearse", version, after_help = EXAMPLES, args_conflicts_with_subcommands = true)]
pub struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    run: run::Args,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Runs scenarios and races (the default)
    Run(run::Args),
    /// Runs many schedules of one workload, with faults, and shrinks what fails
    Explore(explore::Args),
    /// Joins the outcomes of several explorations into one report
    Merge(merge::Args),
    /// Runs one found run again, exactly, and tells its story
    Replay(replay::Args),
    /// Crashes a scenario's services at every call that they make, one run each
    Sweep(sweep::Args),
    /// Hunts planted bugs, and says how hard each is to find
    Bugs(bugs::Args),
    /// Says how sure it is that a failure is mended
    Confirm(confirm::Args),
    /// Says which servers the real world would use, and why
    Doctor,
}

/// Which world.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum WorldName {
    /// In the process: virtual time, every order of events by seed
    Simulated,
    /// On a real nats-server and mongod
    Real,
}

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Everything held.
    Held,
    /// Something did not.
    Finding,
}

/// Why a command did not do its work.
#[derive(Debug)]
pub enum CommandError {
    /// It was asked for something that makes no sense.
    Use(String),
    /// The harness failed.
    Harness(String),
}

impl fmt::Display for CommandError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Use(why) => write!(f, "error: {why}\n\nFor more information, try '--help'."),
            Self::Harness(why) => write!(f, "the harness failed: {why}"),
        }
    }
}

impl From<std::io::Error> for CommandError {
    fn from(error: std::io::Error) -> Self {
        Self::Harness(error.to_string())
    }
}

/// Parses the command line, does what it says, and returns the exit code.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let ended = match cli.command {
        Some(Command::Bugs(args)) => bugs::run(&args),
        Some(Command::Confirm(args)) => confirm::run(&args),
        Some(Command::Doctor) => doctor::doctor(),
        Some(Command::Explore(args)) => explore::explore_command(&args),
        Some(Command::Merge(args)) => merge::merge(&args),
        Some(Command::Replay(args)) => replay::replay(&args),
        Some(Command::Sweep(args)) => sweep::sweep(&args),
        Some(Command::Run(args)) => run::run(&args),
        None => run::run(&cli.run),
    };
    match ended {
        Ok(Verdict::Held) => ExitCode::SUCCESS,
        Ok(Verdict::Finding) => ExitCode::from(1),
        Err(error) => {
            eprintln!("{error}");
            ExitCode::from(match error {
                CommandError::Use(_) => 2,
                CommandError::Harness(_) => 3,
            })
        }
    }
}

/// A runtime for what waits on sockets.
pub(crate) fn runtime() -> Result<tokio::runtime::Runtime, CommandError> {
    let built = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    built.map_err(|e| CommandError::Harness(format!("no runtime: {e}")))
}
