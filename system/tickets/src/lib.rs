//! Tickets: the listings, their prices, and the order that holds each of them.
//!
//! It owns the ticket, including its price. It does not decide which buyer gets a ticket: orders
//! does, and tickets follows its events by their fencing numbers.
//!
//! Next: [`routes`] takes requests, [`listeners`] takes events, [`model`] decides, [`store`]
//! maps tickets to the database.

mod app;
pub mod listeners;
pub mod model;
pub mod routes;
pub mod store;

use contracts::ORDER_EVENTS;
use platform::service::Service;
use ports::Ports;

pub use app::{App, Config};

/// The service's name: of its database, its consumers and the source of its events.
pub const NAME: &str = "tickets";

/// The path prefixes of its routes.
pub const PATHS: &[&str] = &["/api/tickets"];

/// Assembles the service from its ports.
#[must_use]
pub fn service(ports: &Ports, config: &Config) -> Service {
    let app = App::new(ports, config);
    Service::named(NAME)
        .routes(PATHS, routes::routes(app.clone()))
        .collection(&app.tickets)
        .renewing(&app.tickets)
        .listener(app.sessions.listener())
        .on(ORDER_EVENTS, &app, listeners::order)
}
