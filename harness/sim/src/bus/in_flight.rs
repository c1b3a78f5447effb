//! The unacknowledged deliveries of a consumer: their attempts, and when they are due again.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use ports::Timestamp;
use ports::clock::{after, before};

use super::message::StoredMessage;

/// The interval at which the broker writes the state of a consumer. A kill loses what it has
/// confirmed since.
const WRITE_INTERVAL: Duration = Duration::from_millis(100);
/// The delay after which the broker applies another ack wait to deliveries in flight.
const RECONSIDERATION: Duration = Duration::from_millis(100);

/// The unacknowledged deliveries.
#[derive(Default)]
pub(super) struct InFlight {
    open: BTreeMap<u64, Open>,
    /// The redelivery times of the entries of `open` that are not in `redeliveries`.
    due: BTreeSet<(Timestamp, u64)>,
    /// The messages that are due for redelivery, oldest first.
    redeliveries: VecDeque<u64>,
    /// The acknowledgements that are not written yet, oldest first.
    unwritten: VecDeque<(Timestamp, u64, Open)>,
    /// The number of deliveries so far.
    deliveries: u64,
    /// The age at which messages leave the stream.
    max_age: Option<Duration>,
}

/// An unacknowledged delivery.
pub(super) struct Open {
    message: Arc<StoredMessage>,
    pub(super) attempts: u32,
    /// The number of its first delivery among those of the consumer.
    first: u64,
    /// The time of its redelivery; `None` where it is in `redeliveries`.
    pub(super) due: Option<Timestamp>,
}

impl InFlight {
    pub(super) fn len(&self) -> usize {
        self.open.len()
    }

    /// The unacknowledged deliveries, by position.
    pub(super) fn iter(&self) -> impl Iterator<Item = (u64, &Open)> {
        self.open.iter().map(|(&sequence, open)| (sequence, open))
    }

    pub(super) fn keep(&mut self, max_age: Option<Duration>) {
        self.max_age = max_age;
    }

    /// The time at which the oldest message leaves the stream.
    pub(super) fn first_leaves(&self) -> Option<Timestamp> {
        let (_, oldest) = self.open.first_key_value()?;
        self.leaves(oldest)
    }

    /// The time at which a message leaves the stream.
    fn leaves(&self, open: &Open) -> Option<Timestamp> {
        self.max_age.map(|age| after(open.message.published, age))
    }

    /// The time at which the next delivery becomes due.
    pub(super) fn first_due(&self) -> Option<Timestamp> {
        self.due.first().map(|&(at, _)| at)
    }

    /// The next message that is due for redelivery, and its attempts.
    pub(super) fn next_redelivery(&self) -> Option<(u64, u32)> {
        let &sequence = self.redeliveries.front()?;
        Some((sequence, self.open.get(&sequence)?.attempts))
    }

    /// True for a message that is due for redelivery and waits for a subscriber.
    pub(super) fn is_due(&self, sequence: u64) -> bool {
        self.redeliveries.contains(&sequence)
    }

    /// Delivers a message for the first time; returns attempt and number.
    pub(super) fn deliver(&mut self, message: &Arc<StoredMessage>, due: Timestamp) -> (u32, u64) {
        self.deliveries += 1;
        let open = Open {
            message: Arc::clone(message),
            attempts: 1,
            first: self.deliveries,
            due: Some(due),
        };
        self.due.insert((due, message.sequence));
        self.open.insert(message.sequence, open);
        (1, self.deliveries)
    }

    /// Delivers the next message that is due; returns it with attempt and number.
    pub(super) fn redeliver(&mut self, due: Timestamp) -> Option<(Arc<StoredMessage>, u32, u64)> {
        let sequence = self.redeliveries.pop_front()?;
        let open = self.open.get_mut(&sequence)?;
        self.deliveries += 1;
        open.attempts += 1;
        open.due = Some(due);
        self.due.insert((due, sequence));
        Some((Arc::clone(&open.message), open.attempts, self.deliveries))
    }

    /// Moves the next message that is due to the end of those.
    pub(super) fn rotate(&mut self) {
        self.redeliveries.rotate_left(self.redeliveries.len().min(1));
    }

    /// Removes a message; returns whether it was unacknowledged.
    pub(super) fn remove(&mut self, sequence: u64) -> Option<Open> {
        let open = self.open.remove(&sequence)?;
        match open.due {
            Some(due) => drop(self.due.remove(&(due, sequence))),
            None => self.redeliveries.retain(|&other| other != sequence),
        }
        Some(open)
    }

    /// Acknowledges a message.
    pub(super) fn ack(&mut self, sequence: u64, now: Timestamp) {
        while self.unwritten.front().is_some_and(|&(at, ..)| after(at, WRITE_INTERVAL) <= now) {
            self.unwritten.pop_front();
        }
        if let Some(open) = self.remove(sequence) {
            self.unwritten.push_back((now, sequence, open));
        }
    }

    /// True if a reply to the delivery of this number concerns an unacknowledged message.
    pub(super) fn concerns(&self, sequence: u64, number: u64) -> bool {
        // A reply may be to a delivery of an earlier consumer of this name.
        let settled = self.open.values().next().map_or(self.deliveries, |open| open.first - 1);
        number > settled && number <= self.deliveries + 1 && self.open.contains_key(&sequence)
    }

    /// Queues a message for redelivery, unless it is.
    pub(super) fn make_due(&mut self, sequence: u64) {
        if let Some(open) = self.open.get_mut(&sequence)
            && let Some(due) = open.due.take()
        {
            self.due.remove(&(due, sequence));
            self.redeliveries.push_back(sequence);
        }
    }

    /// Sets the time of a redelivery, also where the message is due already.
    pub(super) fn postpone(&mut self, sequence: u64, due: Timestamp) {
        let Some(open) = self.open.get_mut(&sequence) else { return };
        match open.due.replace(due) {
            Some(was) => drop(self.due.remove(&(was, sequence))),
            None => self.redeliveries.retain(|&other| other != sequence),
        }
        self.due.insert((due, sequence));
    }

    /// The messages that become due up to this time, in the order of their redelivery.
    pub(super) fn becoming_due(&self, at: Timestamp) -> Vec<(u64, u32)> {
        let due = self.due.iter().take_while(|(due, _)| *due <= at);
        due.map(|&(_, sequence)| (sequence, self.open[&sequence].attempts)).collect()
    }

    /// Recomputes redelivery times, from the same start, by another ack wait.
    pub(super) fn change_wait(&mut self, was: Duration, wait: Duration, now: Timestamp) {
        let soonest = after(now, RECONSIDERATION);
        for (at, sequence) in std::mem::take(&mut self.due) {
            let begun = before(at, was);
            let due = after(begun, wait).max(soonest);
            self.due.insert((due, sequence));
            if let Some(open) = self.open.get_mut(&sequence) {
                open.due = Some(due);
            }
        }
    }

    /// Drops the messages after this position, and forgets the acknowledgements that were not
    /// written: their messages are due at this time.
    pub(super) fn lose(&mut self, last: u64, now: Timestamp, due: Timestamp) {
        let lost: Vec<u64> = self.open.range(last + 1..).map(|(&sequence, _)| sequence).collect();
        lost.into_iter().for_each(|sequence| drop(self.remove(sequence)));
        for (at, sequence, open) in std::mem::take(&mut self.unwritten) {
            let is_there = sequence <= last && self.leaves(&open).is_none_or(|leaves| leaves > now);
            if is_there && after(at, WRITE_INTERVAL) > now {
                self.open.insert(sequence, Open { due: Some(due), ..open });
                self.due.insert((due, sequence));
            }
        }
    }
}
