//! Rest: when nothing that was caused is still on its way.
//!
//! A system is at rest when no request or handler is under way, no task has work, no message
//! is pending at any consumer, and no outbox holds an event. Timers that lie in the future do
//! not count.

use platform::activity::Activity;
use ports::Timestamp;
use ports::bus::Pending;

/// Rest could not be reached.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the system does not come to rest: {}", .reasons.join("; "))]
pub struct NotQuiescent {
    /// What it is stuck on, in words.
    pub reasons: Vec<String>,
}

/// What one instance is busy with.
pub(crate) fn instance(name: &str, activity: &Activity, now: Timestamp) -> Vec<String> {
    activity.outstanding(now).into_iter().map(|reason| format!("{name}: {reason}")).collect()
}

/// What a consumer still has to do.
pub(crate) fn consumer(pending: &Pending) -> Option<String> {
    let Pending { consumer, undelivered, unacknowledged } = pending;
    (undelivered + unacknowledged > 0)
        .then(|| format!("{consumer}: {undelivered} undelivered, {unacknowledged} unacknowledged"))
}

/// What waits in the outboxes of a collection.
pub(crate) fn outbox(database: &str, collection: &str, documents: usize) -> Option<String> {
    (documents > 0).then(|| format!("{database}.{collection}: {documents} outboxes not empty"))
}
