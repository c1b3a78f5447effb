//! `up`: the system on a local port, in simulation, with a console.

use std::net::SocketAddr;

use super::{CommandError, Program, Verdict, runtime};
use crate::case::Token;
use crate::letter_case::capitalized;
use crate::subject::AnySubject;
use crate::up::Up;
use crate::{console, run};

/// The arguments of `up`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The address to listen on. Anybody who reaches it can inject faults
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:4000")]
    listen: SocketAddr,
    /// The seed of ids and salts
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Opens the run of a replay token in the console, to step through its records
    #[arg(long, value_name = "TOKEN", conflicts_with = "seed")]
    token: Option<String>,
}

/// The examples in the help.
pub(super) fn examples(program: &Program) -> String {
    format!(
        "Examples:
  {program} up                          the system at http://127.0.0.1:4000/, the console at /_/
  {program} up --listen 127.0.0.1:0     on a free port
  {program} up --token TOKEN            the run of a token in the console, record by record"
    )
}

/// Serves until the program is interrupted.
pub(super) fn run(
    subject: &AnySubject,
    args: &Args,
    program: &Program,
) -> Result<Verdict, CommandError> {
    let recorded = match &args.token {
        None => None,
        Some(text) => {
            let token: Token = text
                .parse()
                .map_err(|why| CommandError::Usage(format!("--token: no replay token: {why}")))?;
            let case = token.case()?.read(subject).map_err(CommandError::input)?;
            Some(run::run_watched(subject, &case)?)
        }
    };
    let replay = program.with(["replay"]);
    runtime()?.block_on(async {
        let up = match &recorded {
            None => Up::live(subject, args.listen, args.seed, &replay).await,
            Some(run) => {
                let page = console::page(subject, run, &replay);
                Up::recorded(args.listen, page).await
            }
        };
        let up = up.map_err(|why| CommandError::input(ListenError(args.listen, why)))?;
        let address = up.address();
        match &recorded {
            None => {
                anstream::println!("{} is at http://{address}/", capitalized(subject.name()));
            }
            Some(run) => {
                let violated = run.violation().map(|v| subject.statement(&v.invariant));
                match violated {
                    Some(statement) => anstream::println!("{statement}: violated"),
                    None => anstream::println!("The run violates no invariant"),
                }
            }
        }
        anstream::println!("The console is at http://{address}/_/");
        tokio::select! {
            served = up.serve() => served?,
            interrupted = tokio::signal::ctrl_c() => interrupted?,
        }
        Ok(Verdict::Held)
    })
}

/// The address cannot be listened on.
#[derive(Debug, thiserror::Error)]
#[error("--listen {0}")]
struct ListenError(SocketAddr, #[source] std::io::Error);
