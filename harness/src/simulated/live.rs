//! A simulated world that is driven a little at a time: requests come while it runs, and its owner
//! decides how much time passes.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;
use futures::FutureExt;
use ports::bus::Stream;
use sim::kernel::Advance;

use super::Simulated;
use crate::world::{Drive, Inspect, Reply, answer_record};

/// The most time that passes under one limit of steps.
const SLICE: Duration = Duration::from_secs(60);

/// A request that was sent and has no reply yet.
pub struct Underway {
    number: u64,
    reply: Rc<RefCell<Option<Reply>>>,
}

impl Simulated {
    /// Sends a request, which makes progress while time passes or the world steps.
    pub fn submit(&mut self, request: http::Request<Bytes>) -> Underway {
        let reply = self.spawn_request(request);
        Underway { number: self.requests, reply }
    }

    /// The reply, once there is one.
    pub fn take_reply(&self, request: &Underway) -> Option<Reply> {
        // Once nobody else holds the slot, the request was aborted: the instance crashed.
        let is_lost = Rc::strong_count(&request.reply) == 1;
        let reply = request
            .reply
            .take()
            .or_else(|| is_lost.then(|| Reply::Unanswered("the connection was lost".to_owned())))?;
        if let Reply::Unanswered(_) = reply {
            self.trace().add(self.now(), None, answer_record(request.number, &reply));
        }
        Some(reply)
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
        self.broker.messages(Stream::DeadLetters).len()
    }
}
