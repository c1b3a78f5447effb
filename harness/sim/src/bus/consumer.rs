//! One consumer: the messages that it has not passed, its deliveries in flight, and the pull
//! requests of its subscribers.
//!
//! The order is the real server's: redeliveries first, in the order in which they became due,
//! regardless of the bound in flight; then new messages by position, as far as that bound
//! allows. Time is applied lazily, at the next access, in the order of its events, which no
//! caller can observe.
//!
//! The server *looks* for messages when something signals it: a request, a message, a nak,
//! room in flight, a redelivery, the sign of a request every five seconds. Where a request waits
//! and nothing is found, the consumer has passed the end of the stream.

mod figures;

use std::collections::VecDeque;
use std::sync::Arc;
use std::task::Waker;
use std::time::Duration;

use ports::Timestamp;
use ports::bus::Consumer;
use ports::clock::after;

use super::in_flight::InFlight;
use super::message::StoredMessage;
use super::pulls::{Front, Inbox, Pulls, Taken};

/// A consumer's state.
pub(super) struct Queue {
    consumer: Consumer,
    /// The last position of the stream.
    end: u64,
    /// The position up to which it has passed the stream.
    passed: u64,
    /// The position of the last message that it has delivered.
    delivered: u64,
    /// Those after `passed` that its filter selects.
    undelivered: VecDeque<Arc<StoredMessage>>,
    in_flight: InFlight,
    given_up: Vec<u64>,
    pulls: Pulls,
    /// The time at which it looks for messages that another filter has made available, which by
    /// itself signals nothing.
    next_look: Option<Timestamp>,
}

impl Queue {
    /// A consumer that starts after this position of the stream.
    pub(super) fn new(
        consumer: Consumer,
        passed: u64,
        end: u64,
        stream: &[Arc<StoredMessage>],
    ) -> Self {
        let mut queue = Self {
            consumer,
            end,
            passed,
            delivered: passed,
            undelivered: VecDeque::new(),
            in_flight: InFlight::default(),
            given_up: Vec::new(),
            pulls: Pulls::default(),
            next_look: None,
        };
        queue.refill(stream);
        queue
    }

    /// Applies another configuration, which also governs the deliveries in flight. Returns the
    /// backlog, as it is before anything is delivered.
    pub(super) fn update(
        &mut self,
        consumer: Consumer,
        stream: &[Arc<StoredMessage>],
        now: Timestamp,
    ) -> u64 {
        self.advance(now);
        let before = self.next_event();
        if self.consumer.subjects != consumer.subjects {
            self.pass_at_last_look(stream, now);
        }
        let was = std::mem::replace(&mut self.consumer, consumer);
        if was.ack_wait != self.consumer.ack_wait {
            self.in_flight.change_wait(was.ack_wait, self.consumer.ack_wait, now);
        }
        if was.subjects != self.consumer.subjects {
            self.refill(stream);
            let looks = self.has_message().then(|| self.pulls.next_look(now)).flatten();
            self.next_look = looks;
        }
        // The server answers before it looks.
        let (backlog, _) = self.counts(now);
        if was.max_in_flight != self.consumer.max_in_flight {
            self.look(now);
        }
        self.wake_waiting(before);
        backlog
    }

    /// A message is added to the stream.
    pub(super) fn offer(&mut self, stored: &Arc<StoredMessage>, now: Timestamp) {
        self.advance(now);
        self.end = stored.sequence;
        if self.receives(&stored.message.subject) {
            let before = self.next_event();
            self.undelivered.push_back(Arc::clone(stored));
            self.look(now);
            self.wake_waiting(before);
        }
    }

    /// Applies everything that happens up to this time: deliveries become due for redelivery, or
    /// are given up.
    pub(super) fn advance(&mut self, now: Timestamp) {
        let before = self.next_event();
        while let Some(at) = self.next_event().filter(|at| *at <= now) {
            let mut signalled = self.next_look.take_if(|look| *look <= at).is_some();
            for (sequence, attempts) in self.in_flight.becoming_due(at) {
                // The server's count of deliveries lags behind by one after the first.
                let counted = attempts.saturating_sub(1).max(1);
                if self.consumer.max_deliver.is_some_and(|most| counted >= most) {
                    signalled |= !self.has_room();
                    self.give_up(sequence);
                } else {
                    signalled = true;
                    self.in_flight.make_due(sequence);
                }
            }
            if signalled {
                self.look(at);
            }
        }
        if self.next_event() != before {
            self.wake_waiting(before);
        }
    }

