//! The harness: runs services built on `platform`'s ports in a simulation or on real
//! servers, breaks them on purpose, and says whether they held.
//!
//! It never names a service or an event. Five rooms: what decides ([`sim::scheduler`],
//! [`faults`]), what executes ([`sim`], [`real`]), what records ([`trace`]), what judges
//! ([`quiescence`], and the checkers that a user brings), and what renders ([`report`]).
//!
//! Read [`system`] (what is rehearsed) and [`world`] (what a test holds) first.

pub mod coverage;
pub mod faults;
pub mod instance;
pub mod linearizability;
pub mod quiescence;
pub mod real;
pub mod report;
pub mod shrink;
pub mod simulated;
pub mod story;
pub mod system;
pub mod trace;
pub mod world;
