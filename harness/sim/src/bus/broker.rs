//! The simulated broker: the state that all instances share, and the harness's view of it.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::{Mutex, MutexGuard};
use ports::Timestamp;
use ports::bus::{Pending, Stream};

use super::message::{StoredMessage, Unacknowledged};
use super::stream::Log;

/// The broker that all simulated instances of a world share. Clones share the same state.
///
/// Its methods are for the harness, not for services: they read without a scheduling decision.
#[derive(Clone)]
pub struct SimBroker(Arc<Mutex<State>>);

pub(super) struct State {
    /// Whether the streams exist.
    pub(super) ensured: bool,
    events: Log,
    dead: Log,
}

impl Default for SimBroker {
    /// A broker with a deduplication window of two minutes.
    fn default() -> Self {
        Self::new(Duration::from_secs(120))
    }
}

impl SimBroker {
    /// An empty broker with this deduplication window. Its streams do not exist until a service
    /// ensures them.
    pub fn new(window: Duration) -> Self {
        let (events, dead) = (Log::new(window), Log::new(window));
        Self(Arc::new(Mutex::new(State { ensured: false, events, dead })))
    }

    /// All messages of a stream at this time, oldest first.
    pub fn messages(&self, stream: Stream, now: Timestamp) -> Vec<Arc<StoredMessage>> {
        self.state().log(stream, now).messages().to_vec()
    }

    /// The progress of each consumer of a stream at this time, by name.
    pub fn pending(&self, stream: Stream, now: Timestamp) -> Vec<Pending> {
        self.state().log(stream, now).pending(now)
    }

    /// The unacknowledged deliveries at this time, by consumer, oldest message first.
    pub fn unacknowledged(&self, stream: Stream, now: Timestamp) -> Vec<Unacknowledged> {
        self.state().log(stream, now).unacknowledged(now)
    }

    /// The messages that reached a consumer's `max_deliver` without an acknowledgement, as
    /// consumer and position. The broker does not deliver these again.
    pub fn given_up(&self, stream: Stream, now: Timestamp) -> Vec<(String, u64)> {
        self.state().log(stream, now).given_up(now)
    }

    /// Drops this many of the newest events, as a broker does that is killed before they were
    /// synced to disk, and restarts. The acknowledgements that it had confirmed within 100 ms
    /// before are lost too, so their messages are delivered again; and so are the pull requests,
    /// which waiting subscribers send again.
    pub fn lose_tail(&self, messages: u32, now: Timestamp) {
        self.state().log(Stream::Events, now).lose_tail(messages as usize, now);
    }

    /// Deletes both streams with their messages and consumers, as an operator may.
    pub fn delete_streams(&self, now: Timestamp) {
        let mut state = self.state();
        state.ensured = false;
        state.events.delete(now);
        state.dead.delete(now);
    }

    /// Deletes a durable consumer, as an operator may.
    pub fn delete_consumer(&self, stream: Stream, name: &str, now: Timestamp) {
        self.state().log(stream, now).delete_durable(name, now);
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock()
    }
}

impl State {
    /// A stream as it is at this time.
    pub(super) fn log(&mut self, stream: Stream, now: Timestamp) -> &mut Log {
        let log = match stream {
            Stream::Events => &mut self.events,
            Stream::DeadLetters => &mut self.dead,
        };
        log.expire(now);
        log
    }

    /// True if a message has left a stream that nobody has noticed yet.
    pub(super) fn expires(&self, now: Timestamp) -> bool {
        self.events.expires(now) || self.dead.expires(now)
    }
}
