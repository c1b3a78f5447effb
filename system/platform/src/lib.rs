//! What every service shares: the ports and their real adapters, the outbox, listeners,
//! background tasks, sessions, bans, HTTP errors, telemetry.
//!
//! It never names a service, nor an event other than the two bans that it carries out
//! itself. A service built on it spawns nothing, sleeps nowhere and reads no clock by
//! itself: it hands listeners and tasks to [`run::start`].
//!
//! Read [`ports`] first, then [`collection`] (one write that carries its events), then
//! [`service`] and [`run`].

pub mod activity;
pub mod catalogue;
pub mod collection;
pub mod date;
pub mod deadletter;
pub mod event;
pub mod health;
pub mod http;
pub mod listen;
pub mod metrics;
pub mod outbox;
pub mod read_your_writes;
pub mod run;
pub mod service;
pub mod task;
