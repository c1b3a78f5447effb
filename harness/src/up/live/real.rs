//! The real world: time passes by itself, and the servers know what is pending.

use std::time::{Duration, Instant};

use async_trait::async_trait;
use bytes::Bytes;
use servers::Servers;
use tokio::sync::oneshot;

use super::{Live, Outage, Pace, Replied};
use crate::faults::{Effect, FaultRule};
use crate::real::Real;
use crate::settings::Settings;
use crate::simulated::Simulated;
use crate::subject::AnySubject;
use crate::time_scale::TimeScale;
use crate::up::command::{Clock, Refused};
use crate::world::{Drive, Operate, World, WorldError};

/// The time between two looks at the trace.
const TICK: Duration = Duration::from_millis(25);

/// The time between two questions to the servers.
const LOOK_INTERVAL: Duration = Duration::from_secs(1);

/// The time for an answer of the servers.
const LOOK_LIMIT: Duration = Duration::from_secs(2);

/// The time without an answer after which the world ends.
const OUTAGE_LIMIT: Duration = Duration::from_secs(10);

/// A system on real servers that goes on.
pub(in crate::up) struct OnServers {
    world: Real,
    pending: Vec<String>,
    looked: Instant,
    answered: Instant,
}

impl OnServers {
    /// Starts the system of this subject in a namespace of these servers, with deadlines that are
    /// this many times shorter.
    ///
    /// # Errors
    ///
    /// When a server does not answer or a service does not start.
    pub(in crate::up) async fn start(
        subject: &AnySubject,
        servers: &Servers,
        namespace: String,
        time_scale: u32,
    ) -> Result<Self, WorldError> {
        let (system, _) = subject.open(&TimeScale::used(time_scale), &Settings::default());
        let mut world = Real::start_in(system, servers, namespace).await?;
        world.revive();
        let now = Instant::now();
        Ok(Self { world, pending: Vec::new(), looked: now, answered: now })
    }

    /// The pending work, as the servers know it.
    async fn look(&self) -> Result<Vec<String>, WorldError> {
        let look = async {
            self.world.ping().await?;
            Ok(self.world.pending_work().await)
        };
        let late = || WorldError::other(format!("no answer within {} s", LOOK_LIMIT.as_secs()));
        tokio::time::timeout(LOOK_LIMIT, look).await.map_err(|_| late())?
    }
}

#[async_trait(?Send)]
impl Live for OnServers {
    fn world(&mut self) -> &mut dyn World {
        &mut self.world
    }

    async fn wait(&mut self) {
        self.world.pass(TICK).await;
    }

    async fn go_on(&mut self) -> Result<(), Outage> {
        if self.looked.elapsed() < LOOK_INTERVAL {
            return Ok(());
        }
        let looked = self.look().await;
        self.looked = Instant::now();
        match looked {
            Ok(pending) => {
                self.answered = self.looked;
                self.pending = pending;
            }
            Err(source) => {
                let silent = self.answered.elapsed();
                if silent >= OUTAGE_LIMIT {
                    return Err(Outage { seconds: silent.as_secs(), source });
                }
                self.pending = vec![format!("a server does not answer: {source}")];
            }
        }
        Ok(())
    }

    fn submit(&mut self, request: http::Request<Bytes>, reply: oneshot::Sender<Replied>) {
        let answer = self.world.request(request);
        let clock = self.world.clock();
        tokio::spawn(async move {
            let answer = answer.await;
            // Whoever asked may be gone by now.
            _ = reply.send((answer, clock.now()));
        });
    }

    fn command(&mut self, _: Clock, done: oneshot::Sender<Result<(), Refused>>) {
        _ = done.send(Err(Refused::RealTime));
    }

    fn check(&self, rule: &FaultRule) -> Result<(), Refused> {
        match rule.effect {
            Effect::Jump(_) | Effect::LoseTail(_) => Err(Refused::SimulatedOnly),
            _ => Ok(()),
        }
    }

    fn replayable(&mut self) -> Option<&mut Simulated> {
        None
    }

    fn pace(&self) -> Pace {
        Pace { playing: true, speed: 1, pending: self.pending.clone() }
    }
}
