//! The simulated broker: JetStream's rules in memory and in virtual time.
//!
//! It keeps the state of the real broker: streams with a deduplication window, consumers with
//! their position, and for each unacknowledged delivery its attempts and the time of its
//! redelivery. Every call waits for the kernel first and then takes effect at once, so a
//! delivery is a scheduling decision. By itself the broker never drops, repeats or reorders
//! anything beyond those rules; faults are injected around the port.
//!
//! | file | part |
//! |---|---|
//! | `broker` | the shared state, and the harness's view of it |
//! | `stream` | one stream: messages, deduplication, consumers |
//! | `consumer` | one consumer: its position, what it delivers next |
//! | `in_flight` | unacknowledged deliveries and their redeliveries |
//! | `pulls` | the pull requests of its subscribers |
//! | `subscription` | the port's side of an open consumer |
//! | `accesses` | the accesses of each call, for partial order reduction |

mod accesses;
mod broker;
mod connection;
mod consumer;
mod handle;
mod in_flight;
mod message;
mod pulls;
mod stream;
mod subscription;

use std::sync::Arc;

use async_trait::async_trait;
use ports::bus::{
    Bus, BusError, Consumer, Group, Message, Pending, PublishError, Published, Stream,
    StreamLimits, StreamState, Subscription,
};

use crate::call::Operation;
use crate::kernel::Kernel;
use connection::Connection;
use handle::Handle;
use subscription::SimSubscription;

pub use broker::SimBroker;
pub use message::{StoredMessage, Unacknowledged};

/// The simulated bus as one service instance sees it.
#[derive(Clone)]
pub struct SimBus(Connection);

impl SimBus {
    /// The bus of this instance; 0 is the harness itself.
    pub fn new(kernel: Kernel, instance: u32, broker: SimBroker) -> Self {
        Self(Connection { kernel, instance, broker, limits: Default::default() })
    }

    /// Sets the limits of the event stream and of the stream of dead letters; none by default.
    /// Takes effect on the next [`Bus::ensure`], also on streams that exist; all instances must
    /// agree on them.
    #[must_use]
    pub fn keeping(mut self, events: StreamLimits, dead_letters: StreamLimits) -> Self {
        self.0.limits = (events, dead_letters);
        self
    }
}

#[async_trait]
impl Bus for SimBus {
    async fn ensure(&self) -> Result<(), BusError> {
        self.0.step(Operation::Ensure, "").await;
        self.0.kernel.access(accesses::consumers_changed);
        let (events, dead_letters) = self.0.limits;
        let now = self.0.kernel.now();
        let mut state = self.0.state();
        // Limits that are refused create no stream.
        state.log(Stream::Events, now).limit(events)?;
        state.log(Stream::DeadLetters, now).limit(dead_letters)?;
        state.ensured = true;
        Ok(())
    }

    async fn publish(&self, stream: Stream, message: Message) -> Result<Published, PublishError> {
        self.0.step(Operation::Publish, &message.subject).await;
        message.check()?;
        let now = self.0.kernel.now();
        let mut state = self.0.state();
        self.0.kernel.access(accesses::consumers_read);
        if !state.ensured {
            return Err(PublishError::Unavailable("no stream captures the subject".to_owned()));
        }
        let log = state.log(stream, now);
        self.0.note(|| accesses::published(log, stream, &message));
        if log.serves_by_itself(&message.subject) {
            self.0.kernel.access(accesses::consumers_changed);
        }
        log.publish(message, now)
    }

    async fn subscribe(&self, consumer: Consumer) -> Result<Box<dyn Subscription>, BusError> {
        self.0.step(Operation::Subscribe, &consumer.name).await;
        self.0.kernel.access(accesses::consumers_changed);
        consumer.check()?;
        let now = self.0.kernel.now();
        let mut state = self.0.streams()?;
        let (stream, name) = (consumer.stream, Arc::from(consumer.name.as_str()));
        let broadcast = consumer.group == Group::Broadcast;
        let opened = state.log(stream, now).open(consumer, now);
        drop(state);
        let handle = Handle { connection: self.0.clone(), stream, id: opened.id, name, broadcast };
        Ok(Box::new(SimSubscription::new(handle, &opened)))
    }

    async fn remove(&self, stream: Stream, sequence: u64) -> Result<bool, BusError> {
        self.0.step(Operation::Remove, "").await;
        self.0.kernel.access(accesses::consumers_changed);
        let now = self.0.kernel.now();
        let mut state = self.0.streams()?;
        state.log(stream, now).remove(sequence, now)
    }

    async fn pending(&self) -> Result<Vec<Pending>, BusError> {
        self.0.step(Operation::Pending, "").await;
        self.0.kernel.access(accesses::consumers_changed);
        let now = self.0.kernel.now();
        let mut state = self.0.streams()?;
        Ok(state.log(Stream::Events, now).pending(now))
    }

    async fn state(&self, stream: Stream) -> Result<StreamState, BusError> {
        self.0.step(Operation::Pending, "").await;
        self.0.kernel.access(accesses::consumers_changed);
        let now = self.0.kernel.now();
        let mut state = self.0.streams()?;
        Ok(state.log(stream, now).state())
    }

    async fn ping(&self) -> Result<(), BusError> {
        self.0.step(Operation::Ping, "").await;
        self.0.kernel.access(accesses::consumers_read);
        if !self.0.broker.state().ensured {
            return Err(BusError::Unavailable("a stream is missing".to_owned()));
        }
        Ok(())
    }
}
