//! Searches: many runs of one subject, to find the one that violates an invariant.
//!
//! [`explore`] samples schedules and faults, [`exhaust`] visits every schedule of a small
//! scope, [`sweep`] crashes a service at every call, and [`confirm`] samples the neighborhood
//! of a failure after a fix. They report progress and return data; they render nothing.

pub mod confidence;
pub mod confirm;
pub mod exhaust;
pub mod explore;
pub mod neighborhood;
pub mod played;
pub mod races;
pub mod sweep;
pub mod threads;