    /// True if a message can be taken now: one that the server has looked for.
    pub(super) fn is_available(&self) -> bool {
        self.next_look.is_none() && self.has_message()
    }

    fn has_message(&self) -> bool {
        self.in_flight.next_redelivery().is_some()
            || (!self.undelivered.is_empty() && self.has_room())
    }

    /// True for a message that is due for redelivery and waits for a subscriber.
    pub(super) fn is_due(&mut self, sequence: u64, now: Timestamp) -> bool {
        self.advance(now);
        self.in_flight.is_due(sequence)
    }

    /// True while a request waits whose caller has dropped its wait.
    pub(super) fn serves_by_itself(&self) -> bool {
        self.pulls.any_left()
    }

    /// Sends a request of this subscription, unless the broker has one of it or has served it.
    pub(super) fn request(&mut self, inbox: &Inbox, now: Timestamp) {
        self.advance(now);
        if inbox.is_empty() && !self.pulls.has(inbox, now) {
            let before = self.next_event();
            self.pulls.remove(inbox);
            self.pulls.send(inbox, now);
            self.look(now);
            // An older request may have waited for this look.
            self.wake_waiting(before);
        }
    }

    /// Registers the caller that waits for the request of this subscription.
    pub(super) fn wait(&mut self, inbox: &Inbox, waker: &Waker) {
        self.pulls.wait(inbox, waker);
    }

    /// The caller drops its wait, and the request stays. A message that it could have taken is
    /// on its way to it.
    pub(super) fn leave(&mut self, inbox: &Inbox, now: Timestamp) {
        self.advance(now);
        if self.pulls.leave(inbox, now) && self.is_available() {
            self.look(now);
        }
    }

    /// The subscription is dropped.
    pub(super) fn close(&mut self, inbox: &Inbox, now: Timestamp) {
        self.advance(now);
        self.pulls.close(inbox);
    }

    /// Takes the next delivery for a caller that waits.
    pub(super) fn take(&mut self, inbox: &Inbox, now: Timestamp) -> Option<Taken> {
        self.advance(now);
        let before = self.next_event();
        while self.is_available() && self.pulls.left_before(inbox) {
            if let Some(taken) = self.deliver(now) {
                self.pulls.serve_left(taken);
            }
            self.look(now);
        }
        let taken = if self.is_available() { self.deliver(now) } else { None };
        if taken.is_some() {
            self.pulls.remove(inbox);
            self.look(now);
        }
        self.wake_waiting(before);
        taken
    }

    /// Acknowledges a message, whichever attempt the acknowledgement belongs to. Returns whether
    /// the broker confirms: not one that the consumer has not passed, which belongs to an
    /// earlier consumer of its name.
    pub(super) fn ack(&mut self, sequence: u64, now: Timestamp) -> bool {
        self.advance(now);
        if sequence > self.passed {
            return false;
        }
        let (before, full) = (self.next_event(), !self.has_room());
        self.in_flight.ack(sequence, now);
        if full {
            self.look(now);
        }
        self.wake_waiting(before);
        true
    }

    /// Schedules a redelivery after the delay.
    pub(super) fn nak(&mut self, sequence: u64, number: u64, delay: Duration, now: Timestamp) {
        self.advance(now);
        if !self.in_flight.concerns(sequence, number) {
            return;
        }
        let before = self.next_event();
        if delay.is_zero() {
            self.in_flight.make_due(sequence);
            self.look(now);
        } else {
            self.in_flight.postpone(sequence, after(now, delay));
        }
        self.wake_waiting(before);
    }

