//! Startup: connects to the servers and starts the services, and retries until both succeed.
//!
//! It never gives up by itself: the caller drops it on shutdown.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use adapters::jetstream::JetStream;
use adapters::mongo::Mongo;
use adapters::reqwest::Reqwest;
use adapters::system::{SystemClock, SystemEntropy};
use futures::future::join_all;
use platform::backoff::Backoff;
use platform::chain::Chain;
use platform::health::Health;
use platform::policy::Policy;
use platform::run::{self, Running};
use ports::Ports;
use ports::bus::Bus;
use ports::clock::Clock;
use ticketing::{Entry, Settings};
use tokio_util::sync::CancellationToken;

/// Time in which an external party must respond.
const EXTERNAL_TIMEOUT: Duration = Duration::from_secs(10);
/// The pauses between attempts.
const STARTUP_BACKOFF: Backoff =
    Backoff { first: Duration::from_millis(250), factor: 2, max: Duration::from_secs(4) };

/// The services to start, and everything that they need.
pub(crate) struct Plan {
    /// The services to start.
    pub(crate) services: Vec<Entry>,
    /// Their settings.
    pub(crate) settings: Settings,
    /// Their delivery policy.
    pub(crate) policy: Policy,
    /// The URL of the MongoDB server.
    pub(crate) mongo_url: String,
    /// The URL of the NATS server.
    pub(crate) nats_url: String,
    /// The replicas of each stream.
    pub(crate) stream_replicas: u8,
    /// The prefix of databases, streams and subjects.
    pub(crate) namespace: String,
    /// Whether the storefront is served beside them.
    pub(crate) storefront: bool,
    /// Stops their loops when cancelled.
    pub(crate) stop: CancellationToken,
}

impl Plan {
    /// Starts the services concurrently, over one client per server.
    pub(crate) async fn start(&self, health: &Health) -> Vec<Running> {
        let mongo = retry("MongoDB", async || Mongo::client(&self.mongo_url).await).await;
        let connect = async || JetStream::connect(&self.nats_url, &self.namespace).await;
        let bus = retry("NATS", connect).await.replicated(self.stream_replicas);
        let bus = bus.keeping(self.policy.events, self.policy.dead_letters);
        let bus: Arc<dyn Bus> = Arc::new(bus);
        let http = Arc::new(Reqwest::new(EXTERNAL_TIMEOUT));
        let starting = self.services.iter().map(async |entry| {
            let database = format!("{}-{}", self.namespace, entry.name);
            let ports = Ports {
                store: Arc::new(Mongo::with_client(&mongo, &database)),
                bus: Arc::clone(&bus),
                http: http.clone(),
                clock: Arc::new(SystemClock),
                entropy: Arc::new(SystemEntropy),
            };
            let start = async || {
                let service = (entry.build)(&ports, &self.settings);
                run::start(service, &ports, &self.policy, &self.stop).await
            };
            let running = retry(entry.name, start).await;
            health.started(&running, &ports);
            tracing::info!(service = entry.name, "started");
            running
        });
        join_all(starting).await
    }
}

/// Retries until the attempt succeeds; logs every failure.
async fn retry<T, E: Error>(name: &str, mut attempt: impl AsyncFnMut() -> Result<T, E>) -> T {
    let clock: &dyn Clock = &SystemClock;
    let mut failures = 0;
    loop {
        let error = match attempt().await {
            Ok(done) => return done,
            Err(error) => error,
        };
        failures += 1;
        let pause = STARTUP_BACKOFF.delay(failures);
        tracing::warn!(name, error = %Chain(&error), ?pause, "not reachable yet, to be retried");
        clock.sleep(pause).await;
    }
}
