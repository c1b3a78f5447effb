//! The configuration of expiration, and the state that its listeners and its task share.

use std::sync::Arc;

use platform::agenda::Agenda;
use platform::collection::Collection;
use ports::Ports;
use ports::clock::Clock;

use crate::model::Timer;

/// The configuration, which is empty: the time of an expiry comes with the order.
#[derive(Debug, Clone)]
pub struct Config;

/// The state that listeners and the timers' task share. Clones share it too.
#[derive(Clone)]
pub struct App {
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) timers: Collection<Timer>,
    /// Tells the task when a timer is armed.
    pub(crate) armed: Agenda,
}

impl App {
    pub(crate) fn new(ports: &Ports, _: &Config) -> Self {
        Self {
            clock: Arc::clone(&ports.clock),
            timers: Collection::new(ports),
            armed: Agenda::default(),
        }
    }
}
