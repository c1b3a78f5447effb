//! The ways to lock, a file each. All but [`look_then_insert`] admit one holder at a time.

mod conditional;
mod index;
mod lease;
pub mod look_then_insert;
mod single_update;
mod ticket;
pub mod transaction;
mod version;

use crate::Strategy;

/// The correct ways over one document at a time. [`transaction`] needs a replica set, and a port
/// of its own.
pub static STRATEGIES: [&Strategy; 5] = [
    &index::STRATEGY,
    &conditional::STRATEGY,
    &single_update::STRATEGY,
    &version::STRATEGY,
    &lease::STRATEGY,
];
