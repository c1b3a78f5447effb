//! The order document with its charge, and every decision on them: pure functions without I/O.

use std::time::Duration;

use contracts::{
    Cents, ChargeCreated, ChargeState, ChargeStatus, ChargeUpdated, OrderState, OrderStatus,
};
use platform::collection::Decision;
use platform::event::Emit;
use ports::Timestamp;
use ports::clock::after;
use serde::{Deserialize, Serialize};

/// Time for which a new charge is left to the request that created it, before the charges' task
/// repeats it. It saves requests only: both use the same idempotency key. It must exceed the
/// time-out of the provider's client.
pub const REQUEST_GRACE: Duration = Duration::from_secs(12);

/// The copy of an order, as of the newest event received, and its charge.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Order {
    /// The order's id.
    pub id: String,
    /// The buyer's user id.
    pub user_id: String,
    /// The price in cents that the buyer was shown.
    pub price: Cents,
    /// The state of the order.
    pub status: OrderStatus,
    /// The order's version.
    pub version: i64,
    /// Its charge. An order has at most one.
    pub charge: Option<Charge>,
    /// The time at which the charges' task must settle the charge; `None` if it is settled.
    #[serde(with = "platform::date::option")]
    pub due: Option<Timestamp>,
}

/// A charge.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Charge {
    /// The charge's id, which is also the idempotency key at the provider.
    pub id: String,
    /// The state of the charge.
    pub status: ChargeStatus,
    /// The amount in cents.
    pub amount: Cents,
    /// The token of the card: a repeated request must be equal to the first.
    pub source: String,
    /// The provider's id of the charge.
    pub stripe_id: Option<String>,
    /// The provider's id of the refund.
    pub stripe_refund_id: Option<String>,
    /// Incremented by every change.
    pub version: i64,
}

/// A definite response of the provider to a charge.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ChargeOutcome {
    /// The money has moved.
    Charged {
        /// The provider's id of the charge.
        id: String,
    },
    /// No money has moved, and none will.
    Declined {
        /// The reason: `card_declined`.
        code: String,
    },
}

/// A refused payment, or one without a definite outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PaymentError {
    /// The order does not exist, or its event has not been processed yet.
    #[error("no such order")]
    NotFound,
    /// The caller is not the buyer.
    #[error("the order belongs to another buyer")]
    NotBuyer,
    /// The order is cancelled, or will be.
    #[error("the order is cancelled")]
    Cancelled,
    /// The order is paid.
    #[error("the order is paid")]
    Paid,
    /// The provider declined the card.
    #[error("the card was declined")]
    Declined,
    /// The outcome of the charge is unknown: the money may have moved.
    #[error("the outcome of the charge is unknown")]
    Unanswered,
}

/// Replaces the copy of an order by a newer state; an older or equal version changes nothing.
/// The charge stays.
#[must_use]
pub fn follow(known: Option<&Order>, order: &OrderState, now: Timestamp) -> Decision<Order> {
    if known.is_some_and(|known| known.version >= order.version) {
        return Decision::Keep;
    }
    let mut next = Order {
        id: order.id.clone(),
        user_id: order.user_id.clone(),
        price: order.ticket.price,
        status: order.status,
        version: order.version,
        charge: known.and_then(|known| known.charge.clone()),
        due: known.and_then(|known| known.due),
    };
    next.schedule(now);
    Decision::Write(next, Vec::new())
}

/// Records the intent to pay an order: the charge exists before the provider is asked. A charge
/// of unknown outcome stays as it is, and is repeated.
pub fn intend(
    order: Option<&Order>,
    by: &str,
    id: &str,
    token: &str,
    now: Timestamp,
) -> Result<Decision<Order>, PaymentError> {
    let order = order.ok_or(PaymentError::NotFound)?;
    if order.user_id != by {
        return Err(PaymentError::NotBuyer);
    }
    match (order.status, &order.charge) {
        (OrderStatus::Cancelled, _) => Err(PaymentError::Cancelled),
        (OrderStatus::Complete, _) => Err(PaymentError::Paid),
        (_, Some(charge)) => match charge.status {
            ChargeStatus::Created => Ok(Decision::Keep),
            ChargeStatus::Completed => Err(PaymentError::Paid),
            // Orders cancels the order when it receives the event of the charge.
            ChargeStatus::Failed | ChargeStatus::Refunded => Err(PaymentError::Cancelled),
        },
        (_, None) => {
            let charge = Charge {
                id: id.to_owned(),
                status: ChargeStatus::Created,
                amount: order.price,
                source: token.to_owned(),
                stripe_id: None,
                stripe_refund_id: None,
                version: 0,
            };
            let event = Emit::new(&ChargeCreated(charge.state(&order.id)));
            let mut next = Order { charge: Some(charge), ..order.clone() };
            next.schedule(now);
            Ok(Decision::Write(next, vec![event]))
        }
    }
}

