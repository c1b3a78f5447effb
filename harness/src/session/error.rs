//! Why a session ends without a verdict.

use crate::invariants::Violation;
use crate::quiescence::NotQuiescent;
use crate::subject::Unprepared;
use crate::world::WorldError;

/// Why a run has no verdict: the harness failed, or a name or number does not exist.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// There is no planted bug of this name.
    #[error("there is no planted bug {0:?}; run `bugs --list` to list them")]
    UnknownBug(String),
    /// There is no workload of this name.
    #[error("there is no workload {0:?}")]
    UnknownWorkload(String),
    /// There is no call of this number to crash at.
    #[error("there is no call {0}")]
    UnknownCall(u64),
    /// An invariant is violated although no service crashes.
    #[error("an invariant is violated although no service crashes: {0}")]
    ViolatedAtRest(Violation),
    /// A run that violated an invariant does not violate it when repeated.
    #[error("the run of seed {0} passes when repeated: it is not deterministic")]
    NotDeterministic(u64),
    /// The clients could not be prepared.
    #[error("the clients cannot be prepared")]
    Unprepared(#[source] Unprepared),
    /// The real servers cannot be had.
    #[error(transparent)]
    Servers(#[from] servers::ServersError),
    /// The world failed.
    #[error(transparent)]
    World(#[from] WorldError),
}

/// A failure at the end of a run.
#[derive(Debug, thiserror::Error)]
pub(crate) enum EndError {
    /// The system does not reach quiescence: a finding.
    #[error(transparent)]
    NotQuiescent(#[from] NotQuiescent),
    /// A client could not be prepared.
    #[error(transparent)]
    Unprepared(Unprepared),
    /// The world failed.
    #[error(transparent)]
    World(#[from] WorldError),
}

impl EndError {
    /// The finding in it; otherwise the failure of the harness.
    pub(crate) fn into_finding(self) -> Result<NotQuiescent, RunError> {
        match self {
            Self::NotQuiescent(why) => Ok(why),
            Self::Unprepared(why) => Err(RunError::Unprepared(why)),
            Self::World(why) => Err(why.into()),
        }
    }
}

impl From<Unprepared> for EndError {
    fn from(why: Unprepared) -> Self {
        match why {
            Unprepared::NotQuiescent(why) => Self::NotQuiescent(why),
            Unprepared::World(why) => Self::World(why),
            why => Self::Unprepared(why),
        }
    }
}
