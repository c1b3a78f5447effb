//! Orders: who holds which ticket, until when, and how that ends.
//!
//! It owns the order and decides who gets a ticket: the lock is an index, see [`store`]. It
//! does not watch the time (expiration does) and moves no money (payments does); it hears of
//! both and decides what they mean.
//!
//! The way through: [`routes`] and [`listeners`] bring something in, [`model`] decides,
//! [`store`] says how it lies in the database.

pub mod listeners;
pub mod model;
pub mod routes;
pub mod store;

use std::sync::Arc;
use std::time::Duration;

use contracts::{ChargeCreated, ChargeUpdated, OrderExpired, TicketCreated, TicketUpdated};
use identity::session::{SessionConfig, Sessions};
use platform::collection::{Collection, CollectionSpec};
use platform::listen::Listener;
use platform::service::Service;
use ports::Ports;
use ports::{clock::Clock, entropy::Entropy};

use model::{Order, Ticket};

/// The name of its database, consumers and events' source.
pub const NAME: &str = "orders";

/// How this service is set up.
#[derive(Debug, Clone)]
pub struct Config {
    /// Sessions, the same in all services.
    pub session: SessionConfig,
    /// How long an order holds its ticket unpaid.
    pub reservation_window: Duration,
}

/// What routes and listeners work with.
#[derive(Clone)]
pub struct App {
    sessions: Sessions,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    reservation_window: Duration,
    tickets: Collection<Ticket>,
    orders: Collection<Order>,
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
        reservation_window: config.reservation_window,
        tickets: Collection::new(ports),
        orders: Collection::new(ports),
    };
    Service {
        name: NAME,
        collections: vec![CollectionSpec::of::<Ticket>(), CollectionSpec::of::<Order>()],
        listeners: vec![
            app.sessions.listener(),
            Listener::on::<_, TicketCreated, _>(&app, |app, e| listeners::ticket(app, e.0)),
            Listener::on::<_, TicketUpdated, _>(&app, |app, e| listeners::ticket(app, e.0)),
            Listener::on::<_, OrderExpired, _>(&app, listeners::expired),
            Listener::on::<_, ChargeCreated, _>(&app, |app, e| listeners::charge(app, e.0)),
            Listener::on::<_, ChargeUpdated, _>(&app, |app, e| listeners::charge(app, e.0)),
        ],
        tasks: vec![Arc::new(app.orders.relay(NAME, ports))],
        routes: routes::routes(app),
    }
}
