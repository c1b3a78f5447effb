//! An accepted operation is stored as its reply reported.

use std::collections::BTreeMap;

use bson::Document;
use contracts::Cents;
use ports::Timestamp;
use ports::clock::after;

use super::Evidence;
use super::evidence::{Call, Records as _, by_id, id, number, text};
use super::frozen::versions;
use crate::operation::Operation;

pub(super) fn check(evidence: &Evidence) -> Vec<String> {
    let orders = by_id(evidence.orders());
    let copies = by_id(evidence.order_copies());
    let tickets = by_id(evidence.tickets());
    let written = versions(evidence);
    let mut broken = Vec::new();
    let mut edits: BTreeMap<(&str, i64), usize> = BTreeMap::new();
    for call in evidence.history() {
        let (operation, body) = (call.operation, call.body());
        let (about, by) = (&call.context.about, &call.context.by);
        let order = orders.get(about.as_str()).copied();
        let wrong = match (operation, call.status()) {
            (Operation::Reserve { .. }, Some(201)) => {
                let order = body["id"].as_str().and_then(|id| orders.get(id).copied());
                order.map_or(Some("the order does not exist"), |o| reserved(evidence, &call, o))
            }
            (Operation::Cancel { .. }, Some(204)) => {
                let cancelled = order.is_some_and(|order| text(order, "status") == "cancelled");
                (!cancelled).then_some("the order is not cancelled")
            }
            (Operation::Pay { .. }, Some(201)) => {
                let charge = charge(&copies, about);
                let same =
                    charge.is_some_and(|charge| Some(text(charge, "id")) == body["id"].as_str());
                (!same).then_some("the charge does not exist")
            }
            (Operation::Pay { .. }, Some(402)) => {
                let charge = charge(&copies, about).map(|charge| text(charge, "id"));
                let lost = charge.is_some_and(|charge| evidence.given_up.contains(charge));
                let held = order.is_some_and(|order| text(order, "status") != "cancelled");
                (held && !lost)
                    .then_some("the order is not cancelled although the card was declined")
            }
            (Operation::List { .. } | Operation::Change { .. }, Some(200 | 201)) => {
                let (ticket, version) = (body["id"].as_str(), body["version"].as_i64());
                let (ticket, version) = (ticket.unwrap_or_default(), version.unwrap_or(-1));
                let times = edits.entry((ticket, version)).or_default();
                *times += 1;
                let written = match evidence.without_trace {
                    true => tickets.get(ticket),
                    false => written.get(ticket).and_then(|all| all.get(&version)),
                };
                let same = written.is_some_and(|ticket| {
                    // Without a trace, only the last version of a ticket is known.
                    if evidence.without_trace && number(ticket, "version") > version {
                        return true;
                    }
                    Cents::from_json(&body["price"]) == Some(Cents(number(ticket, "price")))
                        && Some(text(ticket, "title")) == body["title"].as_str()
                        && (text(ticket, "userId") == by)
                        && number(ticket, "version") == version
                });
                match times {
                    1 if same => None,
                    1 => Some("no such version of the ticket was written"),
                    _ => Some("another edit returned the same version"),
                }
            }
            (Operation::LookAtOrders { .. }, Some(200)) => {
                misses_one(evidence, &call).then_some("an earlier order of the client is missing")
            }
            (Operation::SignUp { .. }, Some(201)) => {
                let there =
                    evidence.users().iter().any(|user| Some(id(user)) == body["id"].as_str());
                (!there).then_some("the user does not exist")
            }
            _ => None,
        };
        let status = call.status().unwrap_or_default();
        broken.extend(wrong.map(|why| format!("{operation}: {status}, but {why}")));
    }
    broken
}

/// The difference between a stored order and the reply to its buyer.
fn reserved(evidence: &Evidence, call: &Call<'_>, order: &Document) -> Option<&'static str> {
    let time = |field: &str| order.get_datetime(field).ok().map(|at| at.timestamp_millis());
    let shown = call.body()["expiresAt"].as_str().and_then(|at| at.parse::<Timestamp>().ok());
    if text(order, "userId") != call.context.by || text(order, "ticketId") != call.context.about {
        return Some("the stored order has another buyer or ticket");
    }
    if shown.map(Timestamp::as_millisecond) != time("expiresAt") {
        return Some("the stored order has another deadline");
    }
    let made = time("createdAt").and_then(|at| Timestamp::from_millisecond(at).ok());
    let window = evidence.clients.window;
    (made.map(|made| after(made, window)) != shown)
        .then_some("the order does not last for the reservation window")
}

/// Whether an order is missing that the client had received a reply for before this request.
fn misses_one(evidence: &Evidence, look: &Call<'_>) -> bool {
    let shown = look.body().as_array().into_iter().flatten();
    let shown: Vec<&str> = shown.filter_map(|order| order["id"].as_str()).collect();
    let made = evidence.history().filter(|call| {
        matches!(call.operation, Operation::Reserve { .. })
            && call.status() == Some(201)
            && call.context.by == look.context.by
            && call.returned().1 <= look.invoked().1
    });
    let mut made = made.filter_map(|call| call.body()["id"].as_str());
    made.any(|order| !shown.contains(&order))
}

fn charge<'a>(copies: &BTreeMap<&str, &'a Document>, order: &str) -> Option<&'a Document> {
    copies.get(order).and_then(|order| order.get_document("charge").ok())
}
