//! The ways to lock a ticket, side by side on a real MongoDB: buyers that want one ticket at the
//! same moment, and buyers spread over many tickets; beside them, in the same run, the bare insert
//! of the driver, which bounds the locks that insert.
//!
//! ```sh
//! cargo bench -p benches --bench contention                        # prints a table
//! cargo bench -p benches --bench contention -- --page ../docs/locks.md   # and writes the page's figures
//! ```
//!
//! `REHEARSAL_REAL=skip` leaves it out.

mod bare;
mod cell;
mod counted;
mod page;
mod publish;
mod table;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use adapters::mongo::Mongo;
use clap::Parser;
use locks::strategies::look_then_insert;
use locks::strategies::transaction::Transaction;
use locks::{Lock, STRATEGIES, Strategy};
use ports::store::Store;
use servers::{Cluster, Options, Servers};
use tokio::runtime::Runtime;

use bare::Bare;
use cell::{Cell, Load};
use counted::{Counted, Counts};

/// The allocator of `rehearse`.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The numbers of buyers at once.
const BUYERS: [usize; 4] = [1, 8, 64, 256];

/// The ways to lock, measured under contention.
#[derive(Debug, Parser)]
struct Args {
    /// Writes the table into this page, and the plots into the folder of its name
    #[arg(long, value_name = "FILE")]
    page: Option<PathBuf>,
    /// The time for each figure, in seconds
    #[arg(long, default_value_t = 2.0)]
    seconds: f64,
    /// Measures the ways whose names contain this text
    filter: Option<String>,
    /// cargo passes it to every bench
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    if servers::are_unwanted() {
        eprintln!("REHEARSAL_REAL=skip: locks are measured on real servers, so this is left out");
        return Ok(());
    }
    Runtime::new()?.block_on(run(&args))
}

async fn run(args: &Args) -> anyhow::Result<()> {
    let servers = servers::shared().await?;
    eprintln!("{}, ready in {:.2?}", servers.source, servers.ready_in);
    let is_wanted = |name: &str| args.filter.as_ref().is_none_or(|text| name.contains(text));
    let time = Duration::from_secs_f64(args.seconds);
    let mut cells = Vec::new();
    if is_wanted(bare::NAME) {
        let bare = Bare::open(&servers.mongo_url, &database("bare")).await?;
        cells.extend(measure(bare::NAME, &bare, &Counts::default(), time).await?);
        bare.drop_database().await?;
    }
    let wrong = &look_then_insert::STRATEGY;
    for strategy in STRATEGIES.into_iter().chain([wrong]).filter(|s| is_wanted(s.name)) {
        cells.extend(of_strategy(strategy, servers, time).await?);
    }
    if is_wanted("3 nodes") {
        cells.extend(on_a_replica_set(time).await?);
    }
    let publishing = publish::measure(&servers.nats_url, time).await?;
    table::print(&cells, &publishing);
    table::compare(&cells)?;
    if let Some(page) = &args.page {
        page::write(page, &cells, &publishing)?;
    }
    Ok(())
}

fn database(name: &str) -> String {
    format!("rehearsal-{}-{name}", std::process::id())
}

/// All figures of one strategy on the shared server.
async fn of_strategy(
    strategy: &Strategy,
    servers: &Servers,
    time: Duration,
) -> anyhow::Result<Vec<Cell>> {
    let mongo = Arc::new(Mongo::connect(&servers.mongo_url, &database("locks")).await?);
    for (collection, indexes) in (strategy.collections)() {
        mongo.ensure(collection, &indexes).await?;
    }
    let counts = Counts::default();
    let lock = (strategy.open)(Arc::new(Counted::new(mongo.clone(), counts.clone())));
    let cells = measure(strategy.name, &*lock, &counts, time).await?;
    mongo.drop_database().await?;
    Ok(cells)
}

/// The transaction, and beside it the unique index on the same three nodes.
async fn on_a_replica_set(time: Duration) -> anyhow::Result<Vec<Cell>> {
    let cluster = Cluster::start(&Options::from_env()?).await?;
    let client = Mongo::client(&cluster.mongo_url).await?;
    let name = database("replicas");
    let mongo = Arc::new(Mongo::with_client(&client, &name));
    let index = STRATEGIES[0];
    for (collection, indexes) in (index.collections)() {
        mongo.ensure(collection, &indexes).await?;
    }
    let counts = Counts::default();
    let lock = (index.open)(Arc::new(Counted::new(mongo, counts.clone())));
    let mut cells = measure("unique index, 3 nodes", &*lock, &counts, time).await?;
    let counts = Counts::default();
    let lock = Transaction::open(&client, &name, Arc::clone(&counts.wasted));
    cells.extend(measure("transaction, 3 nodes", &*lock, &counts, time).await?);
    Ok(cells)
}

/// The figures of a lock for all numbers of buyers and both loads.
async fn measure(
    name: &str,
    lock: &dyn Lock,
    counts: &Counts,
    time: Duration,
) -> anyhow::Result<Vec<Cell>> {
    let mut cells = Vec::new();
    for load in [Load::OneTicket, Load::Spread] {
        for buyers in BUYERS {
            eprintln!("{name}: {buyers} buyers, {load}");
            cells.push(Cell::measure(name, lock, counts, load, buyers, time).await?);
        }
    }
    Ok(cells)
}
