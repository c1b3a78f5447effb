//! Payments: charges for orders, and refunds of charges whose order was cancelled.
//!
//! It owns the charge and is the only client of the payment provider. It does not decide whether
//! an order is paid or cancelled: orders does, and payments follows its events.
//!
//! Next: [`routes`] takes requests, [`listeners`] takes events, [`model`] decides, [`store`]
//! maps orders to the database, [`charges`] settles each charge with the [`provider`].

mod app;
pub mod charges;
pub mod listeners;
pub mod model;
pub mod provider;
pub mod routes;
pub mod store;

use contracts::ORDER_EVENTS;
use platform::service::Service;
use ports::Ports;

pub use app::{App, Config};

use charges::Charges;

/// The service's name: of its database, its consumers and the source of its events.
pub const NAME: &str = "payments";

/// The path prefixes of its routes.
pub const PATHS: &[&str] = &["/api/payments"];

/// Assembles the service from its ports.
#[must_use]
pub fn service(ports: &Ports, config: &Config) -> Service {
    let app = App::new(ports, config);
    Service::named(NAME)
        .routes(PATHS, routes::routes(app.clone()))
        .collection(&app.orders)
        .renewing(&app.orders)
        .listener(app.sessions.listener())
        .on(ORDER_EVENTS, &app, listeners::order)
        .task(Charges(app))
}
