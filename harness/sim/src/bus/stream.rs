//! One stream: its messages, its deduplication window, and its consumers.
//!
//! A message is queued for each of its consumers once, when it is published. Only the opening
//! of a consumer walks the stream.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use ports::Timestamp;
use ports::bus::{
    BusError, Consumer, Group, Message, Pending, PublishError, Published, Start, StreamLimits,
    StreamState,
};
use ports::clock::after;

use super::consumer::Queue;
use super::message::{StoredMessage, Unacknowledged};

/// The bytes of the prefix that the real adapter gives to a subject: a long namespace and a dot.
const PREFIX: usize = 32;

/// The state of a stream.
pub(super) struct Log {
    window: Duration,
    limits: StreamLimits,
    /// The bytes of all messages.
    bytes: u64,
    /// The last position, also where its message was removed.
    last: u64,
    messages: Vec<Arc<StoredMessage>>,
    /// The position and time of the last message that was added under an id.
    ids: BTreeMap<String, (u64, Timestamp)>,
    /// By number, that is, in order of creation.
    consumers: BTreeMap<u64, Queue>,
    durables: BTreeMap<String, u64>,
    opened: u64,
}

/// A consumer that was opened.
pub(super) struct Opened {
    /// Its number.
    pub(super) id: u64,
    /// The number of messages that it has not delivered.
    pub(super) backlog: u64,
    /// True if messages have left the stream that it had not passed.
    pub(super) has_gap: bool,
}

impl Log {
    pub(super) fn new(window: Duration) -> Self {
        Self {
            window,
            limits: StreamLimits::default(),
            bytes: 0,
            last: 0,
            messages: Vec::new(),
            ids: BTreeMap::new(),
            consumers: BTreeMap::new(),
            durables: BTreeMap::new(),
            opened: 0,
        }
    }

    pub(super) fn state(&self) -> StreamState {
        StreamState {
            messages: self.messages.len() as u64,
            bytes: self.bytes,
            oldest: self.messages.first().map(|stored| stored.published),
            limits: self.limits,
        }
    }

    pub(super) fn messages(&self) -> &[Arc<StoredMessage>] {
        &self.messages
    }

    /// Sets the limits.
    pub(super) fn limit(&mut self, limits: StreamLimits) -> Result<(), BusError> {
        limits.check(self.window)?;
        self.limits = limits;
        self.consumers.values_mut().for_each(|queue| queue.keep(limits.max_age));
        Ok(())
    }

    /// True if a message is too old.
    pub(super) fn expires(&self, now: Timestamp) -> bool {
        let (age, oldest) = (self.limits.max_age, self.messages.first());
        age.zip(oldest).is_some_and(|(age, oldest)| after(oldest.published, age) <= now)
    }

    /// Removes the messages that are too old. The server may do so some hundred milliseconds
    /// later.
    pub(super) fn expire(&mut self, now: Timestamp) {
        let Some(age) = self.limits.max_age.filter(|_| self.expires(now)) else { return };
        let left = self.messages.partition_point(|stored| after(stored.published, age) <= now);
        for old in self.messages.drain(..left) {
            self.bytes -= old.message.stored_size(PREFIX);
            let left_at = after(old.published, age);
            self.consumers.values_mut().for_each(|queue| queue.forget(old.sequence, left_at));
        }
    }

    /// Adds a message, unless its id was added within the deduplication window, or the stream is
    /// full.
    pub(super) fn publish(
        &mut self,
        message: Message,
        now: Timestamp,
    ) -> Result<Published, PublishError> {
        let sequence = self.last + 1;
        // Without an id nothing is deduplicated.
        let known = self.ids.get(&message.id).filter(|_| !message.id.is_empty());
        if let Some(&(sequence, at)) = known
            && now < after(at, self.window)
        {
            return Ok(Published { sequence, duplicate: true });
        }
        let bytes = self.bytes + message.stored_size(PREFIX);
        if self.limits.max_bytes.is_some_and(|most| bytes > most) {
            return Err(PublishError::Unknown("maximum bytes exceeded".to_owned()));
        }
        self.bytes = bytes;
        if !message.id.is_empty() {
            self.ids.insert(message.id.clone(), (sequence, now));
        }
        let stored = Arc::new(StoredMessage { message, sequence, published: now });
        self.consumers.values_mut().for_each(|queue| queue.offer(&stored, now));
        self.messages.push(stored);
        self.last = sequence;
        Ok(Published { sequence, duplicate: false })
    }

    /// Drops the newest messages and their ids, and the acknowledgements of a short while.
    pub(super) fn lose_tail(&mut self, messages: usize, now: Timestamp) {
        let left = self.messages.len().saturating_sub(messages);
        if let Some(first) = self.messages.get(left) {
            self.last = first.sequence - 1;
        }
        for lost in self.messages.drain(left..) {
            self.ids.remove(&lost.message.id);
            self.bytes -= lost.message.stored_size(PREFIX);
        }
        for queue in self.consumers.values_mut() {
            queue.lose(self.last, now);
        }
    }

