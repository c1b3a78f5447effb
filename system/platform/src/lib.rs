//! The building blocks of a service: typed collections with an outbox, listeners, background
//! tasks, the HTTP edge, health and metrics.
//!
//! This crate names no service and no event. Code built on it spawns nothing, sleeps nowhere
//! and reads no clock by itself: it hands listeners and tasks to [`run::start`], and reaches
//! the outside through its [`ports::Ports`]. That is why the same service runs in production
//! and in a simulation.
//!
//! A service with one collection, one route and one listener:
//!
//! ```
//! use platform::prelude::*;
//!
//! // The state of a room, as the events of another service carry it.
//! #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
//! struct RoomState {
//!     id: String,
//!     version: i64,
//! }
//!
//! platform::events! {
//!     ROOM_EVENTS of RoomState, from "housekeeping" to ["frontdesk"]:
//!     RoomCleaned = "room.cleaned";
//! }
//!
//! // A document of this service.
//! #[derive(Clone, Serialize, Deserialize, JsonSchema)]
//! struct Key {
//!     id: String,
//!     cleaned: i64,
//! }
//!
//! impl Aggregate for Key {
//!     const COLLECTION: &'static str = "keys";
//! }
//!
//! async fn cleaned(keys: Collection<Key>, room: RoomState) -> Result<(), HandleError> {
//!     let decide = |key: Option<&Key>| match key {
//!         // A late or repeated event changes nothing.
//!         Some(key) if key.cleaned >= room.version => Decision::Superseded,
//!         _ => Decision::Write(Key { id: room.id.clone(), cleaned: room.version }, Vec::new()),
//!     };
//!     keys.apply(&room.id, decide).await?;
//!     Ok(())
//! }
//!
//! fn service(ports: &Ports) -> Service {
//!     let keys = Collection::new(ports);
//!     let routes = Routes::new((), [show("/keys/{id}", &keys, |key| key)]);
//!     Service::named("frontdesk")
//!         .routes(&["/keys"], routes)
//!         .collection(&keys)
//!         .on(ROOM_EVENTS, &keys, cleaned)
//! }
//! ```
//!
//! Next: [`collection`] (one write that carries its events), then [`service`] and [`run`].

pub mod activity;
pub mod agenda;
pub mod archive;
pub mod backoff;
pub mod catalogue;
pub mod chain;
pub mod collection;
mod consumer;
pub mod copy;
pub mod date;
pub mod deadletter;
mod document;
pub mod event;
pub mod handover;
pub mod health;
pub mod http;
pub mod listen;
pub mod memo;
mod memory;
pub mod metrics;
pub mod outbox;
pub mod outcome;
pub mod policy;
pub mod prelude;
pub mod read_your_writes;
pub mod renewal;
pub mod run;
pub mod service;
pub mod task;
pub mod wake;
