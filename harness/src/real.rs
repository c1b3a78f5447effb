//! The real world: an ephemeral `nats-server` and `mongod`, real sockets, and the same
//! services.
//!
//! Start with [`servers`] (where the two come from), then [`world`].

mod outside;
mod serve;
pub mod servers;
pub mod world;

pub use world::Real;
