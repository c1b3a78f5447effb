//! What the bus promises, as cases that every adapter passes.
//!
//! A case knows only the ports, so the same one runs in virtual time and against a server.
//! It asserts orders and lower bounds of time, never upper ones: a busy machine is no reason
//! to fail. It leaves nothing behind but its namespace, which its caller throws away.

mod delivery;
mod figures;
mod filters;
mod opening;
mod positions;
mod publishing;
mod redelivery;
mod sharing;

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, ensure};
use bytes::Bytes;
use futures::future::BoxFuture;
use ports::Timestamp;
use ports::bus::{
    Bus, Consumer, Delivery, Group, Message, Pending, PublishError, Published, Start, Stream,
    Subscription,
};
use ports::clock::{Clock, after};

/// How long a case waits for what must come.
const PATIENCE: Duration = Duration::from_secs(20);
/// How long a case listens to find that nothing comes.
const QUIET: Duration = Duration::from_millis(150);
/// A short ack wait, for the cases that let it run out.
const SHORT: Duration = Duration::from_millis(300);

/// A fresh broker, and a clock.
pub struct Stage {
    /// The bus.
    pub bus: Arc<dyn Bus>,
    /// The same broker, seen from another instance.
    pub other: Arc<dyn Bus>,
    /// The time that the broker goes by.
    pub clock: Arc<dyn Clock>,
}

/// One promise.
#[derive(Debug, Clone, Copy)]
pub struct Case {
    /// What is promised, as a sentence in snake case.
    pub name: &'static str,
    /// How long the broker of this case must remember ids.
    pub window: Duration,
    /// Whether the case makes the streams itself.
    bare: bool,
    run: fn(Stage) -> BoxFuture<'static, anyhow::Result<()>>,
}

impl Case {
    const fn new(
        name: &'static str,
        run: fn(Stage) -> BoxFuture<'static, anyhow::Result<()>>,
    ) -> Self {
        Self { name, window: Duration::from_secs(120), bare: false, run }
    }

    const fn bare(self) -> Self {
        Self { bare: true, ..self }
    }

    const fn remembering(self, window: Duration) -> Self {
        Self { window, ..self }
    }

    /// Runs the case; an error says which promise is broken.
    pub async fn run(self, stage: Stage) -> anyhow::Result<()> {
        if !self.bare {
            stage.bus.ensure().await.context("the streams cannot be made")?;
        }
        (self.run)(stage).await
    }
}

/// Every case, in no order that matters.
pub fn cases() -> Vec<Case> {
    [
        opening::CASES,
        publishing::CASES,
        delivery::CASES,
        sharing::CASES,
        filters::CASES,
        redelivery::CASES,
        redelivery::answers::CASES,
        positions::CASES,
        figures::CASES,
    ]
    .concat()
}

/// A case named after its function.
macro_rules! case {
    ($run:ident) => {
        crate::bus::Case::new(stringify!($run), |stage| Box::pin($run(stage)))
    };
}
use case;

/// A message with little in it.
fn message(subject: &str, id: &str) -> Message {
    Message {
        subject: subject.to_owned(),
        id: id.to_owned(),
        headers: BTreeMap::new(),
        payload: Bytes::copy_from_slice(id.as_bytes()),
    }
}

/// A durable consumer of all events, patient and with room.
fn group(name: &str) -> Consumer {
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

/// The same for one subscription.
fn broadcast(name: &str) -> Consumer {
    Consumer { group: Group::Broadcast, ..group(name) }
}

/// Fails unless the two are equal.
fn equal<T: PartialEq<U> + Debug, U: Debug>(found: T, expected: U) -> anyhow::Result<()> {
    ensure!(found == expected, "found {found:?}, expected {expected:?}");
    Ok(())
}

type Open = Box<dyn Subscription>;

impl Stage {
    /// Publishes a small event.
    async fn publish(&self, subject: &str, id: &str) -> Result<Published, PublishError> {
        self.bus.publish(Stream::Events, message(subject, id)).await
    }

    /// Publishes small events, one after the other.
    async fn publish_all(&self, subject: &str, ids: &[&str]) -> Result<(), PublishError> {
        for id in ids {
            self.publish(subject, id).await?;
        }
        Ok(())
    }

    async fn open(&self, consumer: Consumer) -> anyhow::Result<Open> {
        let name = consumer.name.clone();
        self.bus.subscribe(consumer).await.with_context(|| format!("{name} cannot be opened"))
    }

    /// The next delivery, which must come.
    async fn next(&self, from: &mut Open) -> anyhow::Result<Delivery> {
        let came = self.clock.within(PATIENCE, from.next()).await;
        Ok(came.context("nothing is delivered")??)
    }

    /// The next delivery, which must be this message in this attempt.
    async fn expect(&self, from: &mut Open, id: &str, attempt: u32) -> anyhow::Result<Delivery> {
        let delivery = self.next(from).await?;
        equal((delivery.message.id.as_str(), delivery.attempt), (id, attempt))?;
        Ok(delivery)
    }

    /// The ids of the next deliveries, each acknowledged.
    async fn take(&self, from: &mut Open, count: usize) -> anyhow::Result<Vec<String>> {
        let mut ids = Vec::new();
        for _ in 0..count {
            let delivery = self.next(from).await?;
            delivery.reply.ack().await?;
            ids.push(delivery.message.id);
        }
        Ok(ids)
    }

    /// Nothing may come for this long.
    async fn quiet_for(&self, from: &mut Open, quiet: Duration) -> anyhow::Result<()> {
        if let Some(came) = self.clock.within(quiet, from.next()).await {
            let Delivery { message, attempt, .. } = came?;
            anyhow::bail!("{} comes in attempt {attempt}, and nothing should", message.id);
        }
        Ok(())
    }

    /// Nothing may come.
    async fn quiet(&self, from: &mut Open) -> anyhow::Result<()> {
        self.quiet_for(from, QUIET).await
    }

    /// This much time must have passed.
    fn passed(&self, since: Timestamp, wait: Duration) -> anyhow::Result<()> {
        let now = self.clock.now();
        // Both ends are cut to whole milliseconds.
        let earliest = after(since, wait.saturating_sub(Duration::from_millis(1)));
        ensure!(now >= earliest, "only {:?} have passed", now.duration_since(since));
        Ok(())
    }

    /// What the consumers have to do must come to this: name, undelivered, unacknowledged.
    async fn figures(&self, expected: &[(&str, u64, u64)]) -> anyhow::Result<()> {
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
