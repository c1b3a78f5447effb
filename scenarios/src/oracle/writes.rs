//! The writes of a run: a request writes only what its answer needs, and an event changes only
//! what it may.

use std::collections::{BTreeMap, BTreeSet};

use harness::evidence::field::{id, integer};
use harness::evidence::original;
use harness::trace::RecordKind;

use super::Court;
use super::exchange::{Exchange, Write};
use super::timeline::is_left;
use crate::model::{auth, orders, payments, tickets};

/// The violations by writes.
pub(super) fn check<'a>(court: &Court<'a>, exchanges: &[Exchange<'a>]) -> Vec<String> {
    let mut broken = Vec::new();
    for exchange in exchanges.iter().filter(|exchange| exchange.path == "/api/payments") {
        broken.extend(of_payment(court, exchange));
    }
    broken.extend(exchanges.iter().filter_map(|exchange| of_sessions(court, exchange)));
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
                    // A renewal publishes the same state again.
                    (Some(before), _) if is_left(before, document) => true,
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

/// The violation by a write of a user whose event ends other sessions than it must: that of a
/// sign-out names its session, that of an edit the generation.
fn of_sessions<'a>(court: &Court<'a>, exchange: &Exchange<'a>) -> Option<String> {
    let is_version = |write: &&Write<'_>| {
        let timeline = court.timelines.users.get(id(write.document));
        timeline.is_some_and(|all| all.versions().iter().any(|v| v.mark == write.mark))
    };
    let mut wrong = exchange.writes.iter().filter(is_version).filter(|write| {
        let user = write.document;
        let event = auth::event(user);
        let is = |wanted: &str| event.as_ref().is_some_and(|(name, _)| *name == wanted);
        let field = |name: &str| event.as_ref().map(|(_, event)| event[name].clone());
        match exchange.path {
            "/api/users/signout" => {
                let tokens = court.tokens(exchange);
                let named = field("session").unwrap_or_default();
                !is("UserSignedOut") || !tokens.iter().any(|token| named == *token.session)
            }
            "/api/users/me" | "/api/users/me/admin" => {
                !is("UserUpdated")
                    || field("generation") != Some(integer(user, "generation").into())
            }
            _ => is("UserSignedOut") || is("UserUpdated"),
        }
    });
    let write = wrong.next()?;
    Some(format!("{exchange}: its event ends other sessions: {}", write.document))
}
