//! The outcome of a case, and the comparisons that cases are made of.

use std::fmt::Debug;

use ports::bus::{BusError, PublishError};
use ports::store::{ReadError, WriteError};

/// The outcome of a case, or of a part of it.
pub type Outcome<T = ()> = Result<T, Nonconformance>;

/// A deviation of an adapter from its port's contract.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Nonconformance {
    /// An observation differs from the contract.
    #[error("{0}")]
    Differs(String),
    /// A read failed unexpectedly.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// A write failed unexpectedly.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// A publish failed unexpectedly.
    #[error(transparent)]
    Publish(#[from] PublishError),
    /// Another call on the bus failed unexpectedly.
    #[error(transparent)]
    Bus(#[from] BusError),
}

/// Fails with this explanation unless the condition holds.
pub(crate) fn holds(condition: bool, explanation: impl FnOnce() -> String) -> Outcome {
    if condition { Ok(()) } else { Err(Nonconformance::Differs(explanation())) }
}

/// Fails unless the two are equal.
pub(crate) fn equal<T: PartialEq<U> + Debug, U: Debug>(found: T, expected: U) -> Outcome {
    holds(found == expected, || format!("found {found:?}, expected {expected:?}"))
}

/// Fails unless the two are equal, with a name for what is compared.
pub(crate) fn same<T: PartialEq + Debug>(name: &str, found: &T, expected: &T) -> Outcome {
    holds(found == expected, || format!("{name}: found {found:?}, expected {expected:?}"))
}
