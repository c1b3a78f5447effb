//! The figures of a consumer that the rest of the broker reads.

use std::time::Duration;

use ports::Timestamp;

use super::Queue;

impl Queue {
    /// Messages leave the stream at this age.
    pub(in crate::bus) fn keep(&mut self, max_age: Option<Duration>) {
        self.in_flight.keep(max_age);
    }

    /// The position up to which it has passed the stream.
    pub(in crate::bus) fn passed(&self) -> u64 {
        self.passed
    }

    pub(in crate::bus) fn name(&self) -> &str {
        &self.consumer.name
    }

    pub(in crate::bus) fn receives(&self, subject: &str) -> bool {
        let subjects = &self.consumer.subjects;
        subjects.is_empty() || subjects.iter().any(|own| own == subject)
    }

    /// The counts as the broker gives them: undelivered and unacknowledged messages.
    pub(in crate::bus) fn counts(&mut self, now: Timestamp) -> (u64, u64) {
        self.advance(now);
        self.pulls.discard_stale(now);
        (self.undelivered(), self.in_flight.len() as u64)
    }

    pub(in crate::bus) fn undelivered(&self) -> u64 {
        self.undelivered.len() as u64
    }

    /// The unacknowledged deliveries: position, attempts, time of the redelivery.
    pub(in crate::bus) fn unacknowledged(
        &self,
    ) -> impl Iterator<Item = (u64, u32, Option<Timestamp>)> {
        self.in_flight.iter().map(|(sequence, open)| (sequence, open.attempts, open.due))
    }

    pub(in crate::bus) fn given_up(&self) -> &[u64] {
        &self.given_up
    }

    /// The time at which something happens by itself.
    pub(in crate::bus) fn next_event(&self) -> Option<Timestamp> {
        self.in_flight.first_due().into_iter().chain(self.next_look).min()
    }

    pub(in crate::bus) fn has_room(&self) -> bool {
        self.in_flight.len() < self.consumer.max_in_flight as usize
    }

    /// The time at which a subscriber that waits must look again: also where a message in flight
    /// leaves the stream and makes room.
    pub(in crate::bus) fn next_change(&self) -> Option<Timestamp> {
        let leaves = (!self.has_room()).then(|| self.in_flight.first_leaves()).flatten();
        self.next_event().into_iter().chain(leaves).min()
    }
}
