//! Searches: many runs of one subject, to find the one that violates an invariant.
//!
//! [`explore`] samples schedules and faults, [`exhaust`] visits every schedule of a small
//! scope, [`sweep`] crashes a service at every call, [`causes`] shrinks and groups what they find,
//! [`nearest`] finds the run to compare a failure with, and [`confirm`] samples the neighborhood of
//! a failure after a fix. They report progress and return data; they render nothing.

pub mod causes;
pub mod confidence;
pub mod confirm;
pub mod exhaust;
pub mod explore;
mod kin;
pub mod nearest;
pub mod neighborhood;
pub mod played;
pub mod races;
pub mod sweep;
pub mod threads;
