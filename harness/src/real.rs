//! The real world: the same services on real sockets, over NATS and MongoDB servers from the
//! crate `servers`.
//!
//! Next: [`world`].

mod external;
mod finished;
pub(crate) mod ingress;
mod instance;
mod instances;
mod serve;
pub mod world;

pub use world::Real;
