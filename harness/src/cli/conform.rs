//! `conform`: compares the simulated broker and store with the real servers, on random calls.

use adapters::mongo::Mongo;
use conformance::differential;
use servers::Servers;

use super::{CommandError, EXIT_CODES, Program, Verdict, runtime};
use crate::report::progress::Progress;

/// The examples of the help.
pub(super) fn examples(program: &Program) -> String {
    format!(
        "Examples:
  {program} conform                     2000 cases for the bus and for the store
  {program} conform store --cases 100000
  {program} conform bus --seed 7        other cases

A case is a sequence of calls by several instances, carried out on both sides; each reply is
compared. A difference is shrunk and printed side by side. The real server is right.

{EXIT_CODES}"
    )
}

/// The arguments of `conform`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The port to compare; both by default
    #[arg(value_enum)]
    port: Option<Port>,
    /// The number of cases for each port
    #[arg(long, value_name = "N", default_value_t = 2000)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..))]
    cases: u32,
    /// The seed, which determines all cases
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Port {
    /// The simulated broker against nats-server
    Bus,
    /// The simulated store against mongod
    Store,
}

/// Compares the ports and prints a report of each.
pub(super) fn run(args: &Args) -> Result<Verdict, CommandError> {
    let runtime = runtime()?;
    let servers = runtime.block_on(servers::shared()).map_err(CommandError::harness)?;
    let mut agree = true;
    if args.port != Some(Port::Store) {
        agree &= runtime.block_on(bus(args, servers))?;
    }
    if args.port != Some(Port::Bus) {
        agree &= runtime.block_on(store(args, servers))?;
    }
    Ok(Verdict::of(agree))
}

async fn bus(args: &Args, servers: &Servers) -> Result<bool, CommandError> {
    let progress = Progress::begin("cases of the bus", Some(args.cases.into()));
    let compared =
        differential::bus::run(args.cases, args.seed, &servers.nats_url, |_| progress.one()).await;
    progress.end();
    let report = compared.map_err(CommandError::harness)?;
    anstream::println!("bus    {report}");
    Ok(report.differences.is_empty())
}

async fn store(args: &Args, servers: &Servers) -> Result<bool, CommandError> {
    let client = Mongo::client(&servers.mongo_url).await.map_err(CommandError::harness)?;
    // A database of this process, which may share the server with others.
    let store = Mongo::with_client(&client, &format!("conform-{}", std::process::id()));
    let progress = Progress::begin("cases of the store", Some(args.cases.into()));
    let report = differential::store::run(args.cases, args.seed, &store, |_| progress.one()).await;
    progress.end();
    store.drop_database().await.map_err(CommandError::harness)?;
    anstream::println!("store  {report}");
    Ok(report.differing == 0)
}
