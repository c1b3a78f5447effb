//! The order document with its charge, and every decision on them: pure functions without I/O.
//!
//! [`inquiry`] has the rules of the provider's idempotency keys.

pub mod inquiry;

use std::time::Duration;

use contracts::{
    Cents, ChargeCreated, ChargeState, ChargeStatus, ChargeUpdated, OrderState, OrderStatus,
};
use platform::collection::Decision;
use platform::event::Emit;
use platform::renewal::Renewed;
use ports::Timestamp;
use ports::clock::after;
use serde::{Deserialize, Serialize};

use inquiry::{Attempt, Inquiry, Outcome, Transfer};

/// Time for which a new charge is left to the request that created it, before the charges' task
/// repeats it, and the shortest time between two attempts of the task. It saves requests only:
/// both use the same idempotency key. It must exceed the time-out of the provider's client.
pub const REQUEST_GRACE: Duration = Duration::from_secs(12);

/// The longest time between two requests of the task for one charge. In between they are spaced
/// by the age of the attempt, so that an hour-long outage costs the provider few requests.
pub const MAX_PAUSE: Duration = Duration::from_secs(15 * 60);

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
    /// The time at which the charge was created: the provider has none of it from before.
    #[serde(with = "platform::date")]
    pub created: Timestamp,
    /// The current attempt: of the charge until its outcome is known, then of the refund.
    pub attempt: Attempt,
    /// The provider's code of the final refusal: of the charge if that has failed, otherwise of
    /// the refund. Then the buyer's money is still there, and an operator must return it.
    pub failure: Option<String>,
    /// Incremented by every change that is published.
    pub version: i64,
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
        return Decision::Superseded;
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
    if known.and_then(Order::transfer) != next.transfer()
        && let Some(charge) = &mut next.charge
    {
        // The order of a completed charge is cancelled, so its refund begins.
        charge.attempt = Attempt::first(now);
        next.due = next.transfer().map(|_| now);
    }
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
                created: now,
                attempt: Attempt::first(now),
                failure: None,
                version: 0,
            };
            let event = Emit::new(&ChargeCreated(charge.state(&order.id)));
            let due = Some(after(now, REQUEST_GRACE));
            let next = Order { charge: Some(charge), due, ..order.clone() };
            Ok(Decision::Write(next, vec![event]))
        }
    }
}

/// Records the provider's answer to an inquiry; `None` stands for an unknown outcome, after which
/// the task asks again later. Of several concurrent requests, one records it.
pub fn conclude(
    order: Option<&Order>,
    asked: &Inquiry,
    outcome: Option<&Outcome>,
    now: Timestamp,
) -> Result<Decision<Order>, PaymentError> {
    let order = order.ok_or(PaymentError::NotFound)?;
    let mut next = order.clone();
    let current = (next.transfer(), next.charge.as_ref().map(|charge| charge.attempt.number));
    let (Some(charge), true) =
        (next.charge.as_mut(), current == (Some(asked.transfer), Some(asked.attempt)))
    else {
        // Another request has recorded the outcome, or has moved on to another key.
        return Ok(Decision::Keep);
    };
    let before = (charge.status, charge.attempt.number);
    match (asked.transfer, outcome) {
        (Transfer::Charge, Some(Outcome::Succeeded { id })) => {
            charge.status = ChargeStatus::Completed;
            charge.stripe_id.clone_from(id);
            charge.attempt = Attempt::first(now);
        }
        (Transfer::Refund, Some(Outcome::Succeeded { id })) => {
            charge.status = ChargeStatus::Refunded;
            charge.stripe_refund_id.clone_from(id);
        }
        (Transfer::Charge, Some(Outcome::Pending { id })) => charge.stripe_id = Some(id.clone()),
        (Transfer::Refund, Some(Outcome::Pending { id })) => {
            charge.stripe_refund_id = Some(id.clone());
        }
        (Transfer::Charge, Some(Outcome::Failed { code })) => charge.fail(code),
        (Transfer::Refund, Some(Outcome::Failed { code })) => charge.failure = Some(code.clone()),
        // Nobody waits for this charge any more, and no request for it is under way.
        (Transfer::Charge, Some(Outcome::Absent)) if order.status == OrderStatus::Cancelled => {
            charge.fail(NEVER_CHARGED);
        }
        (_, Some(Outcome::Absent)) => charge.attempt = charge.attempt.next(now),
        (_, Some(Outcome::KeySpent) | None) => {}
    }
    let mut events = Vec::new();
    if charge.status != before.0 {
        charge.version += 1;
        events.push(Emit::new(&ChargeUpdated(charge.state(&order.id))));
    }
    let is_repeated = (charge.status, charge.attempt.number) == before;
    next.due = match next.inquiry(now) {
        None => None,
        Some(Inquiry { how: inquiry::How::Wait { until }, .. }) => Some(until),
        Some(_) if is_repeated => Some(next.pause(now)),
        // The request that began another attempt uses its key at once. A provider that spends
        // every key is asked ever more rarely.
        Some(Inquiry { attempt: number @ 2.., .. }) => {
            let grace = REQUEST_GRACE.saturating_mul(2_u32.saturating_pow(number - 2));
            Some(after(now, grace.min(MAX_PAUSE)))
        }
        // The charge has completed after the cancellation, so its refund begins.
        Some(_) => Some(now),
    };
    Ok(if next == *order { Decision::Keep } else { Decision::Write(next, events) })
}

