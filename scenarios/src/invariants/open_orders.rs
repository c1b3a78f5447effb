//! A user never has more open orders than the limit allows.

use std::collections::{BTreeMap, BTreeSet};

use bson::Document;
use harness::trace::RecordKind;

use super::Evidence;
use super::evidence::{Records as _, id, text};
use crate::model::orders::is_open;

pub(super) fn check(evidence: &Evidence) -> Vec<String> {
    let limit = evidence.clients.max_open_orders;
    let mut most: BTreeMap<&str, usize> = BTreeMap::new();
    for order in evidence.orders().iter().filter(|order| is_open(order)) {
        *most.entry(text(order, "userId")).or_default() += 1;
    }
    if evidence.exact {
        // On real servers, records of concurrent writes may be out of order.
        for (user, count) in most_at_once(evidence) {
            let known = most.entry(user).or_default();
            *known = count.max(*known);
        }
    }
    let broken = most.into_iter().filter(|(_, count)| *count > limit);
    broken.map(|(user, count)| format!("{user} had {count} open orders of {limit}")).collect()
}

/// The most orders of each user that were open at the same time, from the writes of orders.
fn most_at_once<'e>(evidence: &'e Evidence<'_>) -> BTreeMap<&'e str, usize> {
    let mut open: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    let mut most: BTreeMap<&str, usize> = BTreeMap::new();
    for order in evidence.trace.iter().filter_map(|record| {
        let is_of_orders = record.instance.is_some_and(|who| who.service == "orders");
        match &record.kind {
            RecordKind::Write { collection, outcome: Ok(Some(order)), .. }
                if is_of_orders && collection == "orders" =>
            {
                Some::<&Document>(order)
            }
            _ => None,
        }
    }) {
        let user = text(order, "userId");
        let open = open.entry(user).or_default();
        if is_open(order) {
            open.insert(id(order));
        } else {
            open.remove(id(order));
        }
        let known = most.entry(user).or_default();
        *known = open.len().max(*known);
    }
    most
}
