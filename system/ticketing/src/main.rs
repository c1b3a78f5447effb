//! `ticketing`: runs the services of the ticketing system, and looks after their dead letters.
//!
//! It reads the command line and the environment, gives the services their real ports, and
//! stops them in good order. What they do is none of its business.

mod cli;
mod dead_letters;
mod logs;
mod ready;
mod serve;

use std::process::ExitCode;
use std::thread::available_parallelism;

use clap::Parser;
use cli::{Cli, Command};

/// As many threads compute at once as there are processors: each hash takes 32 MiB.
fn computing_threads() -> usize {
    available_parallelism().map_or(4, |n| n.get().max(4))
}

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return cli::explain(&error),
    };
    logs::start(&cli.log);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .max_blocking_threads(computing_threads())
        .build();
    let ended = runtime.map_err(anyhow::Error::from).and_then(|runtime| {
        let ended = match cli.command {
            Command::Serve(args) => runtime.block_on(serve::serve(*args)),
            Command::DeadLetters(args) => runtime.block_on(dead_letters::list(args)),
        };
        runtime.shutdown_background();
        ended
    });
    match ended {
        Ok(code) => code,
        Err(why) => {
            eprintln!("ticketing: {why:#}");
            ExitCode::FAILURE
        }
    }
}