/// The failure of a charge that was never made, because its order was cancelled before.
pub const NEVER_CHARGED: &str = "order_cancelled";

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

impl Renewed for Order {
    fn newest(&self) -> Vec<Emit> {
        let newest = self.charge.iter().map(|charge| {
            let state = charge.state(&self.id);
            match charge.status {
                ChargeStatus::Created => Emit::new(&ChargeCreated(state)),
                _ => Emit::new(&ChargeUpdated(state)),
            }
        });
        newest.collect()
    }

    fn has_ended(&self) -> bool {
        !self.status.is_open() && self.transfer().is_none()
    }

    /// A charge stays if its refund is refused: an operator must return the money.
    fn may_leave(&self) -> bool {
        self.has_ended() && !self.is_owed()
    }
}

impl Order {
    /// Returns true if the charge must be settled now.
    #[must_use]
    pub fn is_due(&self, now: Timestamp) -> bool {
        self.due.is_some_and(|due| due <= now)
    }

    /// The money that the provider must still move; `None` if there is none, or if it refuses.
    #[must_use]
    pub fn transfer(&self) -> Option<Transfer> {
        let charge = self.charge.as_ref()?;
        match (charge.status, self.status) {
            (ChargeStatus::Created, _) => Some(Transfer::Charge),
            (ChargeStatus::Completed, OrderStatus::Cancelled) if charge.failure.is_none() => {
                Some(Transfer::Refund)
            }
            _ => None,
        }
    }

    /// Returns true if the order is cancelled and its money is still at the provider.
    #[must_use]
    pub fn is_owed(&self) -> bool {
        let is_completed = |charge: &Charge| charge.status == ChargeStatus::Completed;
        self.status == OrderStatus::Cancelled && self.charge.as_ref().is_some_and(is_completed)
    }

    /// The next inquiry at the provider; `None` if the charge is settled.
    #[must_use]
    pub fn inquiry(&self, now: Timestamp) -> Option<Inquiry> {
        let (transfer, charge) = (self.transfer()?, self.charge.as_ref()?);
        let pending = match transfer {
            Transfer::Charge => charge.stripe_id.as_deref(),
            Transfer::Refund => charge.stripe_refund_id.as_deref(),
        };
        Some(charge.attempt.inquiry(transfer, &charge.id, pending, now))
    }

    /// The time of the next inquiry after one without a result.
    fn pause(&self, now: Timestamp) -> Timestamp {
        let since = self.charge.as_ref().map_or(now, |charge| charge.attempt.since);
        let age = Duration::try_from(now.duration_since(since)).unwrap_or_default();
        after(now, age.clamp(REQUEST_GRACE, MAX_PAUSE))
    }
}

impl Charge {
    fn fail(&mut self, code: &str) {
        self.status = ChargeStatus::Failed;
        self.failure = Some(code.to_owned());
    }

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
