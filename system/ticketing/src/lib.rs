//! The composition root: the services of the ticketing system as one list, and their settings.
//!
//! The production binary and the rehearsals build the system from this list, so they run the
//! same services. It opens no connection and reads no environment: ports and settings come from
//! the caller.

use std::fmt;
use std::time::Duration;

use auth::admins::Admins;
use auth::password::{Compute, Cost};
use axum::Router;
use identity::session::SessionConfig;
use payments::provider::ProviderConfig;
use platform::collection::Aggregate;
use platform::service::Service;
use ports::Ports;

/// The currency of all prices.
pub const CURRENCY: &str = "usd";

/// The claim of the administrator in a rehearsal.
pub const REHEARSAL_CLAIM: &str = "a claim that everybody knows";

/// The settings of all services.
#[derive(Clone)]
pub struct Settings {
    /// Sessions, the same in all services.
    pub session: SessionConfig,
    /// The administrators.
    pub admins: Admins,
    /// The cost of hashing a password.
    pub password_cost: Cost,
    /// The executor for password hashing.
    pub compute: Compute,
    /// Time for which an unpaid order holds its ticket.
    pub reservation_window: Duration,
    /// The most open orders of one user.
    pub max_open_orders: u32,
    /// The payment provider.
    pub provider: ProviderConfig,
}

impl Settings {
    /// Returns the settings for rehearsals: a public key, cookies over plain HTTP, a limit on open
    /// orders that few clients reach, and the cheapest hash, computed on the calling thread.
    /// Everything else is as in production.
    #[must_use]
    pub fn rehearsal() -> Self {
        Self {
            session: SessionConfig {
                key: "a key that everybody knows".to_owned(),
                previous_key: None,
                lifetime: Duration::from_secs(60 * 60),
                secure: false,
            },
            admins: Admins::new(&[], Some(REHEARSAL_CLAIM)),
            password_cost: Cost::REHEARSAL,
            compute: Compute::inline(),
            reservation_window: Duration::from_secs(15 * 60),
            max_open_orders: 8,
            provider: ProviderConfig {
                url: "http://stripe.example".to_owned(),
                key: "sk_test_rehearsal".to_owned(),
                currency: CURRENCY.to_owned(),
            },
        }
    }
}

impl fmt::Debug for Settings {
    /// Omits the keys: settings end up in logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("session", &self.session)
            .field("admins", &self.admins)
            .field("password_cost", &self.password_cost)
            .field("reservation_window", &self.reservation_window)
            .field("max_open_orders", &self.max_open_orders)
            .field("provider", &self.provider)
            .finish_non_exhaustive()
    }
}

/// One service of the system.
#[derive(Debug, Clone, Copy)]
pub struct Entry {
    /// Its name.
    pub name: &'static str,
    /// The path prefixes of its routes, for an ingress; empty for a service without HTTP.
    pub prefixes: &'static [&'static str],
    /// Assembles it from its ports.
    pub build: fn(&Ports, &Settings) -> Service,
}

/// All services, in the order in which a purchase reaches them.
pub const SERVICES: &[Entry] = &[
    Entry {
        name: auth::NAME,
        prefixes: auth::PATHS,
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
        prefixes: tickets::PATHS,
        build: |ports, settings| {
            let config = tickets::Config { session: settings.session.clone() };
            tickets::service(ports, &config)
        },
    },
    Entry {
        name: orders::NAME,
        prefixes: orders::PATHS,
        build: |ports, settings| {
            let config = orders::Config {
                session: settings.session.clone(),
                reservation_window: settings.reservation_window,
                max_open_orders: settings.max_open_orders,
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
        prefixes: payments::PATHS,
        build: |ports, settings| {
            let config = payments::Config {
                session: settings.session.clone(),
                provider: settings.provider.clone(),
            };
            payments::service(ports, &config)
        },
    },
];

/// The collections whose documents leave some time after their end: service and collection.
pub const LEAVING: &[(&str, &str)] = &[
    (tickets::NAME, tickets::model::Ticket::COLLECTION),
    (orders::NAME, orders::model::Ticket::COLLECTION),
    (orders::NAME, orders::model::Order::COLLECTION),
    (expiration::NAME, expiration::model::Timer::COLLECTION),
    (payments::NAME, payments::model::Order::COLLECTION),
];

/// Merges the routes of several services; every other path responds with 404.
pub fn ingress(routes: impl IntoIterator<Item = Router>) -> Router {
    let merged = routes.into_iter().fold(Router::new(), Router::merge);
    merged.fallback(platform::http::unknown_route)
}
