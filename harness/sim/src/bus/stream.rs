//! One stream: its messages, the ids it remembers, and its consumers.
//!
//! It hands each message to the queues of its consumers once, when it comes in; no call ever
//! walks the stream, except the opening of a consumer.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use ports::Timestamp;
use ports::bus::{Consumer, Group, Message, Pending, Published, Start};
use ports::clock::after;

use super::consumer::Queue;
use super::{Kept, Unacknowledged};

/// A stream.
pub(super) struct Log {
    window: Duration,
    messages: Vec<Arc<Kept>>,
    /// Position and time of the last message that was added under an id.
    ids: BTreeMap<String, (u64, Timestamp)>,
    /// In the order in which they were created.
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

    pub(super) fn messages(&self) -> &[Arc<Kept>] {
        &self.messages
    }

    /// The message at this position.
    pub(super) fn message(&self, sequence: u64) -> &Arc<Kept> {
        &self.messages[position(sequence)]
    }

    /// Adds a message, unless its id is known.
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
            if queue.hears(&message.subject) {
                queue.offer(sequence);
            }
        }
        self.messages.push(Arc::new(Kept { message, sequence, published: now }));
        Published { sequence, duplicate: false }
    }

    /// Forgets the newest messages, and that they were ever there.
    pub(super) fn lose_tail(&mut self, messages: usize) {
        let left = self.messages.len().saturating_sub(messages);
        for lost in self.messages.drain(left..) {
            self.ids.remove(&lost.message.id);
        }
        for queue in self.consumers.values_mut() {
            queue.forget_after(left as u64);
        }
    }

    /// Creates the consumer or brings it up to date; returns it and what waits for it.
    pub(super) fn open(&mut self, consumer: Consumer, now: Timestamp) -> (u64, u64) {
        let durable = consumer.group == Group::Durable;
        if let Some(&id) = self.durables.get(&consumer.name).filter(|_| durable) {
            let queue = self.consumers.get_mut(&id).expect("a durable consumer is never removed");
            queue.settle(now);
            if queue.hears_other_than(&consumer) {
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
            Start::Since(at) => self.messages.partition_point(|kept| kept.published < at),
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

    /// A consumer, unless it is gone.
    pub(super) fn consumer(&mut self, id: u64) -> Option<&mut Queue> {
        self.consumers.get_mut(&id)
    }

    /// The consumers that hear a subject.
    pub(super) fn hearing(&self, subject: &str) -> impl Iterator<Item = u64> {
        let hearing = self.consumers.iter().filter(move |(_, queue)| queue.hears(subject));
        hearing.map(|(&id, _)| id)
    }

    /// Removes a broadcast consumer.
    pub(super) fn close(&mut self, id: u64) {
        self.consumers.remove(&id);
    }

    pub(super) fn pending(&mut self, now: Timestamp) -> Vec<Pending> {
        let mut all: Vec<Pending> = self
            .settled(now)
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
            .settled(now)
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
        self.settled(now)
            .flat_map(|queue| queue.given_up().iter().map(|&at| (queue.name().to_owned(), at)))
            .collect()
    }

    fn settled(&mut self, now: Timestamp) -> impl Iterator<Item = &Queue> {
        self.consumers.values_mut().map(move |queue| {
            queue.settle(now);
            &*queue
        })
    }
}

/// Where the message of this position lies.
fn position(sequence: u64) -> usize {
    usize::try_from(sequence - 1).expect("a position fits into memory")
}
