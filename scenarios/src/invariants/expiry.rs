//! No unpaid hold outlives its deadline, and the expiry of an order is published exactly once.

use std::collections::BTreeMap;

use contracts::{Expiry, OrderExpired};
use platform::event::Event;

use super::Evidence;
use super::evidence::{Records as _, id, text};

pub(super) fn check(evidence: &Evidence) -> Vec<String> {
    let now = platform::date::to_bson(evidence.now);
    let outlived = evidence.orders().iter().filter(|order| {
        let unpaid = text(order, "status") != "complete";
        let holding = order.get_bool("holding").unwrap_or_default();
        unpaid && holding && order.get_datetime("expiresAt").is_ok_and(|at| *at <= now)
    });
    outlived
        .map(|order| format!("order {} still holds its ticket after its deadline", id(order)))
        .collect()
}

/// All `OrderExpired` messages about an order have the same id; a republished one is a duplicate.
pub(super) fn published_once(evidence: &Evidence) -> Vec<String> {
    let mut expired: BTreeMap<String, &str> = BTreeMap::new();
    let mut broken = Vec::new();
    for (message, _) in evidence.published() {
        if message.subject != OrderExpired::SUBJECT {
            continue;
        }
        let Ok(Expiry { id }) = serde_json::from_slice(&message.payload) else { continue };
        let first = *expired.entry(id.clone()).or_insert(&message.id);
        if first != message.id {
            broken.push(format!("the expiry of order {id} was published a second time"));
        }
    }
    broken
}
