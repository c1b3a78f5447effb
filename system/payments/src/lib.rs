//! Payments: charges for orders, and refunds of those that were cancelled after all.
//!
//! It owns the charge, and is the only one to talk to the payment provider. It does not decide
//! whether an order is paid or cancelled: orders does, and payments follows its events.
//!
//! The way through: [`routes`] and [`listeners`] bring something in, [`model`] decides,
//! [`store`] says how it lies in the database, [`charges`] carries each charge to its end with
//! the [`provider`].

pub mod charges;
pub mod listeners;
pub mod model;
pub mod provider;
pub mod routes;
pub mod store;

use std::sync::Arc;

use contracts::{OrderCancelled, OrderCompleted, OrderCreated, OrderUpdated};
use identity::session::{SessionConfig, Sessions};
use platform::collection::{Collection, CollectionSpec};
use platform::listen::Listener;
use platform::service::Service;
use platform::task::Wake;
use ports::Ports;
use ports::{clock::Clock, entropy::Entropy};

use charges::Charges;
use model::Order;
use provider::{Provider, ProviderConfig};

/// The name of its database, consumers and events' source.
pub const NAME: &str = "payments";

/// How this service is set up.
#[derive(Debug, Clone)]
pub struct Config {
    /// Sessions, the same in all services.
    pub session: SessionConfig,
    /// The payment provider.
    pub provider: ProviderConfig,
}

/// What routes, listeners and the charges' task work with.
#[derive(Clone)]
pub struct App {
    sessions: Sessions,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    orders: Collection<Order>,
    provider: Provider,
    /// Woken by whatever leaves a charge that is not at its end.
    unsettled: Wake,
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
        orders: Collection::new(ports),
        provider: Provider::new(&config.provider, ports),
        unsettled: Wake::default(),
    };
    Service {
        name: NAME,
        collections: vec![CollectionSpec::of::<Order>()],
        listeners: vec![
            app.sessions.listener(),
            Listener::on::<_, OrderCreated, _>(&app, |app, e| listeners::order(app, e.0)),
            Listener::on::<_, OrderUpdated, _>(&app, |app, e| listeners::order(app, e.0)),
            Listener::on::<_, OrderCancelled, _>(&app, |app, e| listeners::order(app, e.0)),
            Listener::on::<_, OrderCompleted, _>(&app, |app, e| listeners::order(app, e.0)),
        ],
        tasks: vec![Arc::new(app.orders.relay(NAME, ports)), Arc::new(Charges(app.clone()))],
        routes: routes::routes(app),
    }
}