    /// Removes the message at this position; returns whether there was one.
    ///
    /// The server does not tell a consumer whose filter has excluded a message since its delivery,
    /// and the consumer notices at some later check. The simulation refuses that removal.
    pub(super) fn remove(&mut self, sequence: u64, now: Timestamp) -> Result<bool, BusError> {
        let found = self.messages.binary_search_by_key(&sequence, |stored| stored.sequence);
        let Ok(at) = found else { return Ok(false) };
        let subject = &self.messages[at].message.subject;
        let untold = self.consumers.values_mut().any(|queue| {
            queue.advance(now);
            let mut in_flight = queue.unacknowledged().map(|(sequence, ..)| sequence);
            let has_it = in_flight.any(|other| other == sequence);
            has_it && !queue.receives(subject)
        });
        if untold {
            let why = "a consumer has the message in flight that its filter no longer selects";
            return Err(BusError::Rejected(why.to_owned()));
        }
        self.bytes -= self.messages[at].message.stored_size(PREFIX);
        self.messages.remove(at);
        self.consumers.values_mut().for_each(|queue| queue.forget(sequence, now));
        Ok(true)
    }

    /// Creates or updates a consumer.
    pub(super) fn open(&mut self, consumer: Consumer, now: Timestamp) -> Opened {
        let durable = consumer.group == Group::Durable;
        let first = self.messages.first().map_or(self.last, |stored| stored.sequence - 1);
        if let Some(&id) = self.durables.get(&consumer.name).filter(|_| durable) {
            let queue = self.consumers.get_mut(&id).expect("a name has its consumer");
            let has_gap = queue.passed() < first;
            return Opened { id, backlog: queue.update(consumer, &self.messages, now), has_gap };
        }
        let passed = match consumer.start {
            Start::All => first,
            Start::New => self.last,
            Start::Since(at) => {
                let from = self.messages.partition_point(|stored| stored.published < at);
                self.messages.get(from).map_or(self.last, |stored| stored.sequence - 1)
            }
        };
        self.opened += 1;
        let id = self.opened;
        if durable {
            self.durables.insert(consumer.name.clone(), id);
        }
        let mut queue = Queue::new(consumer, passed, self.last, &self.messages);
        queue.keep(self.limits.max_age);
        let backlog = queue.undelivered();
        self.consumers.insert(id, queue);
        Opened { id, backlog, has_gap: false }
    }

    /// The consumer of this number, unless it is gone.
    pub(super) fn consumer(&mut self, id: u64) -> Option<&mut Queue> {
        self.consumers.get_mut(&id)
    }

    /// The number of the durable consumer of this name.
    pub(super) fn durable(&self, name: &str) -> Option<u64> {
        self.durables.get(name).copied()
    }

    /// True if a consumer of this subject serves a request that nobody waits for.
    pub(super) fn serves_by_itself(&self, subject: &str) -> bool {
        let mut receiving = self.consumers.values().filter(|queue| queue.receives(subject));
        receiving.any(Queue::serves_by_itself)
    }

    /// Deletes all messages and consumers.
    pub(super) fn delete(&mut self, now: Timestamp) {
        for queue in self.consumers.values_mut() {
            queue.advance(now);
            queue.wake_all();
        }
        let (window, limits, opened) = (self.window, self.limits, self.opened);
        *self = Self { limits, opened, ..Self::new(window) };
    }

    /// Deletes a durable consumer.
    pub(super) fn delete_durable(&mut self, name: &str, now: Timestamp) {
        if let Some(id) = self.durables.remove(name) {
            self.consumers.get_mut(&id).into_iter().for_each(|queue| queue.advance(now));
            self.close(id);
        }
    }

    /// The consumers that receive a subject.
    pub(super) fn receiving(&self, subject: &str) -> impl Iterator<Item = u64> {
        let receiving = self.consumers.iter().filter(move |(_, queue)| queue.receives(subject));
        receiving.map(|(&id, _)| id)
    }

    /// Removes a consumer.
    pub(super) fn close(&mut self, id: u64) {
        if let Some(mut queue) = self.consumers.remove(&id) {
            queue.wake_all();
        }
    }

    pub(super) fn pending(&mut self, now: Timestamp) -> Vec<Pending> {
        let counted = self.consumers.values_mut().map(|queue| {
            let (undelivered, unacknowledged) = queue.counts(now);
            Pending { consumer: queue.name().to_owned(), undelivered, unacknowledged }
        });
        let mut all: Vec<Pending> = counted.collect();
        all.sort_by(|a, b| a.consumer.cmp(&b.consumer));
        all
    }

    pub(super) fn unacknowledged(&mut self, now: Timestamp) -> Vec<Unacknowledged> {
        let mut all: Vec<Unacknowledged> = self
            .up_to_date(now)
            .flat_map(|queue| {
                queue.unacknowledged().map(|(sequence, attempts, due)| Unacknowledged {
                    consumer: queue.name().to_owned(),
                    sequence,
                    attempts,
                    due,
                })
            })
            .collect();
        all.sort_by(|a, b| a.consumer.cmp(&b.consumer));
        all
    }

    pub(super) fn given_up(&mut self, now: Timestamp) -> Vec<(String, u64)> {
        self.up_to_date(now)
            .flat_map(|queue| queue.given_up().iter().map(|&at| (queue.name().to_owned(), at)))
            .collect()
    }

    fn up_to_date(&mut self, now: Timestamp) -> impl Iterator<Item = &Queue> {
        self.consumers.values_mut().map(move |queue| {
            queue.advance(now);
            &*queue
        })
    }
}
