//! The rules of payments. An order is paid by one charge, which its request creates before the
//! provider is asked and which may be concluded by another request, or later.

use bson::Document;
use harness::evidence::field::{integer, text};
use serde_json::{Map, Value, json};

use super::answer::{Answer, Effect};
use super::input::{self, Bad, Validity};
use super::rules::Rule;
use super::session::Caller;

/// The order's id and the token in a body, and the bad fields.
pub fn input(body: &Map<String, Value>) -> (String, &str, Vec<Bad>) {
    let (order, token) = (input::text(body, "orderId"), input::text(body, "token").trim());
    let validity = |good| if good { Validity::Good } else { Validity::Bad };
    let fields = [
        (("orderId", None), validity(input::is_id(order))),
        (("token", None), validity((1..=200).contains(&token.chars().count()))),
    ];
    let bad = input::bad_fields(&fields).into_iter().flatten().collect();
    (order.to_ascii_lowercase(), token, bad)
}

/// The charge of an order.
pub fn charge(order: &Document) -> Option<&Document> {
    order.get_document("charge").ok()
}

/// A payment for an order that is so recent that its event may be late.
pub fn late() -> Answer {
    Answer::unavailable(Rule::PayLate)
}

/// A payment for an order that does not exist.
pub fn unknown() -> Answer {
    Answer::not_found(Rule::PayUnknown)
}

/// A payment of unknown outcome: nothing is lost, and a repeat does not charge twice.
pub fn unanswered() -> Answer {
    Answer { effect: Effect::Judged, ..Answer::unavailable(Rule::Unavailable) }
}

/// A payment for an order in this state before the provider is asked; `None` where it must be
/// asked.
pub fn refuse(caller: &Caller, order: &Document) -> Option<Answer> {
    if text(order, "userId") != caller.id {
        return Some(Answer::unauthorized(Rule::PayForeign));
    }
    match (text(order, "status"), charge(order).map(|charge| text(charge, "status"))) {
        ("cancelled", _) | (_, Some("failed" | "refunded")) => Some(cancelled()),
        ("complete", _) | (_, Some("completed")) => Some(paid()),
        _ => None,
    }
}

/// The answer once the provider was asked and the order is in this state; `mine` is true if this
/// request recorded the outcome. `None` where the outcome is unknown.
pub fn respond(order: &Document, mine: bool) -> Option<Answer> {
    let charge = charge(order)?;
    match (text(charge, "status"), text(order, "status")) {
        ("failed", _) => Some(Answer::refuses(Rule::PayDeclined, "Payment declined")),
        ("completed" | "refunded", "cancelled") => Some(cancelled()),
        ("completed", _) if mine => {
            Some(Answer::shows(Rule::Paid, json!({ "id": text(charge, "id") })))
        }
        ("completed" | "refunded", _) => Some(paid()),
        _ => None,
    }
}

fn cancelled() -> Answer {
    Answer::refuses(Rule::PayCancelled, "Cannot pay for a cancelled order")
}

fn paid() -> Answer {
    Answer::refuses(Rule::PayPaid, "Order is already paid")
}

/// Whether a payment with this token may change an order so: it creates the charge of the price,
/// or it records the outcome.
pub fn may_write(before: &Document, after: &Document, token: &str) -> bool {
    let frozen = ["userId", "price", "status", "version"];
    let same = frozen.iter().all(|field| before.get(field) == after.get(field));
    let Some(new) = charge(after) else { return false };
    let step = match charge(before) {
        None => {
            text(new, "status") == "created"
                && integer(new, "amount") == integer(before, "price")
                && text(new, "source") == token
                && integer(new, "version") == 0
        }
        Some(old) => {
            let kept = ["id", "amount", "source"];
            text(old, "status") == "created" && kept.iter().all(|f| old.get(f) == new.get(f))
        }
    };
    same && step
}
