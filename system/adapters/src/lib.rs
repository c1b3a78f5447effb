//! The real adapter of each port: NATS JetStream, MongoDB, HTTP, the system clock and the
//! operating system's randomness.
//!
//! ```no_run
//! # async fn compose() -> Result<(), Box<dyn std::error::Error>> {
//! use std::sync::Arc;
//! use std::time::Duration;
//!
//! use adapters::jetstream::JetStream;
//! use adapters::mongo::Mongo;
//! use adapters::reqwest::Reqwest;
//! use adapters::system::{SystemClock, SystemEntropy};
//!
//! let ports = ports::Ports {
//!     store: Arc::new(Mongo::connect("mongodb://127.0.0.1", "shop-orders").await?),
//!     bus: Arc::new(JetStream::connect("nats://user:password@127.0.0.1", "shop").await?),
//!     http: Arc::new(Reqwest::new(Duration::from_secs(10))),
//!     clock: Arc::new(SystemClock),
//!     entropy: Arc::new(SystemEntropy),
//! };
//! # let _ = ports;
//! # Ok(())
//! # }
//! ```
//!
//! No other crate that ships names a driver, and no driver's type appears in a port. The traits
//! are in the crate `ports`; each adapter here passes the same conformance cases as its
//! simulated counterpart.

#[expect(clippy::disallowed_methods, reason = "a real connection waits in real time")]
pub mod jetstream;
#[expect(clippy::disallowed_methods, reason = "a real connection waits in real time")]
pub mod mongo;
pub mod reqwest;
#[expect(clippy::disallowed_methods, reason = "this is where the Clock port gets real time")]
pub mod system;
