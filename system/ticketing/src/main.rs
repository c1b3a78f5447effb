//! `ticketing`: runs the services of the ticketing system, lists and replays dead letters, and
//! archives documents before they leave.
//!
//! It reads the command line and the environment, connects the real adapters, and shuts down
//! gracefully. It has no business logic.

mod archive;
mod cli;
mod connections;
mod dead_letters;
mod limits;
mod logs;
mod ready;
mod secrets;
mod serve;
mod values;

use std::ffi::OsString;
use std::process::ExitCode;
use std::thread::available_parallelism;

use clap::{CommandFactory, Parser};
use cli::{Cli, Command};

/// Bounds the threads for password hashing by the number of processors: a hash takes 32 MiB.
fn hashing_threads() -> usize {
    available_parallelism().map_or(4, |n| n.get().max(4))
}

#[expect(clippy::disallowed_methods, reason = "the binary reads the environment")]
fn environment(name: &str) -> Option<OsString> {
    std::env::var_os(name)
}

fn main() -> ExitCode {
    let arguments = std::env::args_os().collect();
    let arguments = match secrets::from_files(&Cli::command(), arguments, environment) {
        Ok(arguments) => arguments,
        Err(line) => {
            logs::line(line);
            return ExitCode::from(2);
        }
    };
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) => return cli::report(&error),
    };
    logs::start(&cli.log);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .max_blocking_threads(hashing_threads())
        .build();
    let ended = runtime.map_err(anyhow::Error::from).and_then(|runtime| {
        let ended = match cli.command {
            Command::Serve(args) => runtime.block_on(serve::serve(*args)),
            Command::Archive(args) => runtime.block_on(archive::write(args)),
            Command::DeadLetters(args) => runtime.block_on(dead_letters::list(args)),
        };
        runtime.shutdown_background();
        ended
    });
    match ended {
        Ok(code) => code,
        Err(error) => {
            logs::line(format_args!("{error:#}"));
            ExitCode::FAILURE
        }
    }
}
