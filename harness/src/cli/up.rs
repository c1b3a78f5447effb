//! `up`: the system on a local port, in simulation or on real servers, with a console.
//!
//! With `--watch` this process is the supervisor of another one that serves the system.

use std::io::{self, BufRead as _};
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;

use clap::ValueEnum;
use listenfd::ListenFd;
use servers::Servers;
use tempfile::NamedTempFile;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::oneshot;

use super::again::{cargo, cargo_target};
use super::{CommandError, Program, Verdict, runtime};
use crate::case::Token;
use crate::letter_case::capitalized;
use crate::report::time;
use crate::run::Run;
use crate::subject::AnySubject;
use crate::up::supervisor::{Supervisor, SupervisorError};
use crate::up::{Place, Up};
use crate::{console, run};

/// The arguments of `up`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The world that the system is in
    #[arg(long, value_enum, default_value = "simulated")]
    world: WorldName,
    /// The address to listen on. Anybody who reaches it can inject faults
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:4000")]
    listen: SocketAddr,
    /// The seed of ids and salts in simulation, 0 by default
    #[arg(long)]
    seed: Option<u64>,
    /// Makes the deadlines of the system this many times shorter, with --world real: at 60, a
    /// quarter of an hour takes fifteen seconds. 1 by default
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=600))]
    time_scale: Option<u32>,
    /// Rebuilds and restarts the system whenever sources below this folder change; the port and
    /// the page stay. A simulation plays again what people have done in it; real servers keep their
    /// data
    #[arg(long)]
    watch: bool,
    /// Opens the run of a replay token in the console, to step through its records
    #[arg(long, value_name = "TOKEN", conflicts_with_all = ["seed", "watch", "time_scale"])]
    token: Option<String>,
    /// Serves on the socket of a supervisor, in this namespace of the servers
    #[arg(long, value_name = "NAMESPACE", hide = true, conflicts_with_all = ["token", "watch"])]
    supervised: Option<String>,
    /// Plays what this file has again, and keeps there what people send
    #[arg(long, value_name = "FILE", hide = true, requires = "supervised")]
    journal: Option<PathBuf>,
}

/// The worlds of a system that goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum WorldName {
    /// In this process, in virtual time
    Simulated,
    /// On a real nats-server and mongod, in real time
    Real,
}

impl Args {
    /// # Errors
    ///
    /// When two of them do not go together.
    fn check(&self) -> Result<(), CommandError> {
        let real = self.world == WorldName::Real;
        let wrong = [
            (real && self.seed.is_some(), "--seed does not go with --world real"),
            (real && self.token.is_some(), "--token does not go with --world real"),
            (!real && self.time_scale.is_some(), "--time-scale needs --world real"),
        ];
        match wrong.iter().find(|(is_wrong, _)| *is_wrong) {
            Some((_, why)) => Err(CommandError::Usage((*why).to_owned())),
            None => Ok(()),
        }
    }
}

