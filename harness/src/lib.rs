//! Rehearsal finds what breaks in an event-driven system when messages misbehave, services
//! crash and clients act concurrently, and returns each finding as a minimal reproduction.
//!
//! A system built on [`platform`] runs in a deterministic simulation or on real servers.
//! Describe it as a [`Subject`], and its program is one line:
//!
//! ```no_run
//! # use std::process::ExitCode;
//! # use harness::Subject;
//! # fn program(shop: impl Subject) -> ExitCode {
//! harness::cli::main(shop)
//! # }
//! ```
//!
//! The parts: the system under rehearsal ([`subject`]), what varies in it ([`settings`]), one run
//! ([`case`], [`run`], [`session`]),
//! its results ([`trace`], [`history`], [`evidence`]), the checks ([`invariants`],
//! [`linearizability`]), finding and shrinking failures ([`search`], [`shrink`]), presenting them
//! ([`story`], [`report`]), the system in a browser ([`up`]), and the commands ([`cli`]).
//!
//! The harness never names a service, an event or a field of its subject.

pub mod bugs;
pub mod case;
pub mod catalog;
pub mod cli;
pub mod console;
pub mod coverage;
pub mod duration;
pub mod evidence;
pub mod export;
pub mod faults;
pub mod gherkin;
pub mod history;
mod inert;
pub mod instance;
pub mod invariants;
mod letter_case;
pub mod linearizability;
pub mod prelude;
pub mod processes;
pub mod quiescence;
pub mod real;
pub mod regressions;
pub mod report;
pub mod run;
pub mod script;
pub mod search;
pub mod session;
pub mod settings;
pub mod shrink;
pub mod simulated;
mod sources;
pub mod story;
pub mod subject;
pub mod system;
pub mod test_target;
pub mod time_scale;
pub mod topology;
pub mod trace;
pub mod up;
pub mod world;

pub use subject::Subject;
