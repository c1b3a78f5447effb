//! The simulation: a deterministic kernel with virtual time, schedulers, and a simulated broker
//! and store behind the ports of [`ports`].

pub mod access;
pub mod bus;
pub mod call;
pub mod clock;
pub mod digest;
pub mod entropy;
pub mod external;
pub mod kernel;
pub mod scheduler;
pub mod store;
