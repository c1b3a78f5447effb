//! A broker under test, and the vocabulary that cases are written in.
//!
//! Waits have generous upper bounds, and time is asserted from below only: a busy machine must
//! not fail a case.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use ports::Timestamp;
use ports::bus::{
    Bus, Consumer, Delivery, Group, Message, Pending, PublishError, Published, Start, Stream,
    StreamLimits, Subscription,
};
use ports::clock::{Clock, after};

use crate::outcome::{Nonconformance, Outcome, equal, holds};

/// The maximum wait for a delivery that must arrive.
pub(super) const PATIENCE: Duration = Duration::from_secs(20);
/// The time in which an unexpected delivery would arrive.
pub(super) const QUIET: Duration = Duration::from_millis(150);
/// A short ack wait, for the cases in which it elapses.
pub(super) const SHORT: Duration = Duration::from_millis(300);

/// An empty broker and its clock.
pub struct Fixture {
    /// The bus.
    pub bus: Arc<dyn Bus>,
    /// The same broker as seen from another instance.
    pub other: Arc<dyn Bus>,
    /// The same broker as seen from an instance that gives these limits to the event stream.
    pub limited: Box<dyn Fn(StreamLimits) -> Arc<dyn Bus> + Send + Sync>,
    /// The clock that the broker goes by.
    pub clock: Arc<dyn Clock>,
}

pub(super) type Open = Box<dyn Subscription>;

/// A message whose payload is its id.
pub(super) fn message(subject: &str, id: &str) -> Message {
    Message {
        subject: subject.to_owned(),
        id: id.to_owned(),
        headers: BTreeMap::new(),
        payload: Bytes::copy_from_slice(id.as_bytes()),
    }
}

/// A durable consumer of all events, with a long ack wait and room for many deliveries.
pub(super) fn group(name: &str) -> Consumer {
    Consumer {
        name: name.to_owned(),
        stream: Stream::Events,
        subjects: Vec::new(),
        group: Group::Durable,
        start: Start::All,
        ack_wait: Duration::from_secs(30),
        max_deliver: None,
        max_in_flight: 16,
    }
}

/// A durable consumer with a short ack wait.
pub(super) fn brief(name: &str) -> Consumer {
    Consumer { ack_wait: SHORT, ..group(name) }
}

/// A broadcast consumer of all events.
pub(super) fn broadcast(name: &str) -> Consumer {
    Consumer { group: Group::Broadcast, ..group(name) }
}

impl Fixture {
    /// Publishes a small event.
    pub(super) async fn publish(&self, subject: &str, id: &str) -> Result<Published, PublishError> {
        self.bus.publish(Stream::Events, message(subject, id)).await
    }

    /// Publishes small events, one after the other.
    pub(super) async fn publish_all(&self, subject: &str, ids: &[&str]) -> Outcome {
        for id in ids {
            self.publish(subject, id).await?;
        }
        Ok(())
    }

    pub(super) async fn open(&self, consumer: Consumer) -> Outcome<Open> {
        Ok(self.bus.subscribe(consumer).await?)
    }

    /// The next delivery, which must arrive.
    pub(super) async fn next(&self, from: &mut Open) -> Outcome<Delivery> {
        let delivery = self.clock.within(PATIENCE, from.next()).await;
        let missing = || Nonconformance::Differs("no message is delivered".to_owned());
        Ok(delivery.ok_or_else(missing)??)
    }

    /// The next delivery, which must be this message in this attempt.
    pub(super) async fn expect(
        &self,
        from: &mut Open,
        id: &str,
        attempt: u32,
    ) -> Outcome<Delivery> {
        let delivery = self.next(from).await?;
        equal((delivery.message.id.as_str(), delivery.attempt), (id, attempt))?;
        Ok(delivery)
    }

    /// The ids of the next deliveries, each acknowledged.
    pub(super) async fn take(&self, from: &mut Open, count: usize) -> Outcome<Vec<String>> {
        let mut ids = Vec::new();
        for _ in 0..count {
            let delivery = self.next(from).await?;
            delivery.reply.ack().await?;
            ids.push(delivery.message.id);
        }
        Ok(ids)
    }

    /// Fails when a message is delivered within this time.
    pub(super) async fn quiet_for(&self, from: &mut Open, quiet: Duration) -> Outcome {
        let Some(delivery) = self.clock.within(quiet, from.next()).await else { return Ok(()) };
        let Delivery { message, attempt, .. } = delivery?;
        let unexpected = format!("unexpected delivery of {} in attempt {attempt}", message.id);
        Err(Nonconformance::Differs(unexpected))
    }

    /// Fails when a message is delivered.
    pub(super) async fn quiet(&self, from: &mut Open) -> Outcome {
        self.quiet_for(from, QUIET).await
    }

    /// Fails unless this much time has elapsed.
    pub(super) fn elapsed(&self, since: Timestamp, wait: Duration) -> Outcome {
        let now = self.clock.now();
        // Both times are truncated to milliseconds.
        let earliest = after(since, wait.saturating_sub(Duration::from_millis(1)));
        holds(now >= earliest, || format!("only {} elapsed", now.duration_since(since)))
    }

    /// Fails unless the consumers reach this progress: name, undelivered, unacknowledged.
    pub(super) async fn progress(&self, expected: &[(&str, u64, u64)]) -> Outcome {
        let expected: Vec<Pending> = expected
            .iter()
            .map(|&(consumer, undelivered, unacknowledged)| Pending {
                consumer: consumer.to_owned(),
                undelivered,
                unacknowledged,
            })
            .collect();
        let mut found = Vec::new();
        let started = self.clock.now();
        while self.clock.now() < after(started, PATIENCE) {
            found = self.bus.pending().await?;
            if found == expected {
                return Ok(());
            }
            self.clock.sleep(Duration::from_millis(20)).await;
        }
        equal(found, expected)
    }
}
