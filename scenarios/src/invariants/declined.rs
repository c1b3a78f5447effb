//! An order whose card was declined is cancelled once the system is quiescent.

use super::Evidence;
use super::evidence::{Records as _, by_id, text};
use crate::operation::Operation;

pub(super) fn check(evidence: &Evidence) -> Vec<String> {
    let (orders, copies) = (by_id(evidence.orders()), by_id(evidence.order_copies()));
    let declined = evidence.history().filter(|call| {
        matches!(call.operation.plain(), Operation::Pay { .. }) && call.status() == Some(402)
    });
    let kept = declined.filter(|call| {
        let order = call.context.about.as_str();
        let charge = copies.get(order).and_then(|order| order.get_document("charge").ok());
        let lost = charge.is_some_and(|charge| evidence.given_up.contains(text(charge, "id")));
        let order = orders.get(order);
        !lost && order.is_some_and(|order| text(order, "status") != "cancelled")
    });
    kept.map(|call| format!("{}: 402, but the order is not cancelled", call.operation)).collect()
}
