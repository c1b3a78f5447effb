//! Starts a service: creates what it needs, opens its consumers, and turns listeners and
//! tasks into loops that the caller spawns.
//!
//! It spawns nothing itself, so production, real tests and the simulation run the same code.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use futures::StreamExt;
use futures::future::{BoxFuture, try_join_all};
use futures::stream;
use tokio_util::sync::CancellationToken;

use crate::activity::Activity;
use crate::listen::{Listener, deliver};
use crate::metrics::{Deliveries, Metrics};
use crate::service::Service;
use crate::{http, task};
use ports::Ports;
use ports::bus::{BusError, Consumer, Delivery, Group, Start, Stream, Subscription};
use ports::causality::Causality;
use ports::clock::Clock;
use ports::store::WriteError;

/// How long a listener that was cut off from the bus waits at most before it tries again.
const REOPEN_AT_LEAST_EVERY: Duration = Duration::from_secs(5);

/// How messages are delivered and leftovers swept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// How long the bus waits for an acknowledgement.
    pub ack_wait: Duration,
    /// How many times a message is handled before it is a dead letter.
    pub max_deliver: u32,
    /// The pause before the second delivery; four times as long before each further one.
    pub first_back_off: Duration,
    /// The longest pause between deliveries.
    pub max_back_off: Duration,
    /// How many messages of one consumer are handled at once.
    pub max_in_flight: u32,
    /// How often each task looks for leftovers of a crash.
    pub sweep: Duration,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            ack_wait: Duration::from_secs(30),
            max_deliver: 10,
            first_back_off: Duration::from_millis(100),
            max_back_off: Duration::from_secs(60),
            max_in_flight: 16,
            sweep: Duration::from_secs(30),
        }
    }
}

impl Policy {
    /// The pause after this attempt.
    pub fn back_off(&self, attempt: u32) -> Duration {
        let factor = 4_u32.saturating_pow(attempt.saturating_sub(1));
        self.first_back_off.saturating_mul(factor).min(self.max_back_off)
    }
}

