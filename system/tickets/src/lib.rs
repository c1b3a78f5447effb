//! Tickets: listing and editing what is for sale, and knowing which order holds each.
//!
//! It owns the ticket, its price included. It does not decide who gets a ticket: orders does,
//! and tickets follows its events, by their fencing number.
//!
//! The way through: [`routes`] and [`listeners`] bring something in, [`model`] decides,
//! [`store`] says how it lies in the database.

pub mod listeners;
pub mod model;
pub mod routes;
pub mod store;

use std::sync::Arc;

use contracts::{OrderCancelled, OrderCompleted, OrderCreated, OrderUpdated};
use identity::session::{SessionConfig, Sessions};
use platform::collection::{Collection, CollectionSpec};
use platform::listen::Listener;
use platform::service::Service;
use ports::Ports;
use ports::{clock::Clock, entropy::Entropy};

use model::Ticket;

/// The name of its database, consumers and events' source.
pub const NAME: &str = "tickets";

/// How this service is set up.
#[derive(Debug, Clone)]
pub struct Config {
    /// Sessions, the same in all services.
    pub session: SessionConfig,
}

/// What routes and listeners work with.
#[derive(Clone)]
pub struct App {
    sessions: Sessions,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    tickets: Collection<Ticket>,
}

impl AsRef<Sessions> for App {
    fn as_ref(&self) -> &Sessions {
        &self.sessions
    }
}

/// The service, built from its ports.
pub fn service(ports: &Ports, config: &Config) -> Service {
    let app = App {
        sessions: Sessions::new(&config.session, ports),
        clock: Arc::clone(&ports.clock),
        entropy: Arc::clone(&ports.entropy),
        tickets: Collection::new(ports),
    };
    Service {
        name: NAME,
        collections: vec![CollectionSpec::of::<Ticket>()],
        listeners: vec![
            app.sessions.listener(),
            Listener::on::<_, OrderCreated, _>(&app, |app, e| listeners::order(app, e.0)),
            Listener::on::<_, OrderUpdated, _>(&app, |app, e| listeners::order(app, e.0)),
            Listener::on::<_, OrderCancelled, _>(&app, |app, e| listeners::order(app, e.0)),
            Listener::on::<_, OrderCompleted, _>(&app, |app, e| listeners::order(app, e.0)),
        ],
        tasks: vec![Arc::new(app.tickets.relay(NAME, ports))],
        routes: routes::routes(app),
    }
}
