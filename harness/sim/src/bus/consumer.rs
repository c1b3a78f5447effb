//! One consumer: its undelivered messages, unacknowledged deliveries and due redeliveries.
//!
//! The order is the real server's: redeliveries first, in the order in which they became due,
//! regardless of the bound in flight; then new messages by position, as far as that bound
//! allows. Deliveries become due lazily, at the next access, which no caller can observe.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::task::Waker;
use std::time::Duration;

use ports::Timestamp;
use ports::bus::Consumer;
use ports::clock::after;

use super::message::StoredMessage;

/// A consumer's state.
pub(super) struct Queue {
    consumer: Consumer,
    undelivered: VecDeque<u64>,
    pending: BTreeMap<u64, InFlight>,
    /// The redelivery times of the entries of `pending` that are not in `redeliveries`.
    due: BTreeSet<(Timestamp, u64)>,
    /// The messages that are due for redelivery, oldest first.
    redeliveries: VecDeque<u64>,
    given_up: Vec<u64>,
    /// The subscribers that wait for a message, oldest first.
    waiting: Vec<(u64, Waker)>,
    tickets: u64,
}

/// An unacknowledged delivery.
struct InFlight {
    attempts: u32,
    /// The time of its redelivery; `None` where it is in `redeliveries`.
    due: Option<Timestamp>,
}

impl Queue {
    /// A consumer that starts with these messages.
    pub(super) fn new(consumer: Consumer, messages: &[Arc<StoredMessage>]) -> Self {
        let mut queue = Self {
            consumer,
            undelivered: VecDeque::new(),
            pending: BTreeMap::new(),
            due: BTreeSet::new(),
            redeliveries: VecDeque::new(),
            given_up: Vec::new(),
            waiting: Vec::new(),
            tickets: 0,
        };
        queue.refill(messages);
        queue
    }

    pub(super) fn name(&self) -> &str {
        &self.consumer.name
    }

    pub(super) fn receives(&self, subject: &str) -> bool {
        let subjects = &self.consumer.subjects;
        subjects.is_empty() || subjects.iter().any(|own| own == subject)
    }

    pub(super) fn filters_differ(&self, consumer: &Consumer) -> bool {
        self.consumer.subjects != consumer.subjects
    }

    /// Applies another configuration, which also governs the deliveries in flight. Where the
    /// filters changed, `rest` are the messages that are left to deliver.
    pub(super) fn update(&mut self, consumer: Consumer, rest: Option<&[Arc<StoredMessage>]>) {
        let before = self.first_due();
        let was = std::mem::replace(&mut self.consumer, consumer);
        if let Some(rest) = rest {
            self.undelivered.clear();
            self.refill(rest);
        }
        if was.ack_wait != self.consumer.ack_wait {
            self.move_due(was.ack_wait);
        }
        if was.max_deliver != self.consumer.max_deliver {
            for sequence in std::mem::take(&mut self.redeliveries) {
                self.redeliver(sequence);
            }
        }
        self.wake_waiting(before);
    }

    /// Queues a new message.
    pub(super) fn offer(&mut self, sequence: u64) {
        self.undelivered.push_back(sequence);
        self.wake_waiting(self.first_due());
    }

    /// Queues the deliveries that have become due for redelivery, or gives them up.
    pub(super) fn apply_due(&mut self, now: Timestamp) {
        let before = self.first_due();
        if before.is_none_or(|due| due > now) {
            return;
        }
        while let Some(&(at, sequence)) = self.due.first().filter(|(at, _)| *at <= now) {
            self.due.remove(&(at, sequence));
            self.redeliver(sequence);
        }
        self.wake_waiting(before);
    }

    /// Whether a message can be taken now.
    pub(super) fn is_available(&self) -> bool {
        !self.redeliveries.is_empty() || (!self.undelivered.is_empty() && self.has_room())
    }

    /// Whether this message is due for redelivery, and waits for a subscriber.
    pub(super) fn is_due(&mut self, sequence: u64, now: Timestamp) -> bool {
        self.apply_due(now);
        self.redeliveries.contains(&sequence)
    }

    /// Takes the next delivery: its position and attempt.
    pub(super) fn take(&mut self, now: Timestamp) -> Option<(u64, u32)> {
        self.apply_due(now);
        let before = self.first_due();
        let sequence = match self.redeliveries.pop_front() {
            Some(sequence) => sequence,
            None if self.has_room() => self.undelivered.pop_front()?,
            None => return None,
        };
        let due = after(now, self.consumer.ack_wait);
        let open = self.pending.entry(sequence).or_insert(InFlight { attempts: 0, due: None });
        open.attempts += 1;
        open.due = Some(due);
        let attempts = open.attempts;
        self.due.insert((due, sequence));
        self.wake_waiting(before);
        Some((sequence, attempts))
    }

    /// Acknowledges a message, whichever attempt the acknowledgement belongs to.
    pub(super) fn ack(&mut self, sequence: u64, now: Timestamp) {
        self.apply_due(now);
        let before = self.first_due();
        match self.pending.remove(&sequence) {
            Some(InFlight { due: Some(due), .. }) => drop(self.due.remove(&(due, sequence))),
            Some(InFlight { due: None, .. }) => {
                self.redeliveries.retain(|&other| other != sequence);
            }
            None => return,
        }
        self.wake_waiting(before);
    }

