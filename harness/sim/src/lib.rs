//! The simulation: a kernel with virtual time, schedulers, and a simulated broker and store
//! behind the ports of [`ports`].
//!
//! Every call on a simulated port waits until the scheduler lets it run, and then takes effect
//! at once. Nothing here reads the real clock, real randomness, threads, sockets or hash order.
//!
//! Start with [`kernel`].

pub mod access;
pub mod bus;
pub mod clock;
pub mod entropy;
pub mod external;
pub mod kernel;
pub mod scheduler;
pub mod store;
