//! Ticketing as a subject of the harness: its operations, workloads, invariants, planted bugs,
//! Gherkin steps, and a fake of its payment provider.
//!
//! It uses only the public API of the harness. Outside of planted bugs it does not change how a
//! service behaves.
//!
//! Read `subject.rs` first, then [`operation`], [`clients`] and [`invariants`].

pub mod clients;
pub mod features;
pub mod invariants;
pub mod manner;
pub mod model;
pub mod operation;
pub mod oracle;
pub mod person;
pub mod planted;
pub mod provider;
pub mod scopes;
mod steps;
mod subject;
pub mod system;
pub mod workloads;

pub use system::Ticketing;
