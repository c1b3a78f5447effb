//! At rest every copy of a document in another service equals its origin.

use bson::{Bson, Document};

use super::Evidence;
use super::evidence::{by_id, id, text};

pub(super) fn check(evidence: &Evidence) -> Vec<String> {
    let mut broken = Vec::new();
    let (tickets, orders) = (&evidence.tickets, &evidence.orders);
    let mut compare = |name, origins, copies, fields| {
        broken.extend(differences(evidence, name, origins, copies, fields));
    };
    compare("orders.tickets", tickets, &evidence.ticket_copies, &["title", "price", "version"]);
    let fields = &["userId", "price", "status", "version"];
    compare("payments.orders", orders, &evidence.order_copies, fields);
    compare("expiration.timers", orders, &evidence.timers, &["version"]);
    broken.extend(holders(evidence));
    broken.extend(timers(evidence));
    broken
}

/// Copies that are missing, too many, or differ from their origin in one of these fields.
fn differences(
    evidence: &Evidence,
    name: &str,
    origins: &[Document],
    copies: &[Document],
    fields: &[&str],
) -> Vec<String> {
    let mut broken = Vec::new();
    let copies = by_id(copies);
    let known = by_id(origins);
    for origin in origins.iter().filter(|origin| !evidence.given_up.contains(id(origin))) {
        let Some(copy) = copies.get(id(origin)) else {
            broken.push(format!("{name} has no copy of {}", id(origin)));
            continue;
        };
        for field in fields.iter().filter(|field| origin.get(field) != copy.get(field)) {
            let (ours, theirs) = (copy.get(field), origin.get(field));
            let show = |value: Option<&Bson>| value.map_or("nothing".to_owned(), Bson::to_string);
            broken.push(format!(
                "{name} of {} has {field} {}, its origin {}",
                id(origin),
                show(ours),
                show(theirs)
            ));
        }
    }
    let strays = copies.keys().filter(|id| !known.contains_key(*id));
    broken.extend(strays.map(|id| format!("{name} has {id}, which has no origin")));
    broken
}

/// The order that each ticket says it is held by.
fn holders(evidence: &Evidence) -> Vec<String> {
    let holding = |order: &&Document| order.get_bool("holding").unwrap_or_default();
    let mut broken = Vec::new();
    for ticket in &evidence.tickets {
        let of_ticket = |order: &&Document| text(order, "ticketId") == id(ticket);
        if evidence.orders.iter().filter(of_ticket).any(|o| evidence.given_up.contains(id(o))) {
            continue;
        }
        let holder = evidence.orders.iter().filter(of_ticket).find(holding).map(id);
        let said = ticket.get_str("orderId").ok();
        if holder != said {
            let name = |order: Option<&str>| order.unwrap_or("nobody").to_owned();
            broken.push(format!(
                "ticket {} says it is held by {}, orders by {}",
                id(ticket),
                name(said),
                name(holder)
            ));
        }
    }
    broken
}

/// The timers: armed for an open order at its time, unarmed for any other.
fn timers(evidence: &Evidence) -> Vec<String> {
    let orders = by_id(&evidence.orders);
    let wrong = evidence.timers.iter().filter(|timer| {
        let Some(order) = orders.get(id(timer)) else { return false };
        if evidence.given_up.contains(id(timer)) {
            return false;
        }
        let open = matches!(text(order, "status"), "created" | "awaiting:payment");
        let due = timer.get_datetime("due").ok();
        if open { due != order.get_datetime("expiresAt").ok() } else { due.is_some() }
    });
    wrong.map(|timer| format!("the timer of order {} is wrong: {timer}", id(timer))).collect()
}
