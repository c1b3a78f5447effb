//! The simulated world: real time decides only how much virtual time passes.

use std::collections::VecDeque;
use std::future;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use bytes::Bytes;
use sim::scheduler::Fifo;
use tokio::sync::oneshot;

use super::{Live, Outage, Pace, Replied};
use crate::faults::FaultRule;
use crate::settings::Settings;
use crate::simulated::Simulated;
use crate::simulated::requests::Underway;
use crate::subject::AnySubject;
use crate::time_scale::TimeScale;
use crate::up::command::{Clock, Refused};
use crate::world::{Inspect, Operate, World};

/// The real time between two pieces of virtual time.
const TICK: Duration = Duration::from_millis(25);

/// The most real time that one piece stands for: a machine that slept does not catch up.
const LONGEST: Duration = Duration::from_secs(1);

/// The most virtual time that is skipped before commands and requests are looked at again.
const SKIPPED_AT_ONCE: Duration = Duration::from_secs(60);

/// A simulated world that goes on.
pub(in crate::up) struct InSimulation {
    world: Simulated,
    underway: Vec<(Underway, oneshot::Sender<Replied>)>,
    skips: VecDeque<Skip>,
    is_playing: bool,
    speed: u32,
    last: Instant,
}

/// Time that is being skipped.
struct Skip {
    left: Duration,
    done: oneshot::Sender<Result<(), Refused>>,
}

impl InSimulation {
    /// Starts the system of this subject.
    pub(in crate::up) fn start(subject: &AnySubject, seed: u64) -> Self {
        let (system, _) = subject.open(&TimeScale::simulated(), &Settings::default());
        let mut world = Simulated::start(system, seed, Box::new(Fifo));
        world.revive();
        Self {
            world,
            underway: Vec::new(),
            skips: VecDeque::new(),
            is_playing: true,
            speed: 1,
            last: Instant::now(),
        }
    }

    fn skip(&mut self) {
        let Some(skip) = self.skips.front_mut() else { return };
        let piece = skip.left.min(SKIPPED_AT_ONCE);
        self.world.elapse(piece);
        skip.left -= piece;
        if skip.left.is_zero()
            && let Some(skip) = self.skips.pop_front()
        {
            // Whoever asked may be gone by now.
            _ = skip.done.send(Ok(()));
        }
    }

    /// Replies to the requests that are done.
    fn reply(&mut self) {
        for (underway, reply) in std::mem::take(&mut self.underway) {
            match self.world.take_reply(&underway) {
                Some(answer) => _ = reply.send((answer, self.world.now())),
                None => self.underway.push((underway, reply)),
            }
        }
    }
}

#[async_trait(?Send)]
impl Live for InSimulation {
    fn world(&mut self) -> &mut dyn World {
        &mut self.world
    }

    async fn wait(&mut self) {
        if !self.skips.is_empty() {
            return;
        }
        // A world that pauses has nothing to do until it is asked.
        match self.is_playing {
            true => tokio::time::sleep(TICK).await,
            false => future::pending().await,
        }
    }

    async fn go_on(&mut self) -> Result<(), Outage> {
        if self.is_playing {
            self.world.elapse(self.last.elapsed().min(LONGEST) * self.speed);
        }
        self.skip();
        // Time in which the world computes is not its own.
        self.last = Instant::now();
        self.reply();
        Ok(())
    }

    fn submit(&mut self, request: http::Request<Bytes>, reply: oneshot::Sender<Replied>) {
        let underway = self.world.submit(request);
        self.underway.push((underway, reply));
    }

    fn command(&mut self, command: Clock, done: oneshot::Sender<Result<(), Refused>>) {
        let outcome = match command {
            Clock::Play => {
                self.is_playing = true;
                Ok(())
            }
            Clock::Pause => {
                self.is_playing = false;
                Ok(())
            }
            Clock::Step => {
                self.is_playing = false;
                if self.world.step() { Ok(()) } else { Err(Refused::Nothing) }
            }
            Clock::Speed { factor } => {
                self.speed = factor;
                Ok(())
            }
            Clock::Skip { seconds } => {
                self.skips.push_back(Skip { left: Duration::from_secs(seconds), done });
                return;
            }
        };
        _ = done.send(outcome);
    }

    fn check(&self, _: &FaultRule) -> Result<(), Refused> {
        Ok(())
    }

    fn replayable(&mut self) -> Option<&mut Simulated> {
        Some(&mut self.world)
    }

    fn pace(&self) -> Pace {
        Pace { playing: self.is_playing, speed: self.speed, pending: self.world.pending() }
    }
}
