//! The simulated world: one thread, virtual time, and every call on a port a decision.
//!
//! Nothing here reads the real clock, real randomness, threads, sockets or hash order.
//! Start with [`kernel`], then [`world`].

pub mod bus;
pub mod chooser;
pub mod clock;
pub mod entropy;
pub mod kernel;
pub mod outside;
pub mod store;
pub mod touch;
pub mod world;

pub use world::Simulated;
