//! Why a rehearsal of processes has no verdict.

use std::io;
use std::path::PathBuf;

use servers::ServersError;

use crate::session::RunError;
use crate::trace::InstanceId;
use crate::world::WorldError;

/// A rehearsal of processes has no verdict.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProcessesError {
    /// The subject does not declare how its services run as processes.
    #[error("{0} does not declare how its services run as processes (Subject::processes)")]
    Undeclared(&'static str),
    /// The subject has no workload to put load on the system.
    #[error("{0} has no workload for races on real servers")]
    NoWorkload(&'static str),
    /// The subject declares no sale.
    #[error("{0} declares no sale that a load could repeat: implement `Subject::sale`")]
    NoSale(&'static str),
    /// The servers run already and are not ours to break.
    #[error(
        "faults are injected into the servers, so they must be started here, not {0}: \
         set REHEARSAL_SERVERS to local or fetch"
    )]
    ForeignServers(String),
    /// The given program does not exist.
    #[error("there is no program {}", .0.display())]
    NoBinary(PathBuf),
    /// The program cannot be built.
    #[error("the program {package} cannot be built{why}; give its path with --binary")]
    Build {
        /// The cargo package.
        package: &'static str,
        /// The reason, after a colon, where cargo has not printed it.
        why: String,
    },
    /// The servers cannot be had, or did not survive a fault.
    #[error(transparent)]
    Servers(#[from] ServersError),
    /// The system refused something.
    #[error("cannot {action}: {source}")]
    Io {
        /// The action that was refused.
        action: &'static str,
        /// The reason.
        source: io::Error,
    },
    /// An instance did not become ready.
    #[error("{id} does not become ready; the end of its log:\n{log}")]
    NotReady {
        /// The instance.
        id: InstanceId,
        /// The end of its log.
        log: String,
    },
    /// The clients could not be prepared, or the outcome could not be read.
    #[error(transparent)]
    Run(#[from] RunError),
    /// The world failed.
    #[error(transparent)]
    World(#[from] WorldError),
}
