//! The rules of orders.

use std::time::Duration;

use bson::{Bson, Document};
use harness::evidence::field::{id, integer, text};
use ports::Timestamp;
use ports::clock::after;
use serde_json::{Value, json};

use super::answer::Answer;
use super::rules::Rule;
use super::session::Caller;
use super::{changed, date, money};

/// Whether an order holds its ticket.
pub fn is_holding(order: &Document) -> bool {
    order.get_bool("holding").unwrap_or_default()
}

/// Whether an order is neither paid nor cancelled.
pub fn is_open(order: &Document) -> bool {
    ["created", "awaiting:payment"].contains(&text(order, "status"))
}

/// An order as it is shown.
pub fn view(order: &Document) -> Value {
    json!({
        "id": id(order),
        "status": text(order, "status"),
        "userId": text(order, "userId"),
        "expiresAt": date(order, "expiresAt"),
        "version": integer(order, "version"),
        "ticket": {
            "id": text(order, "ticketId"),
            "title": text(order, "title"),
            "price": money(integer(order, "price")),
            "version": integer(order, "ticketVersion"),
        },
    })
}

/// A reservation that another order prevents.
pub fn reserved() -> Answer {
    Answer::refuses(Rule::ReserveHeld, "Ticket is already reserved")
}

/// A reservation by a buyer whose open orders have reached the limit.
pub fn too_many() -> Answer {
    Answer::refuses(Rule::ReserveTooMany, "Too many open orders")
}

/// A reservation of a ticket that does not exist.
pub fn unknown_ticket() -> Answer {
    Answer::not_found(Rule::ReserveUnknown)
}

/// A reservation of a ticket that is so recent that its event may be late.
pub fn late_ticket() -> Answer {
    Answer::unavailable(Rule::ReserveLate)
}

/// Reserves a free ticket under this id, at this time, for this long. The fencing number and
/// the slot are left to the service.
pub fn reserve(
    caller: &Caller,
    ticket: &Document,
    (order, fence, slot): (&str, i64, i64),
    at: Timestamp,
    window: Duration,
) -> Answer {
    let date = |at: Timestamp| bson::DateTime::from_millis(at.as_millisecond());
    let order = bson::doc! {
        "_id": order, "userId": &caller.id, "ticketId": id(ticket),
        "title": text(ticket, "title"), "price": integer(ticket, "price"),
        "ticketVersion": integer(ticket, "version"), "status": "created", "reason": Bson::Null,
        "holding": true, "open": true, "slot": slot, "fence": fence, "expiresAt": date(after(at, window)),
        "createdAt": date(at), "version": 0_i64,
    };
    Answer::shows(Rule::Reserved, view(&order)).leaving(order)
}

/// Shows an order.
pub fn show(caller: &Caller, order: Option<&Document>) -> Answer {
    let Some(order) = order else { return Answer::not_found(Rule::OrderUnknown) };
    if text(order, "userId") != caller.id {
        return Answer::unauthorized(Rule::OrderForeign);
    }
    Answer::shows(Rule::OrderShown, view(order))
}

/// Cancels an order.
pub fn cancel(caller: &Caller, order: Option<&Document>) -> Answer {
    let Some(order) = order else { return Answer::not_found(Rule::CancelUnknown) };
    if text(order, "userId") != caller.id {
        return Answer::unauthorized(Rule::CancelForeign);
    }
    match text(order, "status") {
        "complete" => Answer::refuses(Rule::CancelComplete, "Cannot cancel a completed order"),
        "cancelled" => Answer::empty(Rule::CancelledAgain),
        _ => Answer::empty(Rule::Cancelled).leaving(changed(
            order,
            [
                ("status", Bson::from("cancelled")),
                ("reason", Bson::from("user")),
                ("holding", Bson::from(false)),
                ("open", Bson::from(false)),
                ("version", Bson::from(integer(order, "version") + 1)),
            ],
        )),
    }
}

/// Whether an event of this subject may change an order so.
pub fn may_follow(before: &Document, after: &Document, subject: &str) -> bool {
    let frozen =
        ["userId", "ticketId", "title", "price", "ticketVersion", "slot", "fence", "expiresAt"];
    let same = frozen.iter().all(|field| before.get(field) == after.get(field));
    let step = (text(before, "status"), text(after, "status"), text(after, "reason"));
    let allowed = match step {
        ("created", "awaiting:payment", "") => subject == "charge.created",
        ("created" | "awaiting:payment", "complete", "") => subject == "charge.updated",
        ("created" | "awaiting:payment", "cancelled", "expired") => subject == "order.expired",
        ("created" | "awaiting:payment", "cancelled", "payment failed") => {
            subject == "charge.updated"
        }
        _ => false,
    };
    let holds = text(after, "status") != "cancelled";
    same && allowed
        && is_holding(after) == holds
        && after.get_bool("open").ok() == Some(is_open(after))
        && integer(after, "version") == integer(before, "version") + 1
}