    /// Schedules a redelivery after the delay.
    pub(super) fn nak(&mut self, sequence: u64, delay: Duration, now: Timestamp) {
        if delay.is_zero() {
            self.apply_due(now);
            let before = self.first_due();
            if self.cancel_due(sequence) {
                self.redeliver(sequence);
                self.wake_waiting(before);
            }
        } else {
            self.postpone(sequence, delay, now);
        }
    }

    /// Restarts the ack wait.
    pub(super) fn in_progress(&mut self, sequence: u64, now: Timestamp) {
        self.postpone(sequence, self.consumer.ack_wait, now);
    }

    /// Drops the messages after this position, because the stream has lost them.
    pub(super) fn forget_after(&mut self, last: u64) {
        let before = self.first_due();
        self.undelivered.retain(|&sequence| sequence <= last);
        self.pending.retain(|&sequence, _| sequence <= last);
        self.due.retain(|&(_, sequence)| sequence <= last);
        self.redeliveries.retain(|&sequence| sequence <= last);
        self.wake_waiting(before);
    }

    pub(super) fn undelivered(&self) -> u64 {
        self.undelivered.len() as u64
    }

    pub(super) fn next_undelivered(&self) -> Option<u64> {
        self.undelivered.front().copied()
    }

    /// The unacknowledged deliveries: position, attempts, time of the redelivery.
    pub(super) fn unacknowledged(&self) -> impl Iterator<Item = (u64, u32, Option<Timestamp>)> {
        self.pending.iter().map(|(&sequence, open)| (sequence, open.attempts, open.due))
    }

    pub(super) fn given_up(&self) -> &[u64] {
        &self.given_up
    }

    /// The time at which the next delivery becomes due.
    pub(super) fn first_due(&self) -> Option<Timestamp> {
        self.due.first().map(|&(at, _)| at)
    }

    /// Registers a waiter, to be woken when a message can be taken or the time of the next
    /// redelivery has changed.
    pub(super) fn wait(&mut self, ticket: Option<u64>, waker: &Waker) -> u64 {
        let ticket = ticket.unwrap_or_else(|| {
            self.tickets += 1;
            self.tickets
        });
        match self.waiting.iter_mut().find(|(waiter, _)| *waiter == ticket) {
            Some((_, known)) => known.clone_from(waker),
            None => self.waiting.push((ticket, waker.clone())),
        }
        ticket
    }

    pub(super) fn stop_waiting(&mut self, ticket: u64) {
        self.waiting.retain(|(waiter, _)| *waiter != ticket);
    }

    fn refill(&mut self, messages: &[Arc<StoredMessage>]) {
        for stored in messages {
            if self.receives(&stored.message.subject) {
                self.undelivered.push_back(stored.sequence);
            }
        }
    }

    pub(super) fn has_room(&self) -> bool {
        self.pending.len() < self.consumer.max_in_flight as usize
    }

    /// Cancels the redelivery time of a message; `false` where it had none, because it is due
    /// already or acknowledged.
    fn cancel_due(&mut self, sequence: u64) -> bool {
        let Some(open) = self.pending.get_mut(&sequence) else { return false };
        let Some(due) = open.due.take() else { return false };
        self.due.remove(&(due, sequence))
    }

    /// Recomputes redelivery times, from the same start, by the new ack wait.
    fn move_due(&mut self, was: Duration) {
        for (at, sequence) in std::mem::take(&mut self.due) {
            let begun = at.checked_sub(was).unwrap_or(Timestamp::MIN);
            let due = after(begun, self.consumer.ack_wait);
            self.due.insert((due, sequence));
            if let Some(open) = self.pending.get_mut(&sequence) {
                open.due = Some(due);
            }
        }
    }

    fn postpone(&mut self, sequence: u64, wait: Duration, now: Timestamp) {
        self.apply_due(now);
        let before = self.first_due();
        if self.cancel_due(sequence) {
            let due = after(now, wait);
            self.due.insert((due, sequence));
            if let Some(open) = self.pending.get_mut(&sequence) {
                open.due = Some(due);
            }
            self.wake_waiting(before);
        }
    }

    fn redeliver(&mut self, sequence: u64) {
        let Some(open) = self.pending.get_mut(&sequence) else { return };
        open.due = None;
        if self.consumer.max_deliver.is_some_and(|most| open.attempts >= most) {
            self.pending.remove(&sequence);
            self.given_up.push(sequence);
        } else {
            self.redeliveries.push_back(sequence);
        }
    }

    /// Wakes the waiting subscribers where a message can be taken, or where the time of the next
    /// redelivery is no longer `before`.
    fn wake_waiting(&mut self, before: Option<Timestamp>) {
        if self.is_available() || self.first_due() != before {
            for (_, waker) in self.waiting.drain(..) {
                waker.wake();
            }
        }
    }
}
