//! The name of one of the two servers.
//!
//! It starts nothing; see `nats.rs` and `mongod.rs` for that.

use std::fmt;

/// One of the two servers of a pair. Displays as the name of its binary.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Server {
    /// `nats-server`, with JetStream.
    Nats,
    /// `mongod`.
    Mongo,
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Nats => "nats-server",
            Self::Mongo => "mongod",
        })
    }
}
