//! The configuration of orders, and the state that its routes and listeners share.

use std::sync::Arc;
use std::time::Duration;

use identity::session::{SessionConfig, Sessions};
use platform::collection::Collection;
use ports::Ports;
use ports::{clock::Clock, entropy::Entropy};

use crate::model::{Order, Ticket};

/// The configuration.
#[derive(Debug, Clone)]
pub struct Config {
    /// Sessions, the same in all services.
    pub session: SessionConfig,
    /// Time for which an unpaid order holds its ticket.
    pub reservation_window: Duration,
    /// The most open orders of one user, at least 1.
    pub max_open_orders: u32,
}

/// The state that routes and listeners share. Clones share it too.
#[derive(Clone)]
pub struct App {
    pub(crate) sessions: Sessions,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) entropy: Arc<dyn Entropy>,
    pub(crate) reservation_window: Duration,
    pub(crate) max_open_orders: u32,
    pub(crate) tickets: Collection<Ticket>,
    pub(crate) orders: Collection<Order>,
}

impl App {
    pub(crate) fn new(ports: &Ports, config: &Config) -> Self {
        Self {
            sessions: Sessions::new(&config.session, ports),
            clock: Arc::clone(&ports.clock),
            entropy: Arc::clone(&ports.entropy),
            reservation_window: config.reservation_window,
            max_open_orders: config.max_open_orders,
            tickets: Collection::new(ports),
            orders: Collection::new(ports),
        }
    }
}

impl AsRef<Sessions> for App {
    fn as_ref(&self) -> &Sessions {
        &self.sessions
    }
}
