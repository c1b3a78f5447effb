//! A simulated world that is driven a little at a time: requests come while it runs, and its owner
//! decides how much time passes.

use std::time::Duration;

use futures::FutureExt;
use ports::Timestamp;
use ports::clock::after;
use sim::kernel::Advance;

use super::requests::Underway;
use super::{Simulated, TIMEOUT};
use crate::world::{Drive, Inspect, Reply};

/// The most time that passes under one limit of steps.
const SLICE: Duration = Duration::from_secs(60);

impl Simulated {
    /// The reply, once there is one, or the client has given up.
    pub fn take_reply(&self, request: &Underway) -> Option<Reply> {
        let gives_up = || self.now() >= after(request.sent(), TIMEOUT);
        (request.has_ended() || gives_up()).then(|| self.conclude(request))
    }

    /// The number of requests so far.
    pub(crate) fn requests(&self) -> u64 {
        self.requests
    }

    /// Sends the next request under this number and at this time, as in a world that is played
    /// again. A time that has passed is now.
    pub(crate) fn catch_up(&mut self, at: Timestamp, number: u64) {
        let left = Duration::try_from(at.duration_since(self.now())).unwrap_or_default();
        self.elapse(left);
        self.requests = number.saturating_sub(1);
    }

    /// Lets this much time pass, however long the world has run before.
    pub fn elapse(&mut self, time: Duration) {
        let mut left = time;
        self.kernel.forget_decisions();
        loop {
            self.counted_from = self.kernel.steps();
            let slice = left.min(SLICE);
            self.pass(slice).now_or_never().expect("a simulated world waits for nothing");
            left -= slice;
            if left.is_zero() {
                return;
            }
        }
    }

    /// Lets the next pending call go on, or time pass to the next timer; returns whether there
    /// was one.
    pub fn step(&mut self) -> bool {
        self.counted_from = self.kernel.steps();
        self.poll();
        let went_on = self.kernel.advance(ports::Timestamp::MAX) != Advance::Nothing;
        self.poll();
        went_on
    }

    /// The work that is pending, one sentence each; none in a quiescent system.
    pub fn pending(&self) -> Vec<String> {
        self.pending_work()
    }
}
