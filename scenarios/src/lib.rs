//! What is particular to ticketing: the parties outside the system, and what a run of it is
//! made of and judged by.
//!
//! It never changes how a service behaves: what it needs of one, it asks over its ports.

pub mod provider;
