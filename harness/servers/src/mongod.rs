//! How a `mongod` is started, and how it is known to be ready.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use mongodb::Client;
use mongodb::bson::doc;
use mongodb::options::ClientOptions;
use tokio::time::sleep;

use super::child::Child;
use super::error::StartError;
use super::pair::early_end;

const PATIENCE: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_millis(2);
/// In the log once the port is served; the driver is asked only then, because after a
/// refused connection it would wait half a second before it tries again.
const READY: &str = "Waiting for connections";

/// Starts one in `folder` on `port` and waits until it answers a ping there.
pub(super) async fn start(program: &Path, folder: &Path, port: u16) -> Result<Child, StartError> {
    let io = |doing: &str| {
        let doing = format!("{doing} {}", program.display());
        move |source| StartError::Io { doing, source }
    };
    let data = folder.join("mongod");
    std::fs::create_dir_all(&data).map_err(io("make the data folder of"))?;
    let mut command = Command::new(program);
    command
        .args(["--bind_ip", "127.0.0.1", "--port", &port.to_string(), "--nounixsocket"])
        .arg("--dbpath")
        .arg(&data)
        // Small, because the data is; and no statistics that nobody will read.
        .args(["--wiredTigerCacheSizeGB", "0.25"])
        .args(["--setParameter", "diagnosticDataCollectionEnabled=false"])
        // The journal stays on; only its 200 MB of files made in advance are left out.
        .args(["--wiredTigerEngineConfigString", "log=(prealloc=false,file_max=16MB)"]);
    let began = Instant::now();
    let mut child = Child::spawn(command, &folder.join("mongod.log"), &folder.join("mongod.pid"))
        .await
        .map_err(io("start"))?;
    while !child.log().text().map_err(io("read the log of"))?.contains(READY) {
        if let Some(status) = child.ended().map_err(io("watch"))? {
            return Err(early_end(program, port, status, child.log()));
        }
        if began.elapsed() > PATIENCE {
            return Err(StartError::TooSlow {
                program: program.to_owned(),
                waited: PATIENCE,
                log: child.log().tail(),
            });
        }
        sleep(POLL).await;
    }
    match ping(&format!("mongodb://127.0.0.1:{port}/?directConnection=true")).await {
        Ok(_) => Ok(child),
        Err(source) => Err(StartError::NoAnswer { program: program.to_owned(), source }),
    }
}

/// Asks the server at `url` for its version; that it answers is what matters.
pub(super) async fn ping(url: &str) -> Result<String, mongodb::error::Error> {
    let mut options = ClientOptions::parse(url).await?;
    options.connect_timeout = Some(Duration::from_secs(5));
    options.server_selection_timeout = Some(Duration::from_secs(5));
    let client = Client::with_options(options)?;
    let answer = client.database("admin").run_command(doc! { "buildInfo": 1 }).await?;
    Ok(answer.get_str("version").unwrap_or("unknown").to_owned())
}
