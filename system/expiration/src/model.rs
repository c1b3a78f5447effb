//! The timer document, and every decision on it: pure functions without I/O.

use contracts::{Expiry, OrderExpired, OrderState};
use platform::collection::Decision;
use platform::event::Emit;
use platform::renewal::Renewed;
use ports::Timestamp;
use serde::{Deserialize, Serialize};

/// The timer of an order, under the id of the order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Timer {
    /// The order's id.
    pub id: String,
    /// The time at which it fires; `None` while it is disarmed.
    #[serde(with = "platform::date::option")]
    pub due: Option<Timestamp>,
    /// True once it has fired, which happens at most once.
    pub fired: bool,
    /// True if the order was open, as of the newest event received.
    #[serde(default)]
    pub open: bool,
    /// The order's version, as of the newest event received.
    pub version: i64,
}

/// Follows an order: its timer is armed while the order is open and the timer has not fired,
/// and disarmed afterwards. An older or equal version changes nothing, so a late `OrderCreated`
/// never arms the timer of an order that has ended.
#[must_use]
pub fn follow(timer: Option<&Timer>, order: &OrderState) -> Decision<Timer> {
    if timer.is_some_and(|timer| timer.version >= order.version) {
        return Decision::Superseded;
    }
    let fired = timer.is_some_and(|timer| timer.fired);
    let armed = order.status.is_open() && !fired;
    let next = Timer {
        id: order.id.clone(),
        due: armed.then_some(order.expires_at),
        fired,
        open: order.status.is_open(),
        version: order.version,
    };
    Decision::Write(next, Vec::new())
}

/// Fires a timer if it is due.
#[must_use]
pub fn fire(timer: Option<&Timer>, now: Timestamp) -> Decision<Timer> {
    let Some(timer) = timer.filter(|timer| timer.is_due(now)) else {
        return Decision::Keep;
    };
    let next = Timer { due: None, fired: true, ..timer.clone() };
    let event = Emit::new(&OrderExpired(Expiry { id: timer.id.clone() }));
    Decision::Write(next, vec![event])
}

impl Renewed for Timer {
    /// The expiry of an order that is still open although its timer has fired: orders has missed it.
    fn newest(&self) -> Vec<Emit> {
        let fired = (self.fired && self.open)
            .then(|| Emit::new(&OrderExpired(Expiry { id: self.id.clone() })));
        fired.into_iter().collect()
    }

    fn has_ended(&self) -> bool {
        !self.open
    }
}

impl Timer {
    /// Returns true if the timer must fire now.
    #[must_use]
    pub fn is_due(&self, now: Timestamp) -> bool {
        self.due.is_some_and(|due| due <= now)
    }
}

#[cfg(test)]
mod tests;
