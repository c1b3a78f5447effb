//! The timer, and every decision on it. Nothing here reads or writes anything.

use contracts::{OrderExpired, OrderState};
use platform::collection::Decision;
use platform::event::Emit;
use ports::Timestamp;
use serde::{Deserialize, Serialize};

/// The timer of an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Timer {
    /// The order's id.
    #[serde(rename = "_id")]
    pub id: String,
    /// When it fires; `None` while it is disarmed.
    #[serde(with = "platform::date::option")]
    pub due: Option<Timestamp>,
    /// Whether it has fired, which it does once.
    pub fired: bool,
    /// The order's version, as of the newest event that was heard of it.
    pub version: i64,
}

/// Follows an order: while it is open its timer is armed, unless it has fired; once it is
/// complete or cancelled it is not. An older or equal version changes nothing, so an order
/// that ended before its beginning was heard of is never armed.
pub fn follow(timer: Option<&Timer>, order: &OrderState) -> Decision<Timer> {
    if timer.is_some_and(|timer| timer.version >= order.version) {
        return Decision::Keep;
    }
    let fired = timer.is_some_and(|timer| timer.fired);
    let armed = order.status.is_open() && !fired;
    let next = Timer {
        id: order.id.clone(),
        due: armed.then_some(order.expires_at),
        fired,
        version: order.version,
    };
    Decision::Write(next, Vec::new())
}

/// Fires a timer if it is due.
pub fn fire(timer: Option<&Timer>, now: Timestamp) -> Decision<Timer> {
    let Some(timer) = timer.filter(|timer| timer.is_due(now)) else {
        return Decision::Keep;
    };
    let next = Timer { due: None, fired: true, ..timer.clone() };
    let event = Emit::new(&OrderExpired { id: timer.id.clone() });
    Decision::Write(next, vec![event])
}

impl Timer {
    /// Whether it is to fire now.
    pub fn is_due(&self, now: Timestamp) -> bool {
        self.due.is_some_and(|due| due <= now)
    }
}

#[cfg(test)]
mod tests;
