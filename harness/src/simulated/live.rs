//! A simulated world that is driven a little at a time: requests come while it runs, and its owner
//! decides how much time passes.

use std::time::Duration;

use futures::FutureExt;
use ports::bus::Stream;
use sim::kernel::Advance;

use super::Simulated;
use super::requests::Underway;
use crate::world::{Drive, Reply};

/// The most time that passes under one limit of steps.
const SLICE: Duration = Duration::from_secs(60);

impl Simulated {
    /// The reply, once there is one.
    pub fn take_reply(&self, request: &Underway) -> Option<Reply> {
        request.has_ended().then(|| self.conclude(request))
    }

    /// Lets this much time pass, however long the world has run before.
    pub fn elapse(&mut self, time: Duration) {
        let mut left = time;
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

    /// The number of dead letters.
    pub fn dead_letter_count(&self) -> usize {
        self.broker.messages(Stream::DeadLetters, self.kernel.now()).len()
    }
}
