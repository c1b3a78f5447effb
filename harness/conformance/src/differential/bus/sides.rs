//! The two brokers that a script is played on.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use adapters::jetstream::JetStream;
use adapters::system::SystemClock;
use async_trait::async_trait;
use ports::Timestamp;
use ports::bus::{Bus, BusError, Stream};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use sim::bus::{SimBroker, SimBus};
use sim::clock::SimClock;
use sim::kernel::{Kernel, drive};
use sim::scheduler::{Fifo, Random, Scheduler};

use super::play::{Operator, Played, World, play};
use super::script::{INSTANCES, Script, TOLERANCE};

/// The number of runs with delays of their own that must come to the same outcome.
const VARIANTS: u64 = 6;
/// The number of orders of simultaneous calls in which an outcome is looked for.
const ORDERS: u64 = 32;

/// Plays a script in simulation. `None` if its outcome depends on small delays.
pub(super) fn simulate(script: &Script) -> Option<Vec<String>> {
    let plain = in_simulation(script, Vec::new(), Box::new(Fifo), false);
    let tolerance = u64::try_from(TOLERANCE.as_millis()).unwrap_or_default();
    let alike = (0..VARIANTS).all(|variant| {
        let mut rng = ChaCha8Rng::seed_from_u64(variant);
        let delay = |_| Duration::from_millis(rng.random_range(0..=tolerance));
        let delays = (0..script.0.len()).map(delay).collect();
        in_simulation(script, delays, Box::new(Fifo), false) == plain
    });
    alike.then_some(plain)
}

/// True if the simulation comes to this outcome in some order of the calls that are pending at
/// one moment: which of two waiting callers is served first is a decision of its scheduler, and a
/// close may arrive before or after the opening that replaces it.
pub(super) fn allows(script: &Script, outcome: &[String]) -> bool {
    let plays = |seed, late| {
        in_simulation(script, Vec::new(), Box::new(Random::new(seed)), late) == outcome
    };
    (0..ORDERS).any(|seed| plays(seed, false) || plays(seed, true))
}

fn in_simulation(
    script: &Script,
    delays: Vec<Duration>,
    scheduler: Box<dyn Scheduler>,
    closes_late: bool,
) -> Vec<String> {
    let start = Timestamp::from_second(1_767_225_600).expect("2026 is in range");
    let kernel = Kernel::new(start, scheduler);
    let broker = SimBroker::default();
    let bus = |instance| -> Arc<dyn Bus> {
        Arc::new(SimBus::new(kernel.clone(), instance, broker.clone()))
    };
    let world = World {
        buses: (1..).take(INSTANCES).map(bus).collect(),
        clock: Arc::new(SimClock(kernel.clone())),
        operator: Arc::new(Simulated(broker.clone(), kernel.clone())),
        closes_late,
    };
    drive(&kernel, play(script.clone(), world, delays)).outcomes
}

struct Simulated(SimBroker, Kernel);

#[async_trait]
impl Operator for Simulated {
    async fn delete_streams(&self) -> Result<(), BusError> {
        self.0.delete_streams(self.1.now());
        Ok(())
    }

    async fn delete_consumer(&self, name: &str) -> Result<(), BusError> {
        self.0.delete_consumer(Stream::Events, name, self.1.now());
        Ok(())
    }
}

/// A NATS server. Each script plays in a namespace of its own.
pub(super) struct Real {
    clients: Vec<JetStream>,
    namespaces: AtomicU32,
}

impl Real {
    /// Connects every instance.
    pub(super) async fn connect(url: &str) -> Result<Self, BusError> {
        let mut clients = Vec::new();
        for _ in 0..INSTANCES {
            clients.push(JetStream::connect(url, "differential").await?);
        }
        Ok(Self { clients, namespaces: AtomicU32::new(0) })
    }

    pub(super) async fn play(&self, script: &Script) -> Played {
        let number = self.namespaces.fetch_add(1, Ordering::Relaxed);
        let namespace = format!("differential-{}-{number}", std::process::id());
        let buses: Vec<_> = self.clients.iter().map(|bus| bus.beside(&namespace)).collect();
        let operator = buses[0].clone();
        let world = World {
            buses: buses.into_iter().map(|bus| -> Arc<dyn Bus> { Arc::new(bus) }).collect(),
            clock: Arc::new(SystemClock),
            operator: Arc::new(operator.clone()),
            closes_late: false,
        };
        let played = play(script.clone(), world, Vec::new()).await;
        // What is left behind ends with the server.
        drop(JetStream::delete_streams(&operator).await);
        played
    }
}

#[async_trait]
impl Operator for JetStream {
    async fn delete_streams(&self) -> Result<(), BusError> {
        Self::delete_streams(self).await
    }

    async fn delete_consumer(&self, name: &str) -> Result<(), BusError> {
        Self::delete_consumer(self, Stream::Events, name).await
    }
}

#[cfg(test)]
mod tests {
    use ports::bus::{Consumer, Group, Start};

    use super::super::script::{Call, What};
    use super::*;

    /// The server gives a message that a new filter selects to the request of the subscription
    /// that is being replaced, if it hears of the close after the opening.
    #[test]
    fn a_close_may_arrive_after_the_opening_that_replaces_it() {
        let open = |instance, subjects: &[&str], in_flight| What::Open {
            place: 0,
            instance,
            consumer: Consumer {
                name: "g".to_owned(),
                stream: Stream::Events,
                subjects: subjects.iter().map(|&subject| subject.to_owned()).collect(),
                group: Group::Durable,
                start: Start::All,
                ack_wait: Duration::from_millis(530),
                max_deliver: None,
                max_in_flight: in_flight,
            },
        };
        let publish = || What::Publish { instance: 1, subject: "x.y", id: "" };
        let calls = vec![
            Call { slots: 1, what: open(2, &["a.b"], 16) },
            Call { slots: 2, what: What::Next { place: 0, limit: Duration::from_millis(50) } },
            Call { slots: 2, what: publish() },
            Call { slots: 3, what: open(0, &[], 2) },
            Call { slots: 3, what: publish() },
        ];
        let script = Script(calls);
        let mut outcome = simulate(&script).expect("milliseconds do not matter");
        assert_eq!(outcome.last().map(String::as_str), Some("Ok(()) g 2/0"));
        *outcome.last_mut().expect("it has counts") = "Ok(()) g 1/1".to_owned();
        assert!(allows(&script, &outcome));
        *outcome.last_mut().expect("it has counts") = "Ok(()) g 0/2".to_owned();
        assert!(!allows(&script, &outcome));
    }
}
