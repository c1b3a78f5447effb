//! The rules of tickets.

use bson::{Bson, Document};
use harness::evidence::field::{id, integer, text};
use serde_json::{Map, Value, json};

use super::answer::Answer;
use super::input::{self, Bad};
use super::rules::Rule;
use super::session::Caller;
use super::{changed, money};

/// The input of a listing or an edit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing {
    title: String,
    cents: i64,
}

/// The listing in a body, and the sets of bad fields that may be reported instead; an empty set
/// stands for none.
pub fn listing(body: &Map<String, Value>) -> (Listing, Vec<Vec<Bad>>) {
    let title = input::text(body, "title");
    let (cents, price) = input::price(body.get("price"));
    let bad = [(("title", None), input::title(title)), (("price", None), price)];
    (Listing { title: title.trim().to_owned(), cents }, input::bad_fields(&bad))
}

/// The order that holds a ticket.
pub fn holder(ticket: &Document) -> Option<&str> {
    ticket.get_str("orderId").ok()
}

/// A ticket as it is shown.
pub fn view(ticket: &Document) -> Value {
    let mut view = json!({
        "id": id(ticket),
        "title": text(ticket, "title"),
        "price": money(integer(ticket, "price")),
        "userId": text(ticket, "userId"),
        "version": integer(ticket, "version"),
    });
    if let Some(order) = holder(ticket) {
        view["orderId"] = order.into();
    }
    view
}

/// Lists a ticket under this id.
pub fn create(caller: &Caller, listing: &Listing, id: &str) -> Answer {
    let ticket = bson::doc! {
        "_id": id, "title": &listing.title, "price": listing.cents, "userId": &caller.id,
        "orderId": Bson::Null, "fence": 0_i64, "version": 0_i64,
    };
    Answer::shows(Rule::Listed, view(&ticket)).leaving(ticket)
}

/// Edits a ticket.
pub fn edit(caller: &Caller, listing: &Listing, ticket: Option<&Document>) -> Answer {
    let Some(ticket) = ticket else { return Answer::not_found(Rule::EditUnknown) };
    if text(ticket, "userId") != caller.id {
        return Answer::unauthorized(Rule::EditForeign);
    }
    if holder(ticket).is_some() {
        return Answer::refuses(Rule::EditReserved, "Cannot edit a reserved ticket");
    }
    let next = changed(
        ticket,
        [
            ("title", Bson::from(listing.title.as_str())),
            ("price", Bson::from(listing.cents)),
            ("version", Bson::from(integer(ticket, "version") + 1)),
        ],
    );
    Answer::shows(Rule::Edited, view(&next)).leaving(next)
}

/// Shows a ticket.
pub fn show(ticket: Option<&Document>) -> Answer {
    let Some(ticket) = ticket else { return Answer::not_found(Rule::TicketUnknown) };
    let rule = if holder(ticket).is_some() { Rule::TicketHeld } else { Rule::TicketFree };
    Answer::shows(rule, view(ticket))
}

/// Whether an event may change a ticket so: only its holder changes.
pub fn may_follow(before: &Document, after: &Document) -> bool {
    ["title", "price", "userId"].iter().all(|field| before.get(field) == after.get(field))
        && integer(after, "version") == integer(before, "version") + 1
}
