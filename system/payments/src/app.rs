//! The configuration of payments, and the state that its routes, listeners and task share.

use std::sync::Arc;

use identity::session::{SessionConfig, Sessions};
use platform::agenda::Agenda;
use platform::collection::Collection;
use platform::metrics::Counter;
use ports::Ports;
use ports::{clock::Clock, entropy::Entropy};

use crate::model::Order;
use crate::provider::{Provider, ProviderConfig};

/// The configuration.
#[derive(Debug, Clone)]
pub struct Config {
    /// Sessions, the same in all services.
    pub session: SessionConfig,
    /// The payment provider.
    pub provider: ProviderConfig,
}

/// The state that routes, listeners and the charges' task share. Clones share it too.
#[derive(Clone)]
pub struct App {
    pub(crate) sessions: Sessions,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) entropy: Arc<dyn Entropy>,
    pub(crate) orders: Collection<Order>,
    pub(crate) provider: Provider,
    /// Tells the task when a charge is left unsettled.
    pub(crate) unsettled: Agenda,
    /// Counts the charges that must be refunded and that the provider refuses to refund.
    pub(crate) unrefundable: Counter,
}

impl App {
    pub(crate) fn new(ports: &Ports, config: &Config) -> Self {
        Self {
            sessions: Sessions::new(&config.session, ports),
            clock: Arc::clone(&ports.clock),
            entropy: Arc::clone(&ports.entropy),
            orders: Collection::new(ports),
            provider: Provider::new(&config.provider, ports),
            unsettled: Agenda::default(),
            unrefundable: Counter::default(),
        }
    }
}

impl AsRef<Sessions> for App {
    fn as_ref(&self) -> &Sessions {
        &self.sessions
    }
}
