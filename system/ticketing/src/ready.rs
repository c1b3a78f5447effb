//! From nothing to started services: connects, starts, and tries again for as long as the
//! servers are not there.

use std::fmt::Display;
use std::sync::Arc;
use std::time::Duration;

use adapters::jetstream::JetStream;
use adapters::mongo::Mongo;
use adapters::reqwest::Reqwest;
use adapters::system::{SystemClock, SystemEntropy};
use futures::future::join_all;
use platform::health::Health;
use platform::run::{self, Policy, Running};
use ports::Ports;
use ports::bus::Bus;
use ports::clock::Clock;
use ticketing::{Entry, Settings};
use tokio_util::sync::CancellationToken;

/// How long a party outside the system may take to answer.
const ANSWER: Duration = Duration::from_secs(10);
/// The first pause between two attempts; twice as long each time.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
/// The longest pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(4);

/// What it takes to start the services.
pub(crate) struct Plan {
    /// Which services.
    pub(crate) services: Vec<Entry>,
    /// What they are told.
    pub(crate) settings: Settings,
    /// How they hear.
    pub(crate) policy: Policy,
    /// The MongoDB server, as it is used by all.
    pub(crate) mongo_url: String,
    /// The NATS server.
    pub(crate) nats_url: String,
    /// What names begin with.
    pub(crate) namespace: String,
    /// Stops their loops.
    pub(crate) stop: CancellationToken,
}

impl Plan {
    /// Starts the services, side by side, over one client for each server.
    pub(crate) async fn start(&self, health: &Health) -> Vec<Running> {
        let mongo = insist("MongoDB", async || Mongo::client(&self.mongo_url).await).await;
        let connect = async || JetStream::connect(&self.nats_url, &self.namespace).await;
        let bus: Arc<dyn Bus> = Arc::new(insist("NATS", connect).await);
        let http = Arc::new(Reqwest::new(ANSWER));
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
            let running = insist(entry.name, start).await;
            health.started(&running, &ports);
            tracing::info!(service = entry.name, "started");
            running
        });
        join_all(starting).await
    }
}

/// Tries until it goes well, and says so each time that it does not.
async fn insist<T, E: Display>(what: &str, mut attempt: impl AsyncFnMut() -> Result<T, E>) -> T {
    let clock: &dyn Clock = &SystemClock;
    let mut pause = FIRST_PAUSE;
    loop {
        match attempt().await {
            Ok(done) => return done,
            Err(why) => tracing::warn!(what, %why, ?pause, "not there yet, trying again"),
        }
        clock.sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}
