//! Once the system is quiescent, a ticket names the order that holds it.

use std::collections::BTreeMap;

use bson::Document;

use super::Evidence;
use super::evidence::{Records as _, id, text};

pub(super) fn check(evidence: &Evidence) -> Vec<String> {
    let mut orders: BTreeMap<&str, Vec<&Document>> = BTreeMap::new();
    for order in evidence.orders() {
        orders.entry(text(order, "ticketId")).or_default().push(order);
    }
    let holding = |order: &&&Document| order.get_bool("holding").unwrap_or_default();
    let mut broken = Vec::new();
    for ticket in evidence.tickets() {
        let of_ticket = orders.get(id(ticket)).map_or(&[][..], Vec::as_slice);
        if of_ticket.iter().any(|order| evidence.given_up.contains(id(order))) {
            continue;
        }
        let holder = of_ticket.iter().find(holding).map(|order| id(order));
        let said = ticket.get_str("orderId").ok();
        if holder != said {
            let name = |order: Option<&str>| order.unwrap_or("no order").to_owned();
            broken.push(format!(
                "the holder of ticket {} is {} in tickets and {} in orders",
                id(ticket),
                name(said),
                name(holder)
            ));
        }
    }
    broken
}
