//! The command line of `mongod`, and the check that it is ready.

use std::process::Command;
use std::time::Duration;

use mongodb::Client;
use mongodb::bson::doc;
use mongodb::options::ClientOptions;

use crate::child::Child;
use crate::error::StartError;
use crate::launch::Launch;
use crate::server::Server;
use crate::start::{Starting, io};

const START_LIMIT: Duration = Duration::from_secs(60);
const CONNECT_LIMIT: Duration = Duration::from_secs(5);
/// Logged by every version once the port is open. The driver is used only after that, because
/// it pauses for half a second after a refused connection; and another server that took the
/// port cannot pass for this one.
const READY: &str = "Waiting for connections";

/// The size of the log of operations that the members of a replica set copy, in megabytes.
const OPLOG_SIZE: &str = "64";

/// Starts a server with its data in `folder`, and waits until it answers on `port`. A member of a
/// replica set takes writes only once the set has a primary.
pub(crate) async fn start(
    Launch { program, folder, port, arguments, .. }: &Launch,
    replica_set: Option<&str>,
) -> Result<Child, StartError> {
    let data = folder.join("mongod");
    std::fs::create_dir_all(&data).map_err(io("create the data folder of", program))?;
    let mut command = Command::new(program);
    command
        .args(["--bind_ip", "127.0.0.1", "--port", &port.to_string(), "--nounixsocket"])
        .arg("--dbpath")
        .arg(&data)
        // A small cache for little data, and no diagnostic files that nobody reads.
        .args(["--wiredTigerCacheSizeGB", "0.25"])
        .args(["--setParameter", "diagnosticDataCollectionEnabled=false"])
        // Documents expire within a second, not within a minute.
        .args(["--setParameter", "ttlMonitorSleepSecs=1"])
        // The journal stays on, without its 200 MB of preallocated files.
        .args(["--wiredTigerEngineConfigString", "log=(prealloc=false,file_max=16MB)"]);
    if let Some(name) = replica_set {
        command.args(["--replSet", name, "--oplogSize", OPLOG_SIZE]);
    }
    command.args(arguments);
    let mut starting =
        Starting::spawn(Server::Mongo, program, command, folder, *port, START_LIMIT).await?;
    while !starting.log()?.contains(READY) {
        starting.pause().await?;
    }
    match version(&format!("mongodb://127.0.0.1:{port}/?directConnection=true")).await {
        Ok(_) => Ok(starting.ready()),
        Err(source) => Err(StartError::NoAnswer { program: program.to_owned(), source }),
    }
}

/// Asks the server at `url` for its version, which also shows that it answers.
pub(crate) async fn version(url: &str) -> Result<String, mongodb::error::Error> {
    let mut options = ClientOptions::parse(url).await?;
    options.connect_timeout = Some(CONNECT_LIMIT);
    options.server_selection_timeout = Some(CONNECT_LIMIT);
    let client = Client::with_options(options)?;
    let answer = client.database("admin").run_command(doc! { "buildInfo": 1 }).await?;
    Ok(answer.get_str("version").unwrap_or("unknown").to_owned())
}
