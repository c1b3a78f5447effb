//! Charges and refunds, in the documents of payments and in the provider's ledger.

use std::collections::{BTreeMap, BTreeSet};

use bson::Document;
use contracts::Cents;

use super::Evidence;
use super::evidence::{Records as _, by_id, id, number, text};
use crate::provider::LedgerCharge;

/// A completed order has exactly one charge that is not refunded, at the price that the buyer
/// was shown.
pub(super) fn paid_once(evidence: &Evidence) -> Vec<String> {
    let mut broken = Vec::new();
    let ledger = evidence.ledger();
    let mut kept: BTreeMap<&str, Vec<&LedgerCharge>> = BTreeMap::new();
    for charge in ledger.iter().filter(|charge| charge.is_kept()) {
        kept.entry(&charge.order_id).or_default().push(charge);
    }
    for order in evidence.orders() {
        let (id, price) = (id(order), Cents(number(order, "price")));
        if let Some(&shown) = evidence.clients.shown.get(id)
            && shown != price
        {
            broken.push(format!("order {id} costs {price}, but its buyer was shown {shown}"));
        }
        if text(order, "status") != "complete" {
            continue;
        }
        let kept = kept.get(id).map_or(&[][..], Vec::as_slice);
        if kept.len() != 1 {
            broken.push(format!(
                "order {id} is complete with {} charges that are not refunded",
                kept.len()
            ));
        }
        for charge in kept.iter().filter(|charge| charge.amount != price.0) {
            broken.push(format!(
                "order {id} costs {price}, but {} was charged",
                Cents(charge.amount)
            ));
        }
    }
    broken
}

/// An order whose charge has moved money is complete, unless it was cancelled: [`none_kept`]
/// covers those.
pub(super) fn paid_completes(evidence: &Evidence) -> Vec<String> {
    let orders = by_id(evidence.orders());
    let ledger = evidence.ledger();
    let is_open = |charge: &&LedgerCharge| {
        let status = orders.get(charge.order_id.as_str()).map(|order| text(order, "status"));
        matches!(status, Some("created" | "awaiting:payment"))
    };
    let open = ledger.iter().filter(|charge| charge.is_kept()).filter(is_open);
    open.map(|charge| format!("order {} is paid and never completes", charge.order_id)).collect()
}

/// Every charge of a cancelled or unknown order is refunded. Where the provider refuses that for
/// good, an operator must see it: payments has the reason of the provider.
pub(super) fn none_kept(evidence: &Evidence) -> Vec<String> {
    let orders = by_id(evidence.orders());
    let copies = by_id(evidence.order_copies());
    let ledger = evidence.ledger();
    let shown = |charge: &LedgerCharge| {
        let copy = copies.get(charge.order_id.as_str())?.get_document("charge").ok()?;
        Some(text(copy, "failure")).filter(|code| !code.is_empty())
    };
    let kept = ledger.iter().filter(|charge| charge.is_kept());
    let without_order = kept.filter_map(|charge| match orders.get(charge.order_id.as_str()) {
        Some(order) if text(order, "status") != "cancelled" => None,
        Some(_) => match (charge.refusal(), shown(charge)) {
            (Some(refusal), Some(shown)) if refusal == shown => None,
            (Some(refusal), _) => Some(format!(
                "the provider refuses to refund the charge {} of the cancelled order {}: \
                 {refusal}; payments does not show it",
                charge.id, charge.order_id
            )),
            (None, _) => Some(format!(
                "cancelled order {} has the charge {}, which is not refunded",
                charge.order_id, charge.id
            )),
        },
        None => {
            Some(format!("charge {} belongs to the unknown order {}", charge.id, charge.order_id))
        }
    });
    without_order.collect()
}

/// A charge is refunded only if its order is cancelled. [`paid_once`] covers complete orders.
pub(super) fn refunded_for_a_reason(evidence: &Evidence) -> Vec<String> {
    let orders = by_id(evidence.orders());
    let ledger = evidence.ledger();
    let refunded = ledger.iter().filter(|charge| charge.is_refunded());
    let status = |charge: &LedgerCharge| {
        orders.get(charge.order_id.as_str()).map(|order| text(order, "status"))
    };
    let open =
        refunded.filter(|charge| matches!(status(charge), Some("created" | "awaiting:payment")));
    open.map(|charge| {
        format!("charge {} is refunded although order {} is open", charge.id, charge.order_id)
    })
    .collect()
}

/// The provider's ledger agrees with the charges, cent for cent: every charge that has moved money
/// is the one in payments, so no order is charged twice.
pub(super) fn ledgers_agree(evidence: &Evidence) -> Vec<String> {
    let mut broken = Vec::new();
    let copies = by_id(evidence.order_copies());
    let ledger = evidence.ledger();
    for entry in ledger.iter().filter(|entry| entry.has_moved()) {
        let order = copies.get(entry.order_id.as_str());
        let Some(charge) = order.and_then(|order| order.get_document("charge").ok()) else {
            broken.push(format!(
                "charge {} is in the provider's ledger but not in payments",
                entry.id
            ));
            continue;
        };
        if text(charge, "stripeId") != entry.id || number(charge, "amount") != entry.amount {
            broken.push(format!("charge {} differs in payments: {charge}", entry.id));
        }
        if (text(charge, "status") == "refunded") != entry.is_refunded() {
            broken.push(format!("charge {} is refunded on one side only: {charge}", entry.id));
        }
    }
    let entries = ledger.iter().filter(|entry| entry.has_moved());
    let entries: BTreeSet<&str> = entries.map(|entry| entry.id.as_str()).collect();
    for order in evidence.order_copies() {
        if let Ok(charge) = order.get_document("charge")
            && moved(charge)
            && !entries.contains(text(charge, "stripeId"))
        {
            broken.push(format!(
                "the charge of order {} is not in the provider's ledger: {charge}",
                id(order)
            ));
        }
    }
    broken
}

fn moved(charge: &Document) -> bool {
    matches!(text(charge, "status"), "completed" | "refunded")
}
