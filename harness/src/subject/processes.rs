//! The services of a subject as processes of their own, for `run --world processes`.

use std::net::SocketAddr;

use crate::time_scale::TimeScale;

/// The program that runs the services of a subject, each in a process of its own.
///
/// A process listens on the given address and answers `/readyz` there with 200 once it can serve
/// requests. It keeps its documents in the database `<namespace>-<service>` and its events in the
/// stream `<namespace>`, as the adapters of the platform do.
#[derive(Debug, Clone, Copy)]
pub struct Processes {
    /// The cargo package of the program; its binary has the same name.
    pub package: &'static str,
    /// The command line of one instance of a service.
    pub command_line: fn(&Launch<'_>) -> CommandLine,
}

/// The values that one instance of a service is started with.
#[derive(Debug, Clone)]
pub struct Launch<'a> {
    /// The service.
    pub service: &'a str,
    /// The address to listen on.
    pub listen: SocketAddr,
    /// The URL of the NATS server; in a cluster those of all nodes, separated by commas.
    pub nats_url: String,
    /// The number of replicas that the streams must have: 1, and 3 in a cluster.
    pub stream_replicas: u8,
    /// The URL of the MongoDB server; in a cluster that of the replica set.
    pub mongo_url: String,
    /// The base URL of the external services.
    pub external_url: String,
    /// The prefix of databases and streams.
    pub namespace: String,
    /// The deadlines and the ack wait of the run.
    pub time: &'a TimeScale,
}

/// The command line of a process, without its program.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CommandLine {
    /// The arguments.
    pub arguments: Vec<String>,
    /// The environment, in addition to the one of this process.
    pub environment: Vec<(&'static str, String)>,
}
