//! Once the system is quiescent, exactly the tickets that no order holds are listed and can be
//! reserved.

use std::collections::BTreeSet;

use super::Evidence;
use super::evidence::{Records as _, id, text};

pub(super) fn check(evidence: &Evidence) -> Vec<String> {
    let Some(listing) = &evidence.clients.listing else { return Vec::new() };
    let holding = evidence.orders().iter().filter(|o| o.get_bool("holding").unwrap_or_default());
    let held: BTreeSet<&str> = holding.map(|order| text(order, "ticketId")).collect();
    let orders = evidence.orders().iter().filter(|order| evidence.given_up.contains(id(order)));
    let given_up: BTreeSet<&str> = orders.map(|order| text(order, "ticketId")).collect();
    let given_up = |ticket: &str| evidence.given_up.contains(ticket) || given_up.contains(ticket);
    let mut broken = Vec::new();
    for ticket in evidence.tickets().iter().map(id).filter(|ticket| !given_up(ticket)) {
        let (held, listed) = (held.contains(ticket), listing.listed.contains(ticket));
        if held && listed {
            broken.push(format!("ticket {ticket} is listed although it is reserved"));
        }
        if !held && !listed {
            broken.push(format!("ticket {ticket} is not listed although it is free"));
        }
        let Some(answer) = listing.offered.get(ticket).copied() else { continue };
        if !held && answer != Some(201) {
            broken.push(format!(
                "ticket {ticket} is free but cannot be reserved: {}",
                answer.map_or("no reply".to_owned(), |status| status.to_string())
            ));
        }
        if held && answer == Some(201) {
            broken.push(format!("ticket {ticket} is held but can be reserved again"));
        }
    }
    broken
}
