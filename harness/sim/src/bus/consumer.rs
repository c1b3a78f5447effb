//! One consumer: what it was not delivered yet, what it has not acknowledged, and what it is
//! to be delivered again.
//!
//! The order is the real server's: redeliveries first, in the order in which they fell due,
//! and they do not count against the bound on what is in flight; then new messages by
//! position, as long as that bound allows. What fell due is found out when somebody looks,
//! which makes no difference to those who look.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::task::Waker;
use std::time::Duration;

use ports::Timestamp;
use ports::bus::Consumer;
use ports::clock::after;

use super::Kept;

/// A consumer's state.
pub(super) struct Queue {
    consumer: Consumer,
    undelivered: VecDeque<u64>,
    pending: BTreeMap<u64, Open>,
    /// When each of `pending` is due that is not in `again`.
    due: BTreeSet<(Timestamp, u64)>,
    /// Due again, oldest first.
    again: VecDeque<u64>,
    given_up: Vec<u64>,
    /// Subscribers that wait, in the order in which they began to.
    waiting: Vec<(u64, Waker)>,
    tickets: u64,
}

/// A delivery without an acknowledgement.
struct Open {
    attempts: u32,
    /// `None` where it is in `again`.
    due: Option<Timestamp>,
}

impl Queue {
    /// A consumer that begins with these messages.
    pub(super) fn new(consumer: Consumer, messages: &[Arc<Kept>]) -> Self {
        let mut queue = Self {
            consumer,
            undelivered: VecDeque::new(),
            pending: BTreeMap::new(),
            due: BTreeSet::new(),
            again: VecDeque::new(),
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

    pub(super) fn hears(&self, subject: &str) -> bool {
        let subjects = &self.consumer.subjects;
        subjects.is_empty() || subjects.iter().any(|heard| heard == subject)
    }

    pub(super) fn hears_other_than(&self, consumer: &Consumer) -> bool {
        self.consumer.subjects != consumer.subjects
    }

    /// Takes over another configuration, which holds for what is out too; with other filters,
    /// what lies ahead is `rest`.
    pub(super) fn update(&mut self, consumer: Consumer, rest: Option<&[Arc<Kept>]>) {
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
            for sequence in std::mem::take(&mut self.again) {
                self.redeliver(sequence);
            }
        }
        self.tell(before);
    }

    /// A new message.
    pub(super) fn offer(&mut self, sequence: u64) {
        self.undelivered.push_back(sequence);
        self.tell(self.first_due());
    }

    /// Moves what fell due by now to what is delivered again, or gives it up.
    pub(super) fn settle(&mut self, now: Timestamp) {
        let before = self.first_due();
        if before.is_none_or(|due| due > now) {
            return;
        }
        while let Some(&(at, sequence)) = self.due.first().filter(|(at, _)| *at <= now) {
            self.due.remove(&(at, sequence));
            self.redeliver(sequence);
        }
        self.tell(before);
    }

    /// Whether a subscriber that asks now gets a message.
    pub(super) fn is_available(&self) -> bool {
        !self.again.is_empty() || (!self.undelivered.is_empty() && self.has_room())
    }

    /// The next delivery: position and attempt.
    pub(super) fn take(&mut self, now: Timestamp) -> Option<(u64, u32)> {
        self.settle(now);
        let before = self.first_due();
        let sequence = match self.again.pop_front() {
            Some(sequence) => sequence,
            None if self.has_room() => self.undelivered.pop_front()?,
            None => return None,
        };
        let due = after(now, self.consumer.ack_wait);
        let open = self.pending.entry(sequence).or_insert(Open { attempts: 0, due: None });
        open.attempts += 1;
        open.due = Some(due);
        let attempts = open.attempts;
        self.due.insert((due, sequence));
        self.tell(before);
        Some((sequence, attempts))
    }

    /// Handled, whichever attempt says so.
    pub(super) fn ack(&mut self, sequence: u64, now: Timestamp) {
        self.settle(now);
        let before = self.first_due();
        match self.pending.remove(&sequence) {
            Some(Open { due: Some(due), .. }) => drop(self.due.remove(&(due, sequence))),
            Some(Open { due: None, .. }) => self.again.retain(|&other| other != sequence),
            None => return,
        }
        self.tell(before);
    }

    /// Not handled: to be delivered again after the delay.
    pub(super) fn nak(&mut self, sequence: u64, delay: Duration, now: Timestamp) {
        if delay.is_zero() {
            self.settle(now);
            let before = self.first_due();
            if self.take_off_due(sequence) {
                self.redeliver(sequence);
                self.tell(before);
            }
        } else {
            self.postpone(sequence, delay, now);
        }
    }

    /// Still at work: the ack wait starts again.
    pub(super) fn in_progress(&mut self, sequence: u64, now: Timestamp) {
        self.postpone(sequence, self.consumer.ack_wait, now);
    }

    /// Drops what lies after this position: the stream has lost it.
    pub(super) fn forget_after(&mut self, last: u64) {
        let before = self.first_due();
        self.undelivered.retain(|&sequence| sequence <= last);
        self.pending.retain(|&sequence, _| sequence <= last);
        self.due.retain(|&(_, sequence)| sequence <= last);
        self.again.retain(|&sequence| sequence <= last);
        self.tell(before);
    }

    pub(super) fn undelivered(&self) -> u64 {
        self.undelivered.len() as u64
    }

    pub(super) fn next_undelivered(&self) -> Option<u64> {
        self.undelivered.front().copied()
    }

    /// Position, attempts, and when it is due.
    pub(super) fn unacknowledged(&self) -> impl Iterator<Item = (u64, u32, Option<Timestamp>)> {
        self.pending.iter().map(|(&sequence, open)| (sequence, open.attempts, open.due))
    }

    pub(super) fn given_up(&self) -> &[u64] {
        &self.given_up
    }

    /// When the next delivery falls due.
    pub(super) fn first_due(&self) -> Option<Timestamp> {
        self.due.first().map(|&(at, _)| at)
    }

    /// Wakes this waiter when there is something to take, or another time to wait for.
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

    fn refill(&mut self, messages: &[Arc<Kept>]) {
        for kept in messages {
            if self.hears(&kept.message.subject) {
                self.undelivered.push_back(kept.sequence);
            }
        }
    }

    pub(super) fn has_room(&self) -> bool {
        self.pending.len() < self.consumer.max_in_flight as usize
    }

    /// Whether it was waiting for its time; one that is due again is not to be moved.
    fn take_off_due(&mut self, sequence: u64) -> bool {
        let Some(open) = self.pending.get_mut(&sequence) else { return false };
        let Some(due) = open.due.take() else { return false };
        self.due.remove(&(due, sequence))
    }

    /// What is due counts from the same moment as before, but by the new ack wait.
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
        self.settle(now);
        let before = self.first_due();
        if self.take_off_due(sequence) {
            let due = after(now, wait);
            self.due.insert((due, sequence));
            if let Some(open) = self.pending.get_mut(&sequence) {
                open.due = Some(due);
            }
            self.tell(before);
        }
    }

    fn redeliver(&mut self, sequence: u64) {
        let Some(open) = self.pending.get_mut(&sequence) else { return };
        open.due = None;
        if self.consumer.max_deliver.is_some_and(|most| open.attempts >= most) {
            self.pending.remove(&sequence);
            self.given_up.push(sequence);
        } else {
            self.again.push_back(sequence);
        }
    }

    /// Wakes who waits where there is something to take, or where the time that it waits for
    /// is no longer `before`.
    fn tell(&mut self, before: Option<Timestamp>) {
        if self.is_available() || self.first_due() != before {
            for (_, waker) in self.waiting.drain(..) {
                waker.wake();
            }
        }
    }
}
