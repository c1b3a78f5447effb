//! Expiration: says when an order's time is up.
//!
//! It owns one durable timer per order. It does not decide what the end of the time means:
//! orders does.
//!
//! The way through: [`listeners`] bring something in, [`model`] decides, [`store`] says how
//! it lies in the database, [`timers`] fires what is due.

pub mod listeners;
pub mod model;
pub mod store;
pub mod timers;

use std::sync::Arc;

use axum::Router;
use contracts::{OrderCancelled, OrderCompleted, OrderCreated, OrderUpdated};
use platform::collection::{Collection, CollectionSpec};
use platform::listen::Listener;
use platform::service::Service;
use platform::task::Wake;
use ports::Ports;
use ports::clock::Clock;

use model::Timer;
use timers::Timers;

/// The name of its database, consumers and events' source.
pub const NAME: &str = "expiration";

/// How this service is set up: there is nothing to say.
#[derive(Debug, Clone)]
pub struct Config;

/// What listeners and the timers' task work with.
#[derive(Clone)]
pub struct App {
    clock: Arc<dyn Clock>,
    timers: Collection<Timer>,
    /// Woken by whatever arms a timer.
    armed: Wake,
}

/// The service, built from its ports.
pub fn service(ports: &Ports, _: &Config) -> Service {
    let app = App {
        clock: Arc::clone(&ports.clock),
        timers: Collection::new(ports),
        armed: Wake::default(),
    };
    Service {
        name: NAME,
        collections: vec![CollectionSpec::of::<Timer>()],
        listeners: vec![
            Listener::on::<_, OrderCreated, _>(&app, |app, e| listeners::order(app, e.0)),
            Listener::on::<_, OrderUpdated, _>(&app, |app, e| listeners::order(app, e.0)),
            Listener::on::<_, OrderCancelled, _>(&app, |app, e| listeners::order(app, e.0)),
            Listener::on::<_, OrderCompleted, _>(&app, |app, e| listeners::order(app, e.0)),
        ],
        tasks: vec![Arc::new(app.timers.relay(NAME, ports)), Arc::new(Timers(app))],
        routes: Router::new(),
    }
}
