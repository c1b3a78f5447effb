//! The five ports: everything a service can do to the world outside it.
//!
//! A port is a small, object-safe trait with exactly two adapters: a real one in
//! the crate `adapters` and a simulated one in the harness. Both pass the same contract
//! tests, so a service cannot tell which it holds. No vendor type shows in a signature;
//! BSON documents do, because they are the data.
//!
//! Next: [`store`], [`bus`], [`http`], [`clock`], [`entropy`].

pub mod bus;
pub mod causality;
pub mod clock;
pub mod entropy;
pub mod http;
pub mod store;

use std::sync::Arc;

pub use jiff::Timestamp;

/// What one service instance is built from.
#[derive(Clone)]
pub struct Ports {
    /// The service's own database.
    pub store: Arc<dyn store::Store>,
    /// The message bus that all services share.
    pub bus: Arc<dyn bus::Bus>,
    /// Requests to parties outside the system.
    pub http: Arc<dyn http::Http>,
    /// What time it is, and waiting.
    pub clock: Arc<dyn clock::Clock>,
    /// Ids, salts and jitter.
    pub entropy: Arc<dyn entropy::Entropy>,
}
