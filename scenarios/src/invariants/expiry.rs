//! No unpaid hold outlives its deadline, and the expiry of an order is published exactly once.

use std::collections::{BTreeMap, BTreeSet};

use bson::Document;
use contracts::{Expiry, OrderExpired};
use harness::duration;
use harness::evidence::pace::Pace;
use harness::trace::RecordKind;
use platform::event::Event;
use ports::Timestamp;

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

/// A hold ends soon after its deadline, and never before.
pub(super) fn in_time(evidence: &Evidence) -> Vec<String> {
    let pace = Pace::of(evidence);
    let mut broken = Vec::new();
    let mut ended = BTreeSet::new();
    for record in evidence.trace.iter() {
        let RecordKind::Write { collection, outcome: Ok(Some(order)), .. } = &record.kind else {
            continue;
        };
        let is_order = collection == "orders" && text(order, "reason") == "expired";
        // The relay writes the order again once its event is published, and a renewal later.
        let is_release = order.get_array("outbox").is_ok_and(|outbox| !outbox.is_empty());
        let Some(due) = due(order).filter(|_| is_order && is_release) else { continue };
        if !ended.insert(id(order)) {
            continue;
        }
        if record.at < due {
            broken.push(format!("order {} expired before its deadline", id(order)));
        } else if let Some(late) = pace.lateness(due, record.at) {
            broken.push(format!("order {} expired {} too late", id(order), duration::words(late)));
        }
    }
    broken
}

fn due(order: &Document) -> Option<Timestamp> {
    let due = order.get_datetime("expiresAt").ok()?;
    Timestamp::from_millisecond(due.timestamp_millis()).ok()
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