/// The examples in the help.
pub(super) fn examples(program: &Program) -> String {
    format!(
        "Examples:
  {program} up                          the system at http://127.0.0.1:4000/, the console at /_/
  {program} up --world real             the same on a real nats-server and mongod
  {program} up --world real --time-scale 60     a quarter of an hour takes fifteen seconds
  {program} up --watch                  built and started again whenever sources change
  {program} up --world real --watch     the same, and the servers keep their data
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
    args.check()?;
    let (listener, is_supervised) = socket(args)?;
    let replay = program.with(["replay"]);
    if let Some(token) = &args.token {
        let run = recorded(subject, token)?;
        let page = console::page(subject, &run, &replay);
        return runtime()?.block_on(async {
            let up = Up::recorded(listener, page)?;
            match run.violation().map(|violation| subject.statement(&violation.invariant)) {
                Some(statement) => anstream::println!("{statement}: violated"),
                None => anstream::println!("The run violates no invariant"),
            }
            announce(up.address());
            serve(up, is_supervised).await
        });
    }
    runtime()?.block_on(async {
        let servers = match args.world {
            WorldName::Simulated => None,
            WorldName::Real => Some(servers::shared().await.map_err(CommandError::harness)?),
        };
        if let Some(servers) = servers.filter(|_| !is_supervised) {
            let ready = time(servers.ready_in);
            anstream::println!("The servers are ready after {ready}: {}", servers.source);
        }
        if args.watch {
            let address = listener.local_addr()?;
            announce_system(subject, address);
            let journal = NamedTempFile::new()?;
            let supervisor = supervisor(args, servers, journal.path())?;
            return supervise(&supervisor, &listener).await;
        }
        let up = Up::live(subject, listener, place(args, servers), &replay).await;
        let up = up.map_err(CommandError::harness)?;
        if !is_supervised {
            announce_system(subject, up.address());
        }
        serve(up, is_supervised).await
    })
}

/// The socket, and whether it is the one of a supervisor.
fn socket(args: &Args) -> Result<(TcpListener, bool), CommandError> {
    if args.supervised.is_some() {
        let no_socket =
            || CommandError::Usage("--supervised needs the socket in LISTEN_FDS".into());
        let listener = ListenFd::from_env().take_tcp_listener(0)?.ok_or_else(no_socket)?;
        return Ok((listener, true));
    }
    let bound = TcpListener::bind(args.listen);
    let bound = bound.map_err(|why| CommandError::input(ListenError(args.listen, why)))?;
    Ok((bound, false))
}

fn recorded(subject: &AnySubject, token: &str) -> Result<Run, CommandError> {
    let token: Token = token
        .parse()
        .map_err(|why| CommandError::Usage(format!("--token: no replay token: {why}")))?;
    let case = token.case()?.read(subject).map_err(CommandError::input)?;
    Ok(run::run_watched(subject, &case)?)
}

fn place(args: &Args, servers: Option<&'static Servers>) -> Place {
    match servers {
        None => {
            Place::Simulation { seed: args.seed.unwrap_or_default(), journal: args.journal.clone() }
        }
        Some(servers) => Place::Servers {
            servers,
            namespace: args.supervised.clone().unwrap_or_else(namespace),
            time_scale: args.time_scale.unwrap_or(1),
        },
    }
}

/// A namespace of this process.
fn namespace() -> String {
    format!("rehearsal-{}-up", std::process::id())
}

fn announce_system(subject: &AnySubject, address: SocketAddr) {
    anstream::println!("{} is at http://{address}/", capitalized(subject.name()));
    announce(address);
}

fn announce(address: SocketAddr) {
    anstream::println!("The console is at http://{address}/_/");
}

async fn serve(up: Up, is_supervised: bool) -> Result<Verdict, CommandError> {
    let supervisor_ends = if is_supervised { Some(follow(up.builds())) } else { None };
    let interrupted = interrupted()?;
    let end = async move {
        tokio::select! {
            () = interrupted => {}
            () = async {
                match supervisor_ends {
                    Some(ends) => drop(ends.await),
                    None => std::future::pending().await,
                }
            } => {}
        }
    };
    up.serve(end).await.map_err(CommandError::harness)?;
    Ok(Verdict::Held)
}

/// Completes when the program is to end.
fn interrupted() -> io::Result<impl Future<Output = ()>> {
    let mut terminated = signal(SignalKind::terminate())?;
    let mut interrupted = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminated.recv() => {}
            _ = interrupted.recv() => {}
        }
    })
}

/// Reads the states of builds from the supervisor, until it ends.
fn follow(builds: impl Fn(String) + Send + 'static) -> oneshot::Receiver<()> {
    let (ends, ended) = oneshot::channel();
    // A read of the standard input cannot be cancelled, so it must not hold up a runtime.
    thread::spawn(move || {
        io::stdin().lock().lines().map_while(Result::ok).for_each(builds);
        _ = ends.send(());
    });
    ended
}

/// The supervisor of this program with these arguments.
fn supervisor(
    args: &Args,
    servers: Option<&'static Servers>,
    journal: &Path,
) -> Result<Supervisor, CommandError> {
    let path = std::env::current_exe()?;
    let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let target = cargo_target(&path, &name);
    let mut arguments = vec!["up".to_owned(), "--supervised".to_owned(), namespace()];
    if let Some(seed) = args.seed {
        arguments.extend(["--seed".to_owned(), seed.to_string()]);
    }
    if let Some(time_scale) = args.time_scale {
        arguments.extend(["--time-scale".to_owned(), time_scale.to_string()]);
    }
    if servers.is_some() {
        arguments.extend(["--world".to_owned(), "real".to_owned()]);
    }
    let (journal, artifact) = (journal.to_owned(), path.clone());
    let program = move || {
        let mut command = Command::new(&path);
        command.args(&arguments).arg("--journal").arg(&journal);
        if let Some(servers) = servers {
            command
                .env("REHEARSAL_SERVERS", "url")
                .env("NATS_URL", &servers.nats_url)
                .env("MONGO_URL", &servers.mongo_url);
        }
        command
    };
    let build = move || {
        let mut command = cargo();
        command.arg("build").args(&target);
        command
    };
    let folders = vec![PathBuf::from(".")];
    Ok(Supervisor { build: Box::new(build), program: Box::new(program), artifact, folders })
}

async fn supervise(
    supervisor: &Supervisor,
    listener: &TcpListener,
) -> Result<Verdict, CommandError> {
    match supervisor.run(listener, interrupted()?).await {
        Ok(()) => Ok(Verdict::Held),
        // The program has printed what is wrong with its arguments.
        Err(error @ SupervisorError::Ended(status)) if status.code() == Some(2) => {
            Err(CommandError::input(error))
        }
        Err(error) => Err(CommandError::harness(error)),
    }
}

/// The address cannot be listened on.
#[derive(Debug, thiserror::Error)]
#[error("--listen {0}")]
struct ListenError(SocketAddr, #[source] io::Error);
