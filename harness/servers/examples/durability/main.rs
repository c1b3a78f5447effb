//! Measures what each setting of durability buys, and prints it as a table of Markdown:
//!
//! ```sh
//! cargo run -p servers --example durability
//! ```
//!
//! Servers of every setting are started, written to, and killed in the middle of the load; then
//! every acknowledged write is looked for. As root on Linux the servers keep their data on a disk
//! image, whose power fails as well.

mod disk;
mod load;
mod mongo;
mod nats;
mod setup;

use std::error::Error;
use std::time::{Duration, Instant};

use futures::StreamExt as _;
use futures::stream::FuturesUnordered;
use servers::{Options, Server};

use disk::Disk;
use load::{Loss, Target, acknowledged, lost, median};
use setup::Setup;

/// Any error ends the measurement.
pub(crate) type Failure = Box<dyn Error + Send + Sync>;

/// The time after which a service that is not back counts as lost.
const SERVICE_LIMIT: Duration = Duration::from_secs(60);

/// The interval of writes that show whether the service is back.
const PROBE_INTERVAL: Duration = Duration::from_millis(50);

/// The time for a node that was restarted to catch up with the others.
const CATCH_UP: Duration = Duration::from_secs(10);

/// A setting.
struct Setting {
    name: &'static str,
    server: Server,
    /// True for three nodes, false for one.
    clustered: bool,
    how: How,
}

/// The configuration of a server, and of its clients.
#[derive(Clone, Copy)]
enum How {
    /// True if each message is synced before it is acknowledged.
    Nats { sync_always: bool },
    /// The write concern.
    Mongo { majority: bool, journal: bool },
}

const fn nats(name: &'static str, clustered: bool, sync_always: bool) -> Setting {
    Setting { name, server: Server::Nats, clustered, how: How::Nats { sync_always } }
}

const fn mongo(name: &'static str, clustered: bool, majority: bool, journal: bool) -> Setting {
    Setting { name, server: Server::Mongo, clustered, how: How::Mongo { majority, journal } }
}

const SETTINGS: [Setting; 9] = [
    nats("NATS, one server", false, false),
    nats("NATS, one server, `sync_interval: always`", false, true),
    nats("NATS, three servers, three replicas", true, false),
    nats("NATS, three servers, three replicas, `sync_interval: always`", true, true),
    mongo("MongoDB, one server, `w=1`, `j=false`", false, false, false),
    mongo("MongoDB, one server, `w=1`, `j=true`", false, false, true),
    mongo("MongoDB, three servers, `w=1`, `j=false`", true, false, false),
    mongo("MongoDB, three servers, `w=1`, `j=true`", true, false, true),
    mongo("MongoDB, three servers, `w=majority`, `j=true`", true, true, true),
];

#[tokio::main]
async fn main() -> Result<(), Failure> {
    // With part of a name as an argument, the settings that contain it.
    let chosen = std::env::args().nth(1).unwrap_or_default();
    let disk = Disk::mount()?;
    if disk.is_none() {
        eprintln!("not root on Linux: the power does not fail");
    }
    println!("| setting | one write | lost when killed | without service | lost at power loss |");
    println!("|---|---|---|---|---|");
    for setting in SETTINGS.iter().filter(|setting| setting.name.contains(&chosen)) {
        println!("{}", row(setting, disk.as_ref()).await?);
    }
    Ok(())
}

/// Measures one setting, as a row.
async fn row(setting: &Setting, disk: Option<&Disk>) -> Result<String, Failure> {
    let folder = tempfile::tempdir()?;
    let mut options = Options::from_env()?;
    options.data_root = disk.map_or_else(|| folder.path().to_owned(), Disk::path);
    if let How::Nats { sync_always: true } = setting.how {
        let config = folder.path().join("sync.conf");
        std::fs::write(&config, "jetstream { sync_interval: always }\n")?;
        options.nats_arguments = vec!["--config".into(), config.into()];
    }
    let setup = Setup::start(&options, setting.server, setting.clustered).await?;
    let target: Box<dyn Target> = match setting.how {
        How::Nats { .. } => Box::new(nats::Events::open(&setup).await?),
        How::Mongo { majority, journal } => {
            Box::new(mongo::Documents::open(&setup, majority, journal).await?)
        }
    };
    let target = &*target;
    eprintln!("{}: ready", setting.name);
    back(target).await?;
    let one = median(target).await?;

    let (node, acknowledged_ids, without) = acknowledged(target, 0, async || {
        let node = setup.kill_leader().await?;
        if !setting.clustered {
            setup.restart(&[node]).await?;
        }
        back(target).await?;
        Ok(node)
    })
    .await?;
    let killed = lost(target, &acknowledged_ids).await?;

    let mut power = "not measured".to_owned();
    if let Some(disk) = disk {
        if setting.clustered {
            setup.restart(&[node]).await?;
        }
        tokio::time::sleep(CATCH_UP).await;
        back(target).await?;
        disk.sync()?;
        let (_, acknowledged_ids, _) =
            acknowledged(target, load::SECOND, async || setup.kill_all().await).await?;
        disk.lose_power()?;
        setup.restart(&setup.nodes()).await?;
        back(target).await?;
        power = lost(target, &acknowledged_ids).await?.to_string();
    }
    setup.stop().await?;
    let millis = |time: Duration| format!("{:.1} ms", time.as_secs_f64() * 1e3);
    let without = format!("{:.1} s", without.as_secs_f64());
    Ok(format!("| {} | {} | {killed} | {without} | {power} |", setting.name, millis(one)))
}

/// Waits until a write is acknowledged again. Writes follow each other without a wait for the
/// answer, which one that was sent too early never gets.
async fn back(target: &dyn Target) -> Result<(), Failure> {
    let began = Instant::now();
    let mut writes = FuturesUnordered::new();
    let mut ticks = tokio::time::interval(PROBE_INTERVAL);
    loop {
        tokio::select! {
            _ = ticks.tick() => writes.push(target.write(load::probe())),
            Some(written) = writes.next() => match written {
                Ok(()) => return Ok(()),
                Err(error) if began.elapsed() > SERVICE_LIMIT => return Err(error),
                Err(_) => {}
            }
        }
    }
}

impl std::fmt::Display for Loss {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} of {}", self.lost, self.acknowledged)
    }
}
