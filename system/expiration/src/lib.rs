//! Expiration: reports the end of each order's reservation window.
//!
//! It owns one durable timer per order. It does not decide what an expiry means: orders does.
//! It has no routes.
//!
//! Next: [`listeners`] takes events, [`model`] decides, [`store`] maps timers to the database,
//! [`timers`] fires those that are due.

mod app;
pub mod listeners;
pub mod model;
pub mod store;
pub mod timers;

use contracts::ORDER_EVENTS;
use platform::service::Service;
use ports::Ports;

pub use app::{App, Config};

use timers::Timers;

/// The service's name: of its database, its consumers and the source of its events.
pub const NAME: &str = "expiration";

/// Assembles the service from its ports.
#[must_use]
pub fn service(ports: &Ports, config: &Config) -> Service {
    let app = App::new(ports, config);
    Service::named(NAME)
        .collection(&app.timers)
        .renewing(&app.timers)
        .on(ORDER_EVENTS, &app, listeners::order)
        .task(Timers(app))
}