/// Records the outcome of a charge; `None` stands for an unknown one, which changes nothing. Of
/// several concurrent requests, one records it.
pub fn conclude(
    order: Option<&Order>,
    outcome: Option<&ChargeOutcome>,
    now: Timestamp,
) -> Result<Decision<Order>, PaymentError> {
    let order = order.ok_or(PaymentError::NotFound)?;
    Ok(match outcome {
        Some(ChargeOutcome::Charged { id }) => order.next(ChargeStatus::Created, now, |charge| {
            charge.status = ChargeStatus::Completed;
            charge.stripe_id = Some(id.clone());
        }),
        Some(ChargeOutcome::Declined { .. }) => order.next(ChargeStatus::Created, now, |charge| {
            charge.status = ChargeStatus::Failed;
        }),
        None => Decision::Keep,
    })
}

/// Decides the response to the buyer after the provider was asked: the charge's id, if this
/// request recorded the outcome.
pub fn respond(order: &Order, concluded: bool) -> Result<String, PaymentError> {
    let charge = order.charge.as_ref().ok_or(PaymentError::NotFound)?;
    match (charge.status, order.status) {
        (ChargeStatus::Created, _) => Err(PaymentError::Unanswered),
        (ChargeStatus::Failed, _) => Err(PaymentError::Declined),
        (_, OrderStatus::Cancelled) => Err(PaymentError::Cancelled),
        (ChargeStatus::Completed, _) if concluded => Ok(charge.id.clone()),
        (ChargeStatus::Completed | ChargeStatus::Refunded, _) => Err(PaymentError::Paid),
    }
}

/// Records the refund of a charge, with the provider's id of the refund if it is known.
pub fn refund(
    order: Option<&Order>,
    id: Option<&str>,
    now: Timestamp,
) -> Result<Decision<Order>, PaymentError> {
    let order = order.ok_or(PaymentError::NotFound)?;
    Ok(order.next(ChargeStatus::Completed, now, |charge| {
        charge.status = ChargeStatus::Refunded;
        charge.stripe_refund_id = id.map(str::to_owned);
    }))
}

impl Order {
    /// Returns true if the charge must be settled now.
    #[must_use]
    pub fn is_due(&self, now: Timestamp) -> bool {
        self.due.is_some_and(|due| due <= now)
    }

    /// Changes the charge if it is in the expected state.
    fn next(
        &self,
        from: ChargeStatus,
        now: Timestamp,
        change: impl FnOnce(&mut Charge),
    ) -> Decision<Self> {
        let mut next = self.clone();
        let Some(charge) = next.charge.as_mut().filter(|charge| charge.status == from) else {
            return Decision::Keep;
        };
        change(charge);
        charge.version += 1;
        let event = Emit::new(&ChargeUpdated(charge.state(&self.id)));
        next.schedule(now);
        Decision::Write(next, vec![event])
    }

    /// Sets the time at which the charge must be settled: a new one after the grace of its
    /// request, a completed one of a cancelled order at once.
    fn schedule(&mut self, now: Timestamp) {
        self.due = match (self.charge.as_ref().map(|charge| charge.status), self.status) {
            (Some(ChargeStatus::Created), _) => self.due.or(Some(after(now, REQUEST_GRACE))),
            (Some(ChargeStatus::Completed), OrderStatus::Cancelled) => Some(now),
            _ => None,
        };
    }
}

impl Charge {
    fn state(&self, order: &str) -> ChargeState {
        ChargeState {
            id: self.id.clone(),
            order_id: order.to_owned(),
            status: self.status,
            amount: self.amount,
            stripe_id: self.stripe_id.clone(),
            stripe_refund_id: self.stripe_refund_id.clone(),
            version: self.version,
        }
    }
}

#[cfg(test)]
mod tests;