    /// Restarts the ack wait, unless the message is due for redelivery.
    pub(super) fn in_progress(&mut self, sequence: u64, now: Timestamp) {
        self.advance(now);
        if !self.in_flight.is_due(sequence) {
            let before = self.next_event();
            self.in_flight.postpone(sequence, after(now, self.consumer.ack_wait));
            self.wake_waiting(before);
        }
    }

    /// The broker restarts after a kill: the stream ends at this position, and what was confirmed
    /// shortly before is forgotten.
    pub(super) fn lose(&mut self, end: u64, now: Timestamp) {
        self.advance(now);
        let before = self.next_event();
        self.end = end;
        self.undelivered.retain(|stored| stored.sequence <= end);
        self.in_flight.lose(end, now, after(now, self.consumer.ack_wait));
        self.delivered = self.delivered.min(end);
        // Only deliveries are written, not how far it has looked.
        self.passed = self.delivered;
        self.pulls.restart(now);
        self.look(now);
        self.wake_waiting(before);
    }

    /// A message is removed from the stream.
    pub(super) fn forget(&mut self, sequence: u64, now: Timestamp) {
        self.advance(now);
        let (before, full) = (self.next_event(), !self.has_room());
        self.undelivered.retain(|stored| stored.sequence != sequence);
        if self.in_flight.remove(sequence).is_some() && full {
            self.look(now);
        }
        self.wake_waiting(before);
    }

    /// Wakes everyone who waits: the consumer is deleted.
    pub(super) fn wake_all(&mut self) {
        self.pulls.wake();
    }

    /// Looks for messages for the requests that wait.
    fn look(&mut self, at: Timestamp) {
        self.next_look = None;
        while !self.pulls.is_empty() {
            while let Some((sequence, attempts)) = self.in_flight.next_redelivery()
                && self.consumer.max_deliver.is_some_and(|most| attempts >= most)
            {
                self.give_up(sequence);
            }
            if !self.is_available() {
                if self.has_room() {
                    self.passed = self.end;
                }
                break;
            }
            match self.pulls.front(at) {
                Some(Front::Waits) => break,
                Some(Front::Left) => {
                    if let Some(taken) = self.deliver(at) {
                        self.pulls.serve_left(taken);
                    }
                }
                None => {
                    // Nobody is left to take the message that was found.
                    match (self.in_flight.next_redelivery(), self.undelivered.front()) {
                        (None, Some(found)) => self.passed = found.sequence - 1,
                        _ => self.in_flight.rotate(),
                    }
                    break;
                }
            }
        }
        self.pulls.discard_stale(at);
    }

    fn deliver(&mut self, at: Timestamp) -> Option<Taken> {
        let due = after(at, self.consumer.ack_wait);
        if let Some((message, attempt, number)) = self.in_flight.redeliver(due) {
            return Some(Taken { message, attempt, number });
        }
        let message = self.undelivered.pop_front()?;
        (self.passed, self.delivered) = (message.sequence, message.sequence);
        let (attempt, number) = self.in_flight.deliver(&message, due);
        Some(Taken { message, attempt, number })
    }

    fn give_up(&mut self, sequence: u64) {
        self.in_flight.remove(sequence);
        self.given_up.push(sequence);
    }

    /// Passes what was in the stream when the server last looked for a request.
    fn pass_at_last_look(&mut self, stream: &[Arc<StoredMessage>], now: Timestamp) {
        if let Some(look) = self.pulls.last_look(now)
            && !self.has_message()
            && self.has_room()
        {
            let there = stream.partition_point(|stored| stored.published < look);
            let last = there.checked_sub(1).map_or(0, |at| stream[at].sequence);
            self.passed = self.passed.max(last);
        }
    }

    fn refill(&mut self, stream: &[Arc<StoredMessage>]) {
        let from = stream.partition_point(|stored| stored.sequence <= self.passed);
        let selected =
            stream[from..].iter().filter(|stored| self.receives(&stored.message.subject));
        self.undelivered = selected.map(Arc::clone).collect();
    }

    /// Wakes the waiting subscribers where a message can be taken, or where the time of the next
    /// event is no longer `before`.
    fn wake_waiting(&mut self, before: Option<Timestamp>) {
        if self.is_available() || self.next_event() != before {
            self.pulls.wake();
        }
    }
}
