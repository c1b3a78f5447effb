//! Orders: the reservation of tickets, its end, and the state of each order.
//!
//! It owns the order and decides which buyer gets a ticket: the lock is an index, see [`store`].
//! It does not watch the clock (expiration does) and moves no money (payments does); it receives
//! the events of both and decides what they mean.
//!
//! Next: [`routes`] takes requests, [`listeners`] takes events, [`model`] decides, [`store`]
//! maps orders to the database.

mod app;
pub mod listeners;
pub mod model;
pub mod routes;
pub mod store;

use contracts::{CHARGE_EVENTS, EXPIRATION_EVENTS, TICKET_EVENTS};
use platform::service::Service;
use ports::Ports;

pub use app::{App, Config};

/// The service's name: of its database, its consumers and the source of its events.
pub const NAME: &str = "orders";

/// The path prefixes of its routes.
pub const PATHS: &[&str] = &["/api/orders"];

/// Assembles the service from its ports.
#[must_use]
pub fn service(ports: &Ports, config: &Config) -> Service {
    let app = App::new(ports, config);
    Service::named(NAME)
        .routes(PATHS, routes::routes(app.clone()))
        .listener(app.sessions.listener())
        .copy(TICKET_EVENTS, &app.tickets, "version")
        .renewing(&app.tickets)
        .collection(&app.orders)
        .renewing(&app.orders)
        .on(EXPIRATION_EVENTS, &app, listeners::expired)
        .on(CHARGE_EVENTS, &app, listeners::charge)
}
