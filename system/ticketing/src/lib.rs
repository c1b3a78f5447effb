//! The composition root: the services of the ticketing system as one list, and what all of
//! them need to be told.
//!
//! The production binary and the rehearsals build the system from this list, so they run the
//! same. It opens no connection and reads no environment: ports and settings come from the
//! caller.

use std::fmt;
use std::time::Duration;

use auth::password::{Compute, Cost};
use axum::Router;
use identity::session::SessionConfig;
use payments::provider::ProviderConfig;
use platform::service::Service;
use ports::Ports;

/// What all prices are in.
pub const CURRENCY: &str = "usd";

/// All that the services are told.
#[derive(Clone)]
pub struct Settings {
    /// Sessions, the same in all services.
    pub session: SessionConfig,
    /// The addresses of the administrators.
    pub admins: Vec<String>,
    /// What hashing a password costs.
    pub password_cost: Cost,
    /// Where passwords are hashed.
    pub compute: Compute,
    /// How long an order holds its ticket unpaid.
    pub reservation_window: Duration,
    /// The payment provider.
    pub provider: ProviderConfig,
}

impl Settings {
    /// For rehearsals: a key that everybody knows, cookies over plain HTTP, the cheapest
    /// hash, computed in place. All else is as in production.
    pub fn rehearsal() -> Self {
        Self {
            session: SessionConfig {
                key: "a key that everybody knows".to_owned(),
                previous_key: None,
                lifetime: Duration::from_secs(60 * 60),
                secure: false,
            },
            admins: vec!["admin@example.org".to_owned()],
            password_cost: Cost::REHEARSAL,
            compute: Compute::inline(),
            reservation_window: Duration::from_secs(15 * 60),
            provider: ProviderConfig {
                url: "http://stripe.example".to_owned(),
                key: "sk_test_rehearsal".to_owned(),
                currency: CURRENCY.to_owned(),
            },
        }
    }
}

impl fmt::Debug for Settings {
    /// Without the keys: settings end up in logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("session", &self.session)
            .field("admins", &self.admins)
            .field("password_cost", &self.password_cost)
            .field("reservation_window", &self.reservation_window)
            .field("provider", &self.provider.url)
            .finish_non_exhaustive()
    }
}

/// One service of the system.
#[derive(Debug, Clone, Copy)]
pub struct Entry {
    /// Its name.
    pub name: &'static str,
    /// What the paths of its routes begin with, for an ingress; none where it has no routes.
    pub prefixes: &'static [&'static str],
    /// Builds it.
    pub build: fn(&Ports, &Settings) -> Service,
}

/// All services, in the order in which a purchase meets them.
pub const SERVICES: &[Entry] = &[
    Entry {
        name: auth::NAME,
        prefixes: &["/api/users"],
        build: |ports, settings| {
            let config = auth::Config {
                session: settings.session.clone(),
                admins: settings.admins.clone(),
                password_cost: settings.password_cost,
                compute: settings.compute.clone(),
            };
            auth::service(ports, &config)
        },
    },
    Entry {
        name: tickets::NAME,
        prefixes: &["/api/tickets"],
        build: |ports, settings| {
            let config = tickets::Config { session: settings.session.clone() };
            tickets::service(ports, &config)
        },
    },
    Entry {
        name: orders::NAME,
        prefixes: &["/api/orders"],
        build: |ports, settings| {
            let config = orders::Config {
                session: settings.session.clone(),
                reservation_window: settings.reservation_window,
            };
            orders::service(ports, &config)
        },
    },
    Entry {
        name: expiration::NAME,
        prefixes: &[],
        build: |ports, _| expiration::service(ports, &expiration::Config),
    },
    Entry {
        name: payments::NAME,
        prefixes: &["/api/payments"],
        build: |ports, settings| {
            let config = payments::Config {
                session: settings.session.clone(),
                provider: settings.provider.clone(),
            };
            payments::service(ports, &config)
        },
    },
];

/// The routes of several services behind one door: what none of them knows is not found.
pub fn ingress(routes: impl IntoIterator<Item = Router>) -> Router {
    let merged = routes.into_iter().fold(Router::new(), Router::merge);
    merged.fallback(platform::http::unknown_route)
}
