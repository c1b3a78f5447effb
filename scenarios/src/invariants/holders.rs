//! Once the system is quiescent, a ticket names the order that holds it.

use bson::Document;

use super::Evidence;
use super::evidence::{Records as _, id, text};

pub(super) fn check(evidence: &Evidence) -> Vec<String> {
    let holding = |order: &&Document| order.get_bool("holding").unwrap_or_default();
    let mut broken = Vec::new();
    for ticket in evidence.tickets() {
        let of_ticket = |order: &&Document| text(order, "ticketId") == id(ticket);
        if evidence.orders().iter().filter(of_ticket).any(|o| evidence.given_up.contains(id(o))) {
            continue;
        }
        let holder = evidence.orders().iter().filter(of_ticket).find(holding).map(id);
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
