//! The consumer loop: subscribes a listener, handles its deliveries concurrently, and
//! subscribes again when the subscription is lost.
//!
//! It spawns nothing; [`crate::run`] returns the loop to its caller.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures::{StreamExt, stream};
use tokio_util::sync::CancellationToken;

use crate::activity::Activity;
use crate::listen::{Listener, deliver};
use crate::metrics::DeliveryCounters;
use crate::policy::Policy;
use ports::Ports;
use ports::bus::{BusError, Consumer, Delivery, Group, Start, Stream, Subscription};
use ports::causality::Causality;
use ports::clock::before;

/// The longest pause before a lost subscription is opened again.
const MAX_REOPEN_INTERVAL: Duration = Duration::from_secs(5);

/// One listener of one instance.
pub(crate) struct ConsumerLoop {
    pub(crate) name: String,
    pub(crate) listener: Listener,
    pub(crate) ports: Ports,
    pub(crate) policy: Policy,
    pub(crate) activity: Arc<Activity>,
    pub(crate) deliveries: Arc<DeliveryCounters>,
    pub(crate) stop: CancellationToken,
}

impl ConsumerLoop {
    /// Opens the consumer. A broadcast consumer also works off its backlog: its state must be
    /// complete before the first request is answered.
    pub(crate) async fn open(&self) -> Result<Box<dyn Subscription>, BusError> {
        let start = match self.listener.replay {
            None => Start::All,
            Some(age) => Start::Since(before(self.ports.clock.now(), age)),
        };
        let consumer = Consumer {
            name: self.name.clone(),
            stream: Stream::Events,
            subjects: self.listener.subjects.iter().map(|&s| s.to_owned()).collect(),
            group: self.listener.group,
            start,
            ack_wait: self.policy.ack_wait,
            // `deliver` enforces the bound: the bus would drop the message without a trace.
            max_deliver: None,
            max_in_flight: self.policy.max_in_flight,
        };
        let mut subscription = self.ports.bus.subscribe(consumer).await?;
        if subscription.has_gap() {
            self.deliveries.found_gap();
            tracing::error!(
                consumer = self.name,
                "events left the stream before this consumer had passed them: what still exists \
                 arrives again when it is renewed, but copies of what was removed meanwhile stay"
            );
        }
        if self.listener.group == Group::Broadcast {
            self.consume_backlog(&mut *subscription).await?;
        }
        Ok(subscription)
    }

    /// Handles the messages that were pending when the consumer was opened, which are the first
    /// to arrive. A message can arrive twice, or again later because its handler failed, so the
    /// backlog is counted in distinct messages that are settled.
    async fn consume_backlog(&self, subscription: &mut dyn Subscription) -> Result<(), BusError> {
        let mut settled: BTreeMap<u64, bool> = BTreeMap::new();
        let backlog = subscription.backlog();
        while (settled.len() as u64) < backlog || settled.values().any(|settled| !settled) {
            let delivery = subscription.next().await?;
            let sequence = delivery.sequence;
            let is_settled = self.process(delivery).await;
            if (settled.len() as u64) < backlog || settled.contains_key(&sequence) {
                *settled.entry(sequence).or_default() |= is_settled;
            }
        }
        Ok(())
    }

    /// Consumes until stopped; opens the consumer again when the subscription is lost.
    pub(crate) async fn run(self, mut subscription: Box<dyn Subscription>) {
        loop {
            self.consume(subscription).await;
            let mut failures = 0;
            subscription = loop {
                if self.stop.is_cancelled() {
                    return;
                }
                failures += 1;
                let pause = self.policy.back_off(failures).min(MAX_REOPEN_INTERVAL);
                self.ports.clock.sleep(pause).await;
                match self.reopen().await {
                    Ok(subscription) => break subscription,
                    Err(error) => {
                        tracing::warn!(consumer = self.name, %error, "subscription not reopened");
                    }
                }
            };
        }
    }

    /// Opens the consumer again, on streams that a broker without its data has lost.
    async fn reopen(&self) -> Result<Box<dyn Subscription>, BusError> {
        self.ports.bus.ensure().await?;
        self.open().await
    }

    /// Consumes until stopped or until the subscription fails, then finishes the deliveries in
    /// flight.
    async fn consume(&self, subscription: Box<dyn Subscription>) {
        let deliveries = stream::unfold(subscription, |mut subscription| async {
            match subscription.next().await {
                Ok(delivery) => Some((delivery, subscription)),
                Err(error) => {
                    tracing::warn!(consumer = self.name, %error, "subscription lost");
                    None
                }
            }
        });
        deliveries
            .take_until(self.stop.cancelled())
            .for_each_concurrent(self.policy.max_in_flight as usize, |delivery| async {
                self.process(delivery).await;
            })
            .await;
    }

    /// Processes a delivery as a consequence of its origin; returns true if the message is
    /// settled.
    async fn process(&self, delivery: Delivery) -> bool {
        let _busy = self.activity.begin();
        let handler = &*self.listener.handler;
        let delivered = deliver(handler, &self.name, &delivery, &self.ports, &self.policy);
        let outcome = Causality::of(&delivery.message).scope(delivered).await;
        self.deliveries.count(&outcome);
        outcome.is_settled()
    }
}
