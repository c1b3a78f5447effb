//! The harness: runs services built on `platform`'s ports in a simulation or on real
//! servers, breaks them on purpose, and says whether they held.
//!
//! It never names a service or an event. Five rooms: what decides ([`sim::chooser`],
//! [`faults`]), what executes ([`sim`], [`real`]), what records ([`trace`]), what judges
//! ([`settle`], and the checkers that a user brings), and what renders ([`trace::json`]).
//!
//! Read [`system`] (what is rehearsed) and [`world`] (what a test holds) first.

pub mod conformance;
pub mod coverage;
pub mod faults;
pub mod linear;
pub mod real;
pub mod settle;
pub mod shrink;
pub mod sim;
pub mod system;
pub mod trace;
pub mod world;
