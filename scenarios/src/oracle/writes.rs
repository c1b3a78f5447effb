//! The writes of a run: a request writes only what its answer needs, and an event changes only
//! what it may.

use std::collections::{BTreeMap, BTreeSet};

use harness::evidence::field::{id, integer};
use harness::evidence::original;
use harness::trace::RecordKind;

use super::Court;
use super::exchange::Exchange;
use crate::model::{orders, payments, tickets};

/// The violations by writes.
pub(super) fn check(court: &Court<'_>, exchanges: &[Exchange<'_>]) -> Vec<String> {
    let mut broken = Vec::new();
    for exchange in exchanges.iter().filter(|exchange| exchange.path == "/api/payments") {
        broken.extend(of_payment(court, exchange));
    }
    let of_requests: BTreeSet<usize> =
        exchanges.iter().flat_map(|e| e.writes.iter().map(|write| write.mark)).collect();
    let mut subjects: BTreeMap<&str, &str> = BTreeMap::new();
    for (mark, record) in court.evidence.trace.iter().enumerate() {
        match &record.kind {
            RecordKind::Publish { message, .. } => {
                subjects.insert(&message.id, &message.subject);
            }
            RecordKind::Write { collection, outcome: Ok(Some(document)), .. }
                if !of_requests.contains(&mark) =>
            {
                let service = record.instance.map_or("", |instance| instance.service);
                let cause = record.origin.as_ref().map(|origin| origin.cause.as_str());
                let subject = cause.and_then(|cause| subjects.get(original(cause))).copied();
                let timelines = match (service, collection.as_str()) {
                    ("tickets", "tickets") => &court.timelines.tickets,
                    ("orders", "orders") => &court.timelines.orders,
                    ("auth", "users") => &court.timelines.users,
                    _ => continue,
                };
                let Some(timeline) = timelines.get(id(document)) else { continue };
                // The relay leaves the version as it is.
                let is_version = timeline.versions().iter().any(|version| version.mark == mark);
                if !is_version || !court.evidence.exact {
                    continue;
                }
                let may = match (timeline.before(document), service) {
                    (Some(before), "tickets") => tickets::may_follow(before, document),
                    (Some(before), "orders") => {
                        orders::may_follow(before, document, subject.unwrap_or_default())
                    }
                    _ => false,
                };
                if !may {
                    let version = integer(document, "version");
                    let cause = subject.unwrap_or("nothing");
                    broken.push(format!(
                        "{collection} {}: {cause} may not change it to version {version}",
                        id(document)
                    ));
                }
            }
            _ => {}
        }
    }
    broken
}

/// The violations by the writes of a payment.
fn of_payment(court: &Court<'_>, exchange: &Exchange<'_>) -> Option<String> {
    let body = serde_json::from_slice(exchange.body).unwrap_or_default();
    let (_, token, _) = payments::input(&body);
    let wrong = exchange.writes.iter().find(|write| {
        let timeline = court.timelines.order_copies.get(id(write.document));
        let before = timeline.and_then(|timeline| timeline.before(write.document));
        let is_version = timeline.is_some_and(|timeline| {
            timeline.versions().iter().any(|version| version.mark == write.mark)
        });
        is_version && !before.is_some_and(|b| payments::may_write(b, write.document, token))
    })?;
    Some(format!("{exchange}: it must not have written {}", wrong.document))
}
