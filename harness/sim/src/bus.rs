//! The simulated broker: JetStream's rules in memory and in virtual time.
//!
//! It keeps what the real one keeps: streams with a window of known ids, consumers with their
//! position, and for each unacknowledged delivery when it is due again and how often it was
//! made. Every call takes a turn of the kernel first and has its effect at once, and so a
//! delivery is a decision too. It never drops, repeats or reorders anything by itself beyond
//! what the rules say; that is for faults, which are laid around the port.

mod accesses;
mod consumer;
mod rules;
mod stream;
mod subscription;

use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use async_trait::async_trait;
use ports::Timestamp;
use ports::bus::{
    Bus, BusError, Consumer, Group, Message, Pending, PublishError, Published, Stream, Subscription,
};

use super::kernel::{Call, Kernel, Port};
use stream::Log;
use subscription::{Place, SimSubscription};

/// A message as a stream keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// The message as it was published.
    pub message: Message,
    /// Position in the stream, from 1.
    pub sequence: u64,
    /// When it was accepted.
    pub published: Timestamp,
}

/// A delivery that nobody has acknowledged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unacknowledged {
    /// The consumer's name.
    pub consumer: String,
    /// The message's position in the stream.
    pub sequence: u64,
    /// How many times it was delivered.
    pub attempts: u32,
    /// When it is delivered again; `None` where it already waits for a subscriber.
    pub due: Option<Timestamp>,
}

/// The broker that all simulated instances of a world share. Clones are the same broker.
///
/// Its looks take no turn and change nothing; they are for the harness, not for services.
#[derive(Clone)]
pub struct SimBroker(Arc<Mutex<State>>);

struct State {
    ensured: bool,
    events: Log,
    dead: Log,
}

impl Default for SimBroker {
    /// A broker that remembers ids for two minutes.
    fn default() -> Self {
        Self::new(Duration::from_secs(120))
    }
}

impl SimBroker {
    /// An empty broker, without streams until they are ensured, that remembers ids for this
    /// long.
    pub fn new(window: Duration) -> Self {
        let (events, dead) = (Log::new(window), Log::new(window));
        Self(Arc::new(Mutex::new(State { ensured: false, events, dead })))
    }

    /// All messages of a stream, oldest first.
    pub fn messages(&self, stream: Stream) -> Vec<Arc<Kept>> {
        self.state().log(stream).messages().to_vec()
    }

    /// What each consumer of a stream still has to do at this time, by name.
    pub fn pending(&self, stream: Stream, now: Timestamp) -> Vec<Pending> {
        self.state().log(stream).pending(now)
    }

    /// Every delivery that is not acknowledged at this time, by consumer, oldest message first.
    pub fn unacknowledged(&self, stream: Stream, now: Timestamp) -> Vec<Unacknowledged> {
        self.state().log(stream).unacknowledged(now)
    }

    /// What consumers were delivered as often as they allow and never acknowledged: consumer
    /// and position. The broker does not deliver these again.
    pub fn given_up(&self, stream: Stream, now: Timestamp) -> Vec<(String, u64)> {
        self.state().log(stream).given_up(now)
    }

    /// Forgets this many of the newest events, as a broker does that restarts before they were
    /// on its disk.
    pub fn lose_tail(&self, messages: u32) {
        self.state().events.lose_tail(messages as usize);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().expect("no panic holds this lock")
    }
}

impl State {
    fn log(&mut self, stream: Stream) -> &mut Log {
        match stream {
            Stream::Events => &mut self.events,
            Stream::DeadLetters => &mut self.dead,
        }
    }
}

/// The simulated bus as one service instance sees it.
#[derive(Clone)]
pub struct SimBus {
    kernel: Kernel,
    instance: u32,
    broker: SimBroker,
}

impl SimBus {
    /// The bus of this instance; 0 is the harness itself.
    pub fn new(kernel: Kernel, instance: u32, broker: SimBroker) -> Self {
        Self { kernel, instance, broker }
    }

    async fn turn(&self, operation: &'static str, target: &str) {
        let target = target.to_owned();
        self.kernel.turn(Call::new(self.instance, Port::Bus, operation, target)).await;
    }
}

#[async_trait]
impl Bus for SimBus {
    async fn ensure(&self) -> Result<(), BusError> {
        self.turn("ensure", "").await;
        self.kernel.access(accesses::consumers_changed);
        self.broker.state().ensured = true;
        Ok(())
    }

    async fn publish(&self, stream: Stream, message: Message) -> Result<Published, PublishError> {
        self.turn("publish", &message.subject).await;
        rules::publishable(&message)?;
        let now = self.kernel.now();
        let mut state = self.broker.state();
        if !state.ensured {
            return Err(PublishError::Unavailable("no stream listens to the subject".to_owned()));
        }
        let log = state.log(stream);
        accesses::note(&self.kernel, || accesses::published(log, stream, &message));
        Ok(log.publish(message, now))
    }

    async fn subscribe(&self, consumer: Consumer) -> Result<Box<dyn Subscription>, BusError> {
        self.turn("subscribe", &consumer.name).await;
        self.kernel.access(accesses::consumers_changed);
        rules::openable(&consumer)?;
        let now = self.kernel.now();
        let mut state = self.broker.state();
        if !state.ensured {
            return Err(BusError::Rejected("stream not found".to_owned()));
        }
        let (stream, name) = (consumer.stream, Arc::from(consumer.name.as_str()));
        let gone_with_it = consumer.group == Group::Broadcast;
        let (id, backlog) = state.log(stream).open(consumer, now);
        drop(state);
        let place = Place { bus: self.clone(), stream, id, name, broadcast: gone_with_it };
        Ok(Box::new(SimSubscription { place, backlog, gone_with_it }))
    }

    async fn pending(&self) -> Result<Vec<Pending>, BusError> {
        self.turn("pending", "").await;
        self.kernel.access(accesses::consumers_changed);
        let now = self.kernel.now();
        let mut state = self.broker.state();
        if !state.ensured {
            return Err(BusError::Rejected("stream not found".to_owned()));
        }
        Ok(state.events.pending(now))
    }

    async fn ping(&self) -> Result<(), BusError> {
        self.turn("ping", "").await;
        Ok(())
    }
}
