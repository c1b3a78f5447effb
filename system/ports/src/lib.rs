//! The five ports: everything a service can do to the world outside it.
//!
//! A port is a small, object-safe trait with exactly two adapters: a real one in the crate
//! `adapters` and a simulated one in the crate `sim`. Both pass the same conformance suite, so
//! a service cannot tell them apart. No vendor type appears in a signature; BSON documents do,
//! because they are the data. This crate has no adapter and no runtime.
//!
//! Code written against a port runs in production and in simulation unchanged:
//!
//! ```
//! use bson::doc;
//! use ports::Ports;
//! use ports::store::{Store, WriteError};
//!
//! /// Returns false if the note exists: the primary key decides, also between two instances.
//! async fn add_note(store: &dyn Store, id: &str, text: &str) -> Result<bool, WriteError> {
//!     match store.insert("notes", doc! { "_id": id, "text": text }).await {
//!         Ok(()) => Ok(true),
//!         Err(WriteError::Duplicate { .. }) => Ok(false),
//!         Err(error) => Err(error),
//!     }
//! }
//!
//! async fn run(ports: &Ports) -> Result<bool, WriteError> {
//!     let id = ports.entropy.id(ports.clock.now());
//!     add_note(&*ports.store, &id, "call the venue").await
//! }
//! ```
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

/// The ports of one service instance. Clones share the adapters.
#[derive(Clone)]
pub struct Ports {
    /// The service's own database.
    pub store: Arc<dyn store::Store>,
    /// The message bus shared by all services.
    pub bus: Arc<dyn bus::Bus>,
    /// Requests to external parties.
    pub http: Arc<dyn http::Http>,
    /// The current time, and waiting.
    pub clock: Arc<dyn clock::Clock>,
    /// Random bytes for ids and salts.
    pub entropy: Arc<dyn entropy::Entropy>,
}
