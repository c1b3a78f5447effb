//! The refusal of a filter, an update, a document or an index.

use ports::store::ReadError;

/// The reason for which the store rejects a call.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Rejected(pub(super) String);

impl From<Rejected> for ReadError {
    fn from(Rejected(reason): Rejected) -> Self {
        Self::Rejected(reason)
    }
}