/// Why a service did not start. Starting again is safe.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StartError {
    /// Its collections could not be created.
    #[error("collection {0}: {1}")]
    Store(&'static str, WriteError),
    /// Its streams or consumers could not be created.
    #[error(transparent)]
    Bus(#[from] BusError),
}

/// A started service. Dropping the loops stops it at once, as a crash does; cancelling the
/// token lets each loop finish what is in flight.
pub struct Running {
    /// The service's name.
    pub name: &'static str,
    /// HTTP in.
    pub routes: Router,
    /// What it is busy with.
    pub activity: Arc<Activity>,
    /// What it counts.
    pub metrics: Arc<Metrics>,
    /// Its listeners and tasks, by name: spawn them all.
    pub loops: Vec<(String, BoxFuture<'static, ()>)>,
}

/// Creates the service's streams, collections and consumers, reads back what a broadcast
/// consumer must know before the first request, and returns the loops to spawn.
pub async fn start(
    service: Service,
    ports: &Ports,
    policy: &Policy,
    stop: &CancellationToken,
) -> Result<Running, StartError> {
    let collections = service.collections.iter().map(|spec| async {
        let ensured = ports.store.ensure(spec.name, &spec.indexes).await;
        ensured.map_err(|e| StartError::Store(spec.name, e))
    });
    let streams = async { ports.bus.ensure().await.map_err(StartError::from) };
    futures::future::try_join(try_join_all(collections), streams).await?;

    let activity = Arc::new(Activity::default());
    let mut metrics = Metrics::new(service.name, &activity);
    let listening = service.listeners.into_iter().map(|listener| {
        let name = format!("{}-{}", service.name, listener.event);
        let hearing = Hearing {
            deliveries: metrics.consumer(&name),
            name,
            listener,
            ports: ports.clone(),
            policy: policy.clone(),
            activity: Arc::clone(&activity),
            stop: stop.clone(),
        };
        async {
            let first = hearing.open().await?;
            Ok::<_, StartError>((hearing.name.clone(), hearing, first))
        }
    });
    let mut loops: Vec<(String, BoxFuture<'static, ()>)> = Vec::new();
    let listening: Vec<_> = listening.collect();
    for (name, hearing, first) in try_join_all(listening).await? {
        loops.push((name, Box::pin(hearing.run(first))));
    }
    for task in service.tasks {
        let name = task.name();
        activity.add_task(&name, task.wake());
        task.published().into_iter().for_each(|published| metrics.relay(published));
        let (clock, activity) = (Arc::clone(&ports.clock), Arc::clone(&activity));
        let run = task::run(task, clock, activity, policy.sweep, stop.clone());
        loops.push((name, Box::pin(run)));
    }
    let metrics = Arc::new(metrics);
    Ok(Running {
        name: service.name,
        routes: http::surrounded(service.routes, ports, &activity, &metrics),
        activity,
        metrics,
        loops,
    })
}

/// One listener of one instance.
struct Hearing {
    name: String,
    listener: Listener,
    ports: Ports,
    policy: Policy,
    activity: Arc<Activity>,
    deliveries: Arc<Deliveries>,
    stop: CancellationToken,
}

impl Hearing {
    /// Opens the consumer. A broadcast consumer also hears all that was waiting: what it
    /// tells must be known before the first request is answered.
    async fn open(&self) -> Result<Box<dyn Subscription>, BusError> {
        let start = match self.listener.replay {
            None => Start::All,
            Some(back) => Start::Since(before(&*self.ports.clock, back)),
        };
        let consumer = Consumer {
            name: self.name.clone(),
            stream: Stream::Events,
            subjects: self.listener.subjects.iter().map(|&s| s.to_owned()).collect(),
            group: self.listener.group,
            start,
            ack_wait: self.policy.ack_wait,
            max_deliver: None,
            max_in_flight: self.policy.max_in_flight,
        };
        let mut subscription = self.ports.bus.subscribe(consumer).await?;
        if self.listener.group == Group::Broadcast {
            self.hear_backlog(&mut *subscription).await?;
        }
        Ok(subscription)
    }

    /// Hears all that waited when the consumer was opened: the first messages to arrive. One
    /// of them can come twice, or again later because it could not be handled yet.
    async fn hear_backlog(&self, subscription: &mut dyn Subscription) -> Result<(), BusError> {
        let mut settled: BTreeMap<u64, bool> = BTreeMap::new();
        let backlog = subscription.backlog();
        while (settled.len() as u64) < backlog || settled.values().any(|settled| !settled) {
            let delivery = subscription.next().await?;
            let sequence = delivery.sequence;
            let is_settled = self.hear(delivery).await;
            if (settled.len() as u64) < backlog || settled.contains_key(&sequence) {
                *settled.entry(sequence).or_default() |= is_settled;
            }
        }
        Ok(())
    }

    /// Hears until stopped; opens the consumer again where it is lost.
    async fn run(self, mut subscription: Box<dyn Subscription>) {
        loop {
            self.hear_all(subscription).await;
            let mut failures = 0;
            subscription = loop {
                if self.stop.is_cancelled() {
                    return;
                }
                failures += 1;
                let pause = self.policy.back_off(failures).min(REOPEN_AT_LEAST_EVERY);
                self.ports.clock.sleep(pause).await;
                match self.open().await {
                    Ok(subscription) => break subscription,
                    Err(why) => tracing::warn!(consumer = self.name, %why, "not subscribed"),
                }
            };
        }
    }

    /// Hears until stopped, or until the subscription fails; finishes what is in flight.
    async fn hear_all(&self, subscription: Box<dyn Subscription>) {
        let deliveries = stream::unfold(subscription, |mut subscription| async {
            match subscription.next().await {
                Ok(delivery) => Some((delivery, subscription)),
                Err(why) => {
                    tracing::warn!(consumer = self.name, %why, "subscription lost");
                    None
                }
            }
        });
        deliveries
            .take_until(self.stop.cancelled())
            .for_each_concurrent(self.policy.max_in_flight as usize, |delivery| async {
                self.hear(delivery).await;
            })
            .await;
    }

    /// Handles a delivery; says whether the message is done with.
    async fn hear(&self, delivery: Delivery) -> bool {
        let _busy = self.activity.begin();
        let handler = &*self.listener.handler;
        let delivered = deliver(handler, &self.name, &delivery, &self.ports, &self.policy);
        let outcome = Causality::of(&delivery.message).scope(delivered).await;
        self.deliveries.count(&outcome);
        outcome.is_settled()
    }
}

fn before(clock: &dyn Clock, back: Duration) -> jiff::Timestamp {
    clock.now().checked_sub(back).unwrap_or(jiff::Timestamp::MIN)
}
