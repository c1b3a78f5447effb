//! Once the system is quiescent, every open order has a timer at its deadline, and none is
//! overdue.

use super::Evidence;
use super::evidence::{Records as _, by_id, id, text};

/// No timer is overdue.
pub(super) fn none_overdue(evidence: &Evidence) -> Vec<String> {
    let now = platform::date::to_bson(evidence.now);
    let overdue = evidence
        .timers()
        .iter()
        .filter(|timer| timer.get_datetime("due").is_ok_and(|due| *due <= now));
    overdue.map(|timer| format!("the timer of order {} is overdue", id(timer))).collect()
}

/// A timer is armed at the deadline of an open order, and disarmed for any other order.
pub(super) fn armed_correctly(evidence: &Evidence) -> Vec<String> {
    let orders = by_id(evidence.orders());
    let wrong = evidence.timers().iter().filter(|timer| {
        let Some(order) = orders.get(id(timer)) else { return false };
        if evidence.given_up.contains(id(timer)) {
            return false;
        }
        let open = matches!(text(order, "status"), "created" | "awaiting:payment");
        let due = timer.get_datetime("due").ok();
        if open { due != order.get_datetime("expiresAt").ok() } else { due.is_some() }
    });
    wrong
        .map(|timer| match timer.get_datetime("due") {
            Ok(_) => format!(
                "the timer of order {} is armed for the wrong time or should be disarmed",
                id(timer)
            ),
            Err(_) => format!("the timer of order {} is not armed", id(timer)),
        })
        .collect()
}
