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
//! use axum::extract::State;
//! use axum::routing::get;
//! use axum::{Json, Router};
//! use platform::collection::{Aggregate, Collection, Decision};
//! use platform::event::{Event, EventGroup, EventType};
//! use platform::http::{ApiError, Id};
//! use platform::listen::HandleError;
//! use platform::service::Service;
//! use ports::Ports;
//! use ports::store::Index;
//! use serde::{Deserialize, Serialize};
//!
//! // An event of another service. It carries state, so a reader needs only the newest one.
//! #[derive(Serialize, Deserialize, schemars::JsonSchema)]
//! struct RoomCleaned {
//!     room: String,
//!     version: i64,
//! }
//!
//! impl Event for RoomCleaned {
//!     const NAME: &'static str = "RoomCleaned";
//!     const SUBJECT: &'static str = "room.cleaned";
//!
//!     fn aggregate(&self) -> &str {
//!         &self.room
//!     }
//! }
//!
//! const ROOM_EVENTS: EventGroup<RoomCleaned> =
//!     EventGroup::new(&[EventType::of::<RoomCleaned>()]);
//!
//! // A document of this service.
//! #[derive(Clone, Serialize, Deserialize)]
//! struct Room {
//!     #[serde(rename = "_id")]
//!     id: String,
//!     version: i64,
//! }
//!
//! impl Aggregate for Room {
//!     const COLLECTION: &'static str = "rooms";
//!
//!     fn indexes() -> Vec<Index> {
//!         Vec::new()
//!     }
//!
//!     fn id(&self) -> &str {
//!         &self.id
//!     }
//! }
//!
//! #[derive(Clone)]
//! struct App {
//!     rooms: Collection<Room>,
//! }
//!
//! async fn show(State(app): State<App>, Id(id): Id) -> Result<Json<Room>, ApiError> {
//!     let room = app.rooms.get(&id).await?;
//!     room.map(Json).ok_or_else(ApiError::not_found)
//! }
//!
//! async fn cleaned(app: App, event: RoomCleaned) -> Result<(), HandleError> {
//!     let decide = |room: Option<&Room>| {
//!         Ok::<_, HandleError>(match room {
//!             // A late or repeated event changes nothing.
//!             Some(room) if room.version >= event.version => Decision::Keep,
//!             _ => {
//!                 let next = Room { id: event.room.clone(), version: event.version };
//!                 Decision::Write(next, Vec::new())
//!             }
//!         })
//!     };
//!     app.rooms.change(&event.room, decide).await?;
//!     Ok(())
//! }
//!
//! fn service(ports: &Ports) -> Service {
//!     let app = App { rooms: Collection::new(ports) };
//!     let routes = Router::new().route("/rooms/{id}", get(show)).with_state(app.clone());
//!     Service::named("frontdesk")
//!         .routes(&["/rooms"], routes)
//!         .collection::<Room>()
//!         .on(ROOM_EVENTS, &app, cleaned)
//!         .task(app.rooms.relay("frontdesk", ports))
//! }
//! ```
//!
//! Next: [`collection`] (one write that carries its events), then [`service`] and [`run`].

pub mod activity;
pub mod backoff;
pub mod catalogue;
pub mod chain;
pub mod collection;
mod consumer;
pub mod date;
pub mod deadletter;
pub mod event;
pub mod health;
pub mod http;
pub mod listen;
pub mod metrics;
pub mod outbox;
pub mod outcome;
pub mod policy;
pub mod read_your_writes;
pub mod run;
pub mod service;
pub mod task;
pub mod wake;
