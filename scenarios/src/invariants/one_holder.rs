//! A ticket is held by at most one live order at any time.

use std::collections::BTreeMap;

use bson::Document;
use harness::trace::RecordKind;

use super::Evidence;
use super::evidence::{Records as _, id, text};

pub(super) fn check(evidence: &Evidence) -> Vec<String> {
    let mut broken = Vec::new();
    let mut holders: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for order in evidence.orders().iter().filter(|order| holding(order)) {
        holders.entry(text(order, "ticketId")).or_default().push(id(order));
    }
    for (ticket, orders) in holders {
        if orders.len() > 1 {
            broken.push(format!("ticket {ticket} is held by orders {}", orders.join(" and ")));
        }
    }
    for (ticket, holds) in histories(evidence) {
        for (at, hold) in holds.iter().enumerate() {
            for other in &holds[at + 1..] {
                if hold.from < other.to && other.from < hold.to {
                    broken.push(format!(
                        "ticket {ticket} was held by orders {} and {} at the same time",
                        hold.order, other.order
                    ));
                }
            }
        }
    }
    broken
}

/// An interval in which an order certainly held its ticket.
struct Hold {
    /// The order's id.
    order: String,
    /// The index of the trace record that begins it.
    from: usize,
    /// The index of the trace record that ends it; `usize::MAX` for none.
    to: usize,
}

/// The holds of each ticket, from the writes of orders.
fn histories(evidence: &Evidence) -> BTreeMap<String, Vec<Hold>> {
    let mut histories: BTreeMap<String, Vec<Hold>> = BTreeMap::new();
    for (now, record) in evidence.trace.iter().enumerate() {
        let service = record.instance.map(|who| who.service);
        let RecordKind::Write { collection, began, outcome: Ok(Some(order)), .. } = &record.kind
        else {
            continue;
        };
        if service != Some("orders") || collection != "orders" {
            continue;
        }
        let holds = histories.entry(text(order, "ticketId").to_owned()).or_default();
        let known = holds.iter_mut().find(|hold| hold.order == id(order));
        match (known, holding(order)) {
            (None, true) => {
                holds.push(Hold { order: id(order).to_owned(), from: now, to: usize::MAX });
            }
            (Some(hold), false) if hold.to == usize::MAX => {
                // On real servers the release may have taken effect as soon as its call began.
                hold.to = if evidence.exact { now } else { *began };
            }
            _ => {}
        }
    }
    histories
}

fn holding(order: &Document) -> bool {
    order.get_bool("holding").unwrap_or_default()
}
