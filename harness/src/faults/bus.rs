//! A bus into whose calls, deliveries and acknowledgements faults are injected.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures::future::{Either, select};
use platform::catalogue::Entry;
use ports::Timestamp;
use ports::bus::{
    Bus, BusError, Consumer, Delivery, Message, Pending, PublishError, Published, Reply, Stream,
    StreamState, Subscription,
};
use ports::clock::after;

use super::format::{Release, reformat};
use super::injector::{Injector, LOST};
use super::rule::{Effect, Operation, Port};

pub(super) struct FaultyBus {
    injector: Injector,
    inner: Arc<dyn Bus>,
    events: Arc<[Entry]>,
}

impl FaultyBus {
    pub(super) fn new(injector: Injector, inner: Arc<dyn Bus>, events: Arc<[Entry]>) -> Self {
        Self { injector, inner, events }
    }
}

impl Injector {
    fn reach_bus(&self) -> Result<(), BusError> {
        self.reach(Port::Bus, BusError::Unavailable)
    }

    /// Makes a call that has no error for an unknown outcome.
    async fn call<T>(
        &self,
        effect: Option<Effect>,
        call: impl Future<Output = Result<T, BusError>>,
    ) -> Result<T, BusError> {
        self.apply(effect, call, BusError::Unavailable, BusError::Unavailable).await
    }
}

#[async_trait]
impl Bus for FaultyBus {
    async fn ensure(&self) -> Result<(), BusError> {
        self.injector.reach_bus()?;
        self.inner.ensure().await
    }

    async fn publish(&self, stream: Stream, message: Message) -> Result<Published, PublishError> {
        self.injector.reach(Port::Bus, PublishError::Unavailable)?;
        let effect = self.injector.inject(Operation::Publish, &message.subject);
        let published = self.inner.publish(stream, message);
        let (unavailable, unknown) = (PublishError::Unavailable, PublishError::Unknown);
        self.injector.apply(effect, published, unavailable, unknown).await
    }

    async fn subscribe(&self, consumer: Consumer) -> Result<Box<dyn Subscription>, BusError> {
        self.injector.reach_bus()?;
        let effect = self.injector.inject(Operation::Open, &consumer.name);
        let inner = self.injector.call(effect, self.inner.subscribe(consumer)).await?;
        let (injector, events) = (self.injector.clone(), Arc::clone(&self.events));
        Ok(Box::new(FaultySubscription { injector, inner, events, held: Vec::new() }))
    }

    async fn remove(&self, stream: Stream, sequence: u64) -> Result<bool, BusError> {
        self.injector.reach_bus()?;
        self.inner.remove(stream, sequence).await
    }

    async fn state(&self, stream: Stream) -> Result<StreamState, BusError> {
        self.injector.reach_bus()?;
        self.inner.state(stream).await
    }

    async fn pending(&self) -> Result<Vec<Pending>, BusError> {
        self.inner.pending().await
    }

    async fn ping(&self) -> Result<(), BusError> {
        self.injector.reach_bus()?;
        self.inner.ping().await
    }
}

struct FaultySubscription {
    injector: Injector,
    inner: Box<dyn Subscription>,
    events: Arc<[Entry]>,
    /// Delayed deliveries, each with the time at which the service receives it.
    held: Vec<(Timestamp, Delivery)>,
}

impl FaultySubscription {
    /// The next delivery, and whether it is fresh: a delayed one was already subject to a
    /// fault and is not counted again.
    async fn take(&mut self) -> Result<(Delivery, bool), BusError> {
        let Some((due, _)) = self.held.iter().min_by_key(|(due, _)| *due) else {
            return Ok((self.inner.next().await?, true));
        };
        let due = *due;
        match select(self.inner.next(), self.injector.clock.sleep_until(due)).await {
            Either::Left((delivery, _)) => Ok((delivery?, true)),
            Either::Right(_) => {
                let at = self.held.iter().position(|(other, _)| *other == due);
                Ok((self.held.remove(at.expect("the delivery was just found")).1, false))
            }
        }
    }
}

#[async_trait]
impl Subscription for FaultySubscription {
    async fn next(&mut self) -> Result<Delivery, BusError> {
        loop {
            self.injector.reach_bus()?;
            let (delivery, is_fresh) = self.take().await?;
            // A cut that began while this waited stops the delivery as well.
            self.injector.reach_bus()?;
            let subject = &delivery.message.subject;
            let effect =
                if is_fresh { self.injector.inject(Operation::Deliver, subject) } else { None };
            match effect {
                Some(Effect::Fail | Effect::FailAfter | Effect::Vanish) => {
                    return Err(BusError::Gone(LOST.to_owned()));
                }
                Some(Effect::Delay(by)) => {
                    self.held.push((after(self.injector.clock.now(), by), delivery));
                }
                Some(Effect::CrashBefore | Effect::CrashAfter) => self.injector.crash().await,
                effect => {
                    let release = match effect {
                        Some(Effect::NewerFormat) => Some(Release::Newer),
                        Some(Effect::OlderFormat) => Some(Release::Older),
                        _ => None,
                    };
                    let reply = FaultyReply {
                        injector: self.injector.clone(),
                        subject: subject.clone(),
                        inner: delivery.reply,
                    };
                    let message = match release {
                        Some(release) => reformat(delivery.message, release, &self.events),
                        None => delivery.message,
                    };
                    return Ok(Delivery { message, reply: Box::new(reply), ..delivery });
                }
            }
        }
    }

    fn backlog(&self) -> u64 {
        self.inner.backlog()
    }

    fn has_gap(&self) -> bool {
        self.inner.has_gap()
    }
}

struct FaultyReply {
    injector: Injector,
    subject: String,
    inner: Box<dyn Reply>,
}

impl FaultyReply {
    /// Sends a reply that does not end the delivery.
    async fn defer(
        &self,
        reply: impl Future<Output = Result<(), BusError>>,
    ) -> Result<(), BusError> {
        self.injector.reach_bus()?;
        let effect = self.injector.inject(Operation::Nak, &self.subject);
        self.injector.call(effect, reply).await
    }
}

#[async_trait]
impl Reply for FaultyReply {
    async fn ack(&self) -> Result<(), BusError> {
        self.injector.reach_bus()?;
        match self.injector.inject(Operation::Ack, &self.subject) {
            Some(Effect::LoseAck) => Ok(()),
            Some(Effect::Redeliver) => self.inner.nak(Duration::ZERO).await,
            effect => self.injector.call(effect, self.inner.ack()).await,
        }
    }

    async fn nak(&self, delay: Duration) -> Result<(), BusError> {
        self.defer(self.inner.nak(delay)).await
    }

    async fn in_progress(&self) -> Result<(), BusError> {
        self.defer(self.inner.in_progress()).await
    }
}
