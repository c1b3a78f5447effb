//! The command line of `nats-server`, and the check that it is ready.

use std::io;
use std::process::Command;
use std::time::Duration;

use serde::Deserialize;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::child::Child;
use crate::error::StartError;
use crate::launch::{Launch, Member};
use crate::server::Server;
use crate::start::Starting;

/// The oldest version with the features that the client crate is built for.
const OLDEST: (u32, u32) = (2, 10);
/// The same, for messages.
pub(crate) const OLDEST_VERSION: &str = "2.10";
const START_LIMIT: Duration = Duration::from_secs(10);
const BANNER_LIMIT: Duration = Duration::from_secs(1);

/// The `INFO` message that a server sends first on every connection.
#[derive(Debug, Deserialize)]
pub(crate) struct Banner {
    #[serde(rename = "server_name")]
    pub(crate) name: String,
    pub(crate) version: String,
    #[serde(default)]
    pub(crate) jetstream: bool,
}

/// A unique name, because another server that took the port must not pass for this one.
pub(crate) fn unique_name() -> String {
    format!("rehearsal-{}-{:016x}", std::process::id(), rand::random::<u64>())
}

/// Starts a server with its data in `folder`, and waits until JetStream is enabled on `port`. A
/// member of a cluster serves JetStream only once the members have a leader.
pub(crate) async fn start(
    Launch { program, folder, port, arguments, .. }: &Launch,
    member: Option<&Member>,
) -> Result<Child, StartError> {
    let name = member.map_or_else(unique_name, |member| member.name.clone());
    let mut command = Command::new(program);
    command
        .args(["--addr", "127.0.0.1", "--port", &port.to_string(), "--name", &name])
        .args(["--jetstream", "--store_dir"])
        .arg(folder.join("nats"));
    if let Some(Member { cluster, port, routes, .. }) = member {
        let route = |port: &u16| format!("nats://127.0.0.1:{port}");
        let routes: Vec<String> = routes.iter().map(route).collect();
        command.args(["--cluster_name", cluster, "--cluster", &route(port)]).args([
            "--routes",
            &routes.join(","),
            "--no_advertise",
        ]);
    }
    command.args(arguments);
    let mut starting =
        Starting::spawn(Server::Nats, program, command, folder, *port, START_LIMIT).await?;
    loop {
        match banner("127.0.0.1", *port).await {
            Ok(banner) if banner.name == name && is_too_old(&banner.version) => {
                return Err(StartError::TooOld {
                    program: program.to_owned(),
                    found: banner.version,
                    required: OLDEST_VERSION,
                });
            }
            Ok(banner) if banner.name == name && banner.jetstream => return Ok(starting.ready()),
            _ => starting.pause().await?,
        }
    }
}

/// Connects, and reads the server's first message.
pub(crate) async fn banner(host: &str, port: u16) -> io::Result<Banner> {
    let read = async {
        let mut line = String::new();
        BufReader::new(TcpStream::connect((host, port)).await?).read_line(&mut line).await?;
        let json = line.strip_prefix("INFO ").ok_or(io::ErrorKind::InvalidData)?;
        serde_json::from_str(json).map_err(io::Error::from)
    };
    timeout(BANNER_LIMIT, read).await.map_err(|_| io::ErrorKind::TimedOut)?
}

/// Whether a version lacks required features. One that is not a number (a development build)
/// is accepted.
pub(crate) fn is_too_old(version: &str) -> bool {
    let mut parts = version.split('.').map(str::parse::<u32>);
    match (parts.next(), parts.next()) {
        (Some(Ok(major)), Some(Ok(minor))) => (major, minor) < OLDEST,
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
