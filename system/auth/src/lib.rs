//! Auth: accounts, sign-in, and bans.
//!
//! It owns email addresses and passwords. It does not verify sessions for other services: each
//! of them does so itself, from the token, and receives bans itself.
//!
//! Next: [`routes`] takes requests, [`model`] decides, [`store`] maps users to the database,
//! [`password`] hashes.

pub mod admins;
mod app;
mod audit;
mod input;
pub mod model;
pub mod password;
pub mod routes;
pub mod store;
pub mod throttle;

use platform::service::Service;
use ports::Ports;

pub use app::{App, Config};

/// The service's name: of its database, its consumers and the source of its events.
pub const NAME: &str = "auth";

/// The path prefixes of its routes.
pub const PATHS: &[&str] = &["/api/users"];

/// Assembles the service from its ports.
#[must_use]
pub fn service(ports: &Ports, config: &Config) -> Service {
    let app = App::new(ports, config);
    Service::named(NAME)
        .routes(PATHS, routes::routes(app.clone()))
        .collection(&app.users)
        .renewing(&app.users)
        .listener(app.sessions.listener())
}
