//! The real world: an ephemeral `nats-server` and `mongod`, and real sockets.

pub mod servers;
