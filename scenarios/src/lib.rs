//! Ticketing as a subject of the harness: its operations, workloads, invariants, planted bugs
//! and Gherkin steps, and the payment provider that stands in.
//!
//! It uses the harness exactly as a stranger would, and never changes how a service behaves.
//!
//! Read `subject.rs` first, then [`operation`], [`clients`] and [`invariants`].

pub mod clients;
pub mod features;
pub mod invariants;
pub mod operation;
pub mod person;
pub mod planted;
pub mod provider;
pub mod scopes;
mod steps;
mod subject;
pub mod system;
pub mod workloads;

pub use system::Ticketing;
