//! The simulated world: one thread, virtual time, and every call on a port a decision.

pub mod bus;
pub mod chooser;
pub mod clock;
pub mod entropy;
pub mod kernel;
pub mod store;
