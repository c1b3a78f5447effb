//! Runs each case twice: as `simulated::...` and as `real::...`. The real ones are ignored, and
//! counted as such, where `REHEARSAL_REAL` is `skip`.

use std::sync::LazyLock;
use std::sync::atomic::{AtomicU32, Ordering};

use libtest_mimic::{Arguments, Failed, Trial};
use servers::{Cluster, NODES, Options, ServersError};
use tokio::runtime::Runtime;
use tokio::sync::OnceCell;

/// The runtime of the real cases: a connection belongs to the runtime that it began on.
pub(crate) static RUNTIME: LazyLock<Runtime> =
    LazyLock::new(|| Runtime::new().expect("the system provides threads"));

/// The two trials of a case.
pub(crate) fn both(
    name: &str,
    simulated: impl FnOnce() -> Result<(), Failed> + Send + 'static,
    real: impl FnOnce() -> Result<(), Failed> + Send + 'static,
) -> [Trial; 2] {
    let simulated = Trial::test(format!("simulated::{name}"), simulated);
    [simulated, self::real(name, real)]
}

/// The URLs of NATS and MongoDB, and the replicas of each stream.
pub(crate) type Servers = (String, String, u8);

/// The servers that all real cases share: a pair, or with `CLUSTER=1` a cluster.
pub(crate) async fn servers() -> Result<&'static Servers, ServersError> {
    static SERVERS: OnceCell<(Servers, Option<Cluster>)> = OnceCell::const_new();
    let start = async || -> Result<_, ServersError> {
        if std::env::var("CLUSTER").is_ok_and(|clustered| clustered == "1") {
            let cluster = Cluster::start(&Options::from_env()?).await?;
            let (nats, mongo) = (cluster.nats_url.clone(), cluster.mongo_url.clone());
            return Ok(((nats, mongo, NODES as u8), Some(cluster)));
        }
        let pair = servers::shared().await?;
        Ok(((pair.nats_url.clone(), pair.mongo_url.clone(), 1), None))
    };
    Ok(&SERVERS.get_or_try_init(start).await?.0)
}

/// A trial on real servers.
pub(crate) fn real(name: &str, run: impl FnOnce() -> Result<(), Failed> + Send + 'static) -> Trial {
    Trial::test(format!("real::{name}"), run).with_ignored_flag(servers::are_unwanted())
}

/// A name that no other case of this or any other process uses.
pub(crate) fn unique(prefix: &str) -> String {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    format!("{prefix}-{}-{number}", std::process::id())
}

/// Runs the trials on this many threads, unless the command line says otherwise, and exits.
pub(crate) fn run(trials: Vec<Trial>, threads: Option<usize>) -> ! {
    let mut arguments = Arguments::from_args();
    arguments.test_threads = arguments.test_threads.or(threads);
    libtest_mimic::run(&arguments, trials).exit()
}
