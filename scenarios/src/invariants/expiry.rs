//! No hold outlives its time unless it was paid.

use super::Evidence;
use super::evidence::{id, text};

pub(super) fn check(evidence: &Evidence) -> Vec<String> {
    let now = platform::date::to_bson(evidence.now);
    let outlived = evidence.orders.iter().filter(|order| {
        let unpaid = text(order, "status") != "complete";
        let holding = order.get_bool("holding").unwrap_or_default();
        unpaid && holding && order.get_datetime("expiresAt").is_ok_and(|at| *at <= now)
    });
    outlived
        .map(|order| format!("order {} still holds its ticket after its time", id(order)))
        .collect()
}
