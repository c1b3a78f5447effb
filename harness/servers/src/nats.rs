//! How a `nats-server` is started, and how it is known to be ready.

use std::io;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use serde::Deserialize;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

use super::child::Child;
use super::error::StartError;
use super::pair::early_end;

/// What the client crate's features ask for.
const OLDEST: (u32, u32) = (2, 10);
const OLDEST_NAME: &str = "2.10";
const PATIENCE: Duration = Duration::from_secs(10);
const POLL: Duration = Duration::from_millis(1);

/// What a server says first on every connection.
#[derive(Debug, Deserialize)]
pub(super) struct Banner {
    #[serde(rename = "server_name")]
    pub(super) name: String,
    pub(super) version: String,
    #[serde(default)]
    pub(super) jetstream: bool,
}

/// Starts one in `folder` on `port` and waits until it serves JetStream there.
pub(super) async fn start(program: &Path, folder: &Path, port: u16) -> Result<Child, StartError> {
    let io = |doing: &str| {
        let doing = format!("{doing} {}", program.display());
        move |source| StartError::Io { doing, source }
    };
    // A name of our own: another server that took the port must not pass for this one.
    let name = format!("rehearsal-{}-{:016x}", std::process::id(), rand::random::<u64>());
    let mut command = Command::new(program);
    command
        .args(["--addr", "127.0.0.1", "--port", &port.to_string(), "--name", &name])
        .args(["--jetstream", "--store_dir"])
        .arg(folder.join("nats"));
    let began = Instant::now();
    let mut child = Child::spawn(command, &folder.join("nats.log"), &folder.join("nats.pid"))
        .await
        .map_err(io("start"))?;
    loop {
        match banner("127.0.0.1", port).await {
            Ok(banner) if banner.name == name && is_too_old(&banner.version) => {
                return Err(StartError::TooOld {
                    program: program.to_owned(),
                    found: banner.version,
                    needed: OLDEST_NAME,
                });
            }
            Ok(banner) if banner.name == name && banner.jetstream => return Ok(child),
            _ => {}
        }
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
}

/// Connects and reads what the server says first.
pub(super) async fn banner(host: &str, port: u16) -> io::Result<Banner> {
    let read = async {
        let mut line = String::new();
        BufReader::new(TcpStream::connect((host, port)).await?).read_line(&mut line).await?;
        let json = line.strip_prefix("INFO ").ok_or(io::ErrorKind::InvalidData)?;
        serde_json::from_str(json).map_err(io::Error::from)
    };
    timeout(Duration::from_secs(1), read).await.map_err(|_| io::ErrorKind::TimedOut)?
}

fn is_too_old(version: &str) -> bool {
    let mut parts = version.split('.').map(str::parse::<u32>);
    match (parts.next(), parts.next()) {
        (Some(Ok(major)), Some(Ok(minor))) => (major, minor) < OLDEST,
        // A build without a version number: let it show what it can do.
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::is_too_old;

    #[test]
    fn versions_are_compared_as_numbers() {
        assert!(is_too_old("2.9.10"));
        assert!(!is_too_old("2.10.0"));
        assert!(!is_too_old("2.15.1-RC.1"));
        assert!(!is_too_old("3.0.0"));
        assert!(!is_too_old("main"));
    }
}
