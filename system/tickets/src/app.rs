//! The configuration of tickets, and the state that its routes and listeners share.

use identity::session::{SessionConfig, Sessions};
use platform::collection::Collection;
use ports::Ports;

use crate::model::Ticket;

/// The configuration.
#[derive(Debug, Clone)]
pub struct Config {
    /// Sessions, the same in all services.
    pub session: SessionConfig,
}

/// The state that routes and listeners share. Clones share it too.
#[derive(Clone)]
pub struct App {
    pub(crate) sessions: Sessions,
    pub(crate) tickets: Collection<Ticket>,
}

impl App {
    pub(crate) fn new(ports: &Ports, config: &Config) -> Self {
        Self { sessions: Sessions::new(&config.session, ports), tickets: Collection::new(ports) }
    }
}

impl AsRef<Sessions> for App {
    fn as_ref(&self) -> &Sessions {
        &self.sessions
    }
}
