//! The real world: an ephemeral `nats-server` and `mongod`, real sockets, and the same
//! services.
//!
//! Start with [`servers`] (where the two come from), then [`world`].

mod external;
mod serve;
pub mod world;

pub use world::Real;
