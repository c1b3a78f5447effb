//! One stream: its messages, its deduplication window, and its consumers.
//!
//! A message is queued for each of its consumers once, when it is published. Only the opening
//! of a consumer walks the stream.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use ports::Timestamp;
use ports::bus::{Consumer, Group, Message, Pending, Published, Start};
use ports::clock::after;

use super::consumer::Queue;
use super::message::{StoredMessage, Unacknowledged};

/// The state of a stream.
pub(super) struct Log {
    window: Duration,
    messages: Vec<Arc<StoredMessage>>,
    /// The position and time of the last message that was added under an id.
    ids: BTreeMap<String, (u64, Timestamp)>,
    /// By number, that is, in order of creation.
    consumers: BTreeMap<u64, Queue>,
    durables: BTreeMap<String, u64>,
    opened: u64,
}

impl Log {
    pub(super) fn new(window: Duration) -> Self {
        Self {
            window,
            messages: Vec::new(),
            ids: BTreeMap::new(),
            consumers: BTreeMap::new(),
            durables: BTreeMap::new(),
            opened: 0,
        }
    }

    pub(super) fn messages(&self) -> &[Arc<StoredMessage>] {
        &self.messages
    }

    /// The message at this position.
    pub(super) fn message(&self, sequence: u64) -> &Arc<StoredMessage> {
        &self.messages[position(sequence)]
    }

    /// Adds a message, unless its id was added within the deduplication window.
    pub(super) fn publish(&mut self, message: Message, now: Timestamp) -> Published {
        let sequence = self.messages.len() as u64 + 1;
        // Without an id nothing is deduplicated.
        if !message.id.is_empty() {
            match self.ids.get_mut(&message.id) {
                Some(&mut (sequence, at)) if now < after(at, self.window) => {
                    return Published { sequence, duplicate: true };
                }
                Some(known) => *known = (sequence, now),
                None => drop(self.ids.insert(message.id.clone(), (sequence, now))),
            }
        }
        for queue in self.consumers.values_mut() {
            if queue.receives(&message.subject) {
                queue.offer(sequence);
            }
        }
        self.messages.push(Arc::new(StoredMessage { message, sequence, published: now }));
        Published { sequence, duplicate: false }
    }

    /// Drops the newest messages and their ids.
    pub(super) fn lose_tail(&mut self, messages: usize) {
        let left = self.messages.len().saturating_sub(messages);
        for lost in self.messages.drain(left..) {
            self.ids.remove(&lost.message.id);
        }
        for queue in self.consumers.values_mut() {
            queue.forget_after(left as u64);
        }
    }

    /// Creates or updates a consumer; returns its number and its backlog.
    pub(super) fn open(&mut self, consumer: Consumer, now: Timestamp) -> (u64, u64) {
        let durable = consumer.group == Group::Durable;
        if let Some(&id) = self.durables.get(&consumer.name).filter(|_| durable) {
            let queue = self.consumers.get_mut(&id).expect("a durable consumer is never removed");
            queue.apply_due(now);
            if queue.filters_differ(&consumer) {
                let next = queue.next_undelivered().unwrap_or(self.messages.len() as u64 + 1);
                queue.update(consumer, Some(&self.messages[position(next)..]));
            } else {
                queue.update(consumer, None);
            }
            return (id, queue.undelivered());
        }
        let first = match consumer.start {
            Start::All => 0,
            Start::New => self.messages.len(),
            Start::Since(at) => self.messages.partition_point(|stored| stored.published < at),
        };
        self.opened += 1;
        let id = self.opened;
        if durable {
            self.durables.insert(consumer.name.clone(), id);
        }
        let queue = Queue::new(consumer, &self.messages[first..]);
        let backlog = queue.undelivered();
        self.consumers.insert(id, queue);
        (id, backlog)
    }

    /// The consumer of this number, unless it is gone.
    pub(super) fn consumer(&mut self, id: u64) -> Option<&mut Queue> {
        self.consumers.get_mut(&id)
    }

    /// The consumers that receive a subject.
    pub(super) fn receiving(&self, subject: &str) -> impl Iterator<Item = u64> {
        let receiving = self.consumers.iter().filter(move |(_, queue)| queue.receives(subject));
        receiving.map(|(&id, _)| id)
    }

    /// Removes a broadcast consumer.
    pub(super) fn close(&mut self, id: u64) {
        self.consumers.remove(&id);
    }

    pub(super) fn pending(&mut self, now: Timestamp) -> Vec<Pending> {
        let mut all: Vec<Pending> = self
            .up_to_date(now)
            .map(|queue| Pending {
                consumer: queue.name().to_owned(),
                undelivered: queue.undelivered(),
                unacknowledged: queue.unacknowledged().count() as u64,
            })
            .collect();
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
            queue.apply_due(now);
            &*queue
        })
    }
}

/// The index of the message at this position.
fn position(sequence: u64) -> usize {
    usize::try_from(sequence - 1).expect("a position fits into memory")
}
