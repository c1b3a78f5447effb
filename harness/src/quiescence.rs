//! Quiescence: no work is pending.
//!
//! A system is quiescent when it handles no request and no message, no task has work, no
//! consumer has pending messages, and no outbox holds an event. Timers that lie in the future
//! do not count. This module describes pending work; the worlds
//! collect it.

use std::fmt::Display;

use platform::activity::Activity;
use ports::Timestamp;
use ports::bus::Pending;

/// The system did not become quiescent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the system does not become quiescent: {}", .reasons.join("; "))]
pub struct NotQuiescent {
    /// The pending work, one sentence each.
    pub reasons: Vec<String>,
}

/// The pending work of an instance.
pub(crate) fn instance(name: impl Display, activity: &Activity, now: Timestamp) -> Vec<String> {
    activity.outstanding(now).into_iter().map(|reason| format!("{name}: {reason}")).collect()
}

/// The pending messages of a consumer.
pub(crate) fn consumer(pending: &Pending) -> Option<String> {
    let Pending { consumer, undelivered, unacknowledged } = pending;
    (undelivered + unacknowledged > 0)
        .then(|| format!("{consumer}: {undelivered} undelivered, {unacknowledged} unacknowledged"))
}

/// The unpublished events of a collection; `documents` counts those with a filled outbox.
pub(crate) fn outbox(service: &str, collection: &str, documents: usize) -> Option<String> {
    (documents > 0)
        .then(|| format!("{service}.{collection}: {documents} documents with unpublished events"))
}
