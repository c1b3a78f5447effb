//! The configuration of expiration, and the state that its listeners and its task share.

use std::sync::Arc;

use platform::collection::Collection;
use platform::wake::Wake;
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
    /// Wakes the task when a timer is armed.
    pub(crate) armed: Wake,
}

impl App {
    pub(crate) fn new(ports: &Ports, _: &Config) -> Self {
        Self {
            clock: Arc::clone(&ports.clock),
            timers: Collection::new(ports),
            armed: Wake::default(),
        }
    }
}
