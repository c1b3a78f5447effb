//! A message is acknowledged only after the order or hold that it changes is written. The harness
//! checks the same for declared copies.

use harness::invariants::acknowledgements::{Acknowledgement, acknowledged_early};

use super::Evidence;
use super::evidence::{number, text};

pub(super) fn check(evidence: &Evidence) -> Vec<String> {
    // On real servers a write may be in the store before its record is in the trace.
    if !evidence.exact {
        return Vec::new();
    }
    acknowledged_early(evidence, is_applied)
}

/// Whether the change that an event causes at its consumer, or a newer one, is in its store;
/// `None` where it causes none.
fn is_applied(ack: &Acknowledgement<'_>) -> Option<bool> {
    let noun = ack.subject().split('.').next()?;
    let (collection, key, field, wanted) = match (ack.service(), noun) {
        ("tickets", "order") => ("tickets", "/ticket/id", "fence", "/ticket/fence"),
        ("orders", "charge") => ("orders", "/orderId", "", ""),
        ("orders", "order") => ("orders", "/id", "", ""),
        _ => return None,
    };
    let event = ack.payload();
    let known = ack.written(ack.service(), collection, event.pointer(key)?.as_str()?);
    let Some(known) = known else { return Some(false) };
    if field.is_empty() {
        return Some(follows(text(known, "status"), event["status"].as_str()));
    }
    Some(number(known, field) >= event.pointer(wanted)?.as_i64()?)
}

/// Whether an order of this status reflects its charge's status, or its own expiry.
fn follows(status: &str, charge: Option<&str>) -> bool {
    match charge {
        Some("created") => status != "created",
        Some("refunded") => true,
        _ => !matches!(status, "created" | "awaiting:payment"),
    }
}
