//! The settings of a server process: plain data, the same for every start.

use std::ffi::OsString;
use std::path::PathBuf;

use crate::server::Server;

/// The settings of a node, which every start uses.
#[derive(Debug, Clone)]
pub(crate) struct Launch {
    pub(crate) program: PathBuf,
    /// The folder of the data, the log and the process id.
    pub(crate) folder: PathBuf,
    pub(crate) port: u16,
    pub(crate) role: Role,
    /// Further arguments.
    pub(crate) arguments: Vec<OsString>,
}

/// The server of a node, and its part in a cluster; `None` for one that stands alone.
#[derive(Debug, Clone)]
pub(crate) enum Role {
    Nats(Option<Member>),
    /// With the name of its replica set.
    Mongo(Option<&'static str>),
}

impl Role {
    pub(crate) fn server(&self) -> Server {
        match self {
            Self::Nats(_) => Server::Nats,
            Self::Mongo(_) => Server::Mongo,
        }
    }
}

/// The part of a server in a cluster.
#[derive(Debug, Clone)]
pub(crate) struct Member {
    /// The name of the server, the same after every restart: the others know it by its name.
    pub(crate) name: String,
    /// The name of the cluster.
    pub(crate) cluster: String,
    /// The port for the other servers.
    pub(crate) port: u16,
    /// Those ports of all members.
    pub(crate) routes: Vec<u16>,
}
