//! The contracts of the bus and store ports, as cases that every adapter must pass.
//!
//! A simulation is worth what it shares with the real thing. An adapter's tests run each case on
//! an empty store or broker of its own; here, a simulated store under one schedule:
//!
//! ```
//! use std::sync::Arc;
//!
//! use ports::Timestamp;
//! use sim::clock::SimClock;
//! use sim::kernel::{Kernel, drive};
//! use sim::scheduler::Random;
//! use sim::store::{SimDatabase, SimStore};
//!
//! for case in conformance::store::cases() {
//!     let kernel = Kernel::new(Timestamp::UNIX_EPOCH, Box::new(Random::new(7)));
//!     let store = SimStore::new(kernel.clone(), 1, "contract", SimDatabase::new());
//!     let (name, clock) = (case.name, SimClock(kernel.clone()));
//!     let run = async move { case.run(Arc::new(store), Arc::new(clock)).await };
//!     let outcome = drive(&kernel, run);
//!     outcome.unwrap_or_else(|deviation| panic!("{name}: {deviation}"));
//! }
//! ```
//!
//! Besides the cases, which somebody thought of, [`differential`] compares the simulation with a
//! real server on random calls. The cases know no adapter; the crate's own tests run each of them
//! in simulation and on real servers.

pub mod bus;
pub mod differential;
mod outcome;
pub mod store;

pub use outcome::{Nonconformance, Outcome};
