//! The part of the contract that needs no trace: an accepted operation is stored as its answer
//! reported, and an answer has a status that its operation may have.

use std::collections::{BTreeMap, BTreeSet};

use bson::Document;
use contracts::Cents;
use ports::Timestamp;
use ports::clock::after;

use crate::invariants::evidence::{Evidence, Records as _, by_id, id, number, text};
use crate::operation::Operation;

type Invocation<'a> = harness::subject::Invocation<'a, crate::system::Ticketing>;

/// Final documents, by id.
struct Stored<'a> {
    evidence: &'a Evidence<'a>,
    users: BTreeSet<&'a str>,
    tickets: BTreeMap<&'a str, &'a Document>,
    orders: BTreeMap<&'a str, &'a Document>,
    order_copies: BTreeMap<&'a str, &'a Document>,
}

/// The differences between answers and final documents.
pub(super) fn check(evidence: &Evidence<'_>) -> Vec<String> {
    let stored = Stored {
        evidence,
        users: evidence.users().iter().map(id).collect(),
        tickets: by_id(evidence.tickets()),
        orders: by_id(evidence.orders()),
        order_copies: by_id(evidence.order_copies()),
    };
    let mut broken = Vec::new();
    let mut versions = BTreeSet::new();
    for call in evidence.history() {
        let (operation, status) = (call.operation, call.status());
        let Some(status) = status else { continue };
        let mut wrong = stored.difference(&call, status);
        if matches!(operation.plain(), Operation::List { .. } | Operation::Change { .. })
            && matches!(status, 200 | 201)
            && !versions.insert((call.body()["id"].as_str(), call.body()["version"].as_i64()))
        {
            wrong = Some("another edit returned the same version");
        }
        if status >= 500 && (status != 503 || evidence.disturbances() == 0) {
            wrong = Some("nothing disturbed the run so");
        }
        broken.extend(wrong.map(|why| format!("{operation}: {status}, but {why}")));
    }
    broken
}

impl Stored<'_> {
    fn difference(&self, call: &Invocation<'_>, status: u16) -> Option<&'static str> {
        let (body, about) = (call.body(), call.context.about.as_str());
        let by = call.context.by.as_str();
        if matches!(status, 200..=299) && !by.is_empty() && !self.users.contains(by) {
            return Some("its user does not exist");
        }
        let shown_id = body["id"].as_str().unwrap_or_default();
        match (call.operation.plain(), status) {
            (Operation::List { .. } | Operation::Change { .. }, 200 | 201) => {
                let same = self.tickets.get(shown_id).is_some_and(|t| is_as_edited(t, call));
                (!same).then_some("no such version of the ticket was written")
            }
            (Operation::Reserve { .. }, 201) => match self.orders.get(shown_id) {
                Some(order) => self.reserved(call, order),
                None => Some("the order does not exist"),
            },
            (Operation::Cancel { .. }, 204) => {
                let order = self.orders.get(about);
                let cancelled = order.is_some_and(|order| text(order, "status") == "cancelled");
                (!cancelled).then_some("the order is not cancelled")
            }
            (Operation::Pay { .. }, 201) => {
                let copy = self.order_copies.get(about);
                let charge = copy.and_then(|order| order.get_document("charge").ok());
                let same = charge.is_some_and(|charge| text(charge, "id") == shown_id);
                (!same).then_some("the charge does not exist")
            }
            _ => None,
        }
    }

    /// The difference between a stored order and the answer to its buyer.
    fn reserved(&self, call: &Invocation<'_>, order: &Document) -> Option<&'static str> {
        let time = |field: &str| {
            let at = order.get_datetime(field).ok()?.timestamp_millis();
            Timestamp::from_millisecond(at).ok()
        };
        let of_call = (call.context.by.as_str(), call.context.about.as_str());
        if (text(order, "userId"), text(order, "ticketId")) != of_call {
            return Some("the stored order has another buyer or ticket");
        }
        let shown = call.body()["expiresAt"].as_str().and_then(|at| at.parse().ok());
        if shown != time("expiresAt") {
            return Some("the stored order has another deadline");
        }
        let window = self.evidence.clients.window;
        let due = time("createdAt").map(|created| after(created, window));
        (due != shown).then_some("the order does not last for the reservation window")
    }
}

/// Whether a ticket is as an accepted edit left it; only its last version is known.
fn is_as_edited(ticket: &Document, call: &Invocation<'_>) -> bool {
    let (body, stored) = (call.body(), number(ticket, "version"));
    let Some(version) = body["version"].as_i64() else { return false };
    stored > version
        || stored == version
            && Cents::from_json(&body["price"]) == Some(Cents(number(ticket, "price")))
            && Some(text(ticket, "title")) == body["title"].as_str()
            && text(ticket, "userId") == call.context.by
}
