//! The order to be paid with its charge, and every decision on them. Nothing here reads or
//! writes anything.

use std::time::Duration;

use contracts::{
    Cents, ChargeCreated, ChargeState, ChargeStatus, ChargeUpdated, OrderState, OrderStatus,
};
use platform::collection::Decision;
use platform::event::Emit;
use ports::Timestamp;
use ports::clock::after;
use serde::{Deserialize, Serialize};

use crate::provider::{self, Outcome};

/// How long a new charge is left to the request that made it before the charges' task asks
/// too. A matter of economy: both ask under the same key.
pub const GRACE: Duration = provider::LIMIT.saturating_add(Duration::from_secs(2));

/// A copy of an order, as of the newest event that was heard of it, and its charge.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Order {
    /// The order's id.
    #[serde(rename = "_id")]
    pub id: String,
    /// The buyer.
    pub user_id: String,
    /// What it costs.
    pub price: Cents,
    /// Where it stands.
    pub status: OrderStatus,
    /// The order's version.
    pub version: i64,
    /// Its charge, of which there is one at most.
    pub charge: Option<Charge>,
    /// When the charges' task is to carry its charge on; `None` with nothing to do.
    #[serde(with = "platform::date::option")]
    pub due: Option<Timestamp>,
}

/// A charge: money that moves, has moved, or will not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Charge {
    /// Its id, and the provider's idempotency key.
    pub id: String,
    /// Where it stands.
    pub status: ChargeStatus,
    /// How much.
    pub amount: Cents,
    /// The token of the card, the same each time the provider is asked.
    pub source: String,
    /// The provider's name for it.
    pub stripe_id: Option<String>,
    /// The provider's name for its refund.
    pub stripe_refund_id: Option<String>,
    /// One higher with each change.
    pub version: i64,
}

/// Why a payment is refused, or has no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// There is no such order, or it was not heard of yet.
    NotFound,
    /// It is somebody else's.
    NotBuyer,
    /// It is cancelled, or about to be.
    Cancelled,
    /// It is paid.
    Paid,
    /// The provider declined the card.
    Declined,
    /// The provider has not answered: the money may have moved.
    Unanswered,
}

/// Keeps the newest of the copy and what an event says: an older or equal version changes
/// nothing. The charge stays.
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

/// Intends to pay an order: the charge is there before the provider is asked. Where one
/// without an answer is there already, it stays as it is and is asked for again.
pub fn intend(
    order: Option<&Order>,
    by: &str,
    id: &str,
    token: &str,
    now: Timestamp,
) -> Result<Decision<Order>, Refused> {
    let order = order.ok_or(Refused::NotFound)?;
    if order.user_id != by {
        return Err(Refused::NotBuyer);
    }
    match (order.status, &order.charge) {
        (OrderStatus::Cancelled, _) => Err(Refused::Cancelled),
        (OrderStatus::Complete, _) => Err(Refused::Paid),
        (_, Some(charge)) => match charge.status {
            ChargeStatus::Created => Ok(Decision::Keep),
            ChargeStatus::Completed => Err(Refused::Paid),
            // Orders has cancelled it, or will once it hears.
            ChargeStatus::Failed | ChargeStatus::Refunded => Err(Refused::Cancelled),
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

/// Writes down what the provider says of a charge. Of several that asked at once, one does.
pub fn conclude(
    order: Option<&Order>,
    outcome: &Outcome,
    now: Timestamp,
) -> Result<Decision<Order>, Refused> {
    let order = order.ok_or(Refused::NotFound)?;
    Ok(match outcome {
        Outcome::Charged { id } => order.next(ChargeStatus::Created, now, |charge| {
            charge.status = ChargeStatus::Completed;
            charge.stripe_id = Some(id.clone());
        }),
        Outcome::Declined { .. } => order.next(ChargeStatus::Created, now, |charge| {
            charge.status = ChargeStatus::Failed;
        }),
        Outcome::Unknown(_) => Decision::Keep,
    })
}

/// What the buyer is told, once the provider was asked: the charge's id, if this request is the
/// one that concluded it.
pub fn answer(order: &Order, concluded: bool) -> Result<String, Refused> {
    let charge = order.charge.as_ref().ok_or(Refused::NotFound)?;
    match (charge.status, order.status) {
        (ChargeStatus::Created, _) => Err(Refused::Unanswered),
        (ChargeStatus::Failed, _) => Err(Refused::Declined),
        (_, OrderStatus::Cancelled) => Err(Refused::Cancelled),
        (ChargeStatus::Completed, _) if concluded => Ok(charge.id.clone()),
        (ChargeStatus::Completed | ChargeStatus::Refunded, _) => Err(Refused::Paid),
    }
}

/// Writes down that a charge was refunded, under the provider's name for it where that is
/// known.
pub fn refund(
    order: Option<&Order>,
    id: Option<&str>,
    now: Timestamp,
) -> Result<Decision<Order>, Refused> {
    let order = order.ok_or(Refused::NotFound)?;
    Ok(order.next(ChargeStatus::Completed, now, |charge| {
        charge.status = ChargeStatus::Refunded;
        charge.stripe_refund_id = id.map(str::to_owned);
    }))
}

impl Order {
    /// Whether its charge is to be carried on now.
    pub fn is_due(&self, now: Timestamp) -> bool {
        self.due.is_some_and(|due| due <= now)
    }

    /// Changes its charge, if that stands where it is expected to.
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

    /// Says when the charge is to be carried on: a new one when its request has had its time,
    /// a completed one of a cancelled order at once.
    fn schedule(&mut self, now: Timestamp) {
        self.due = match (self.charge.as_ref().map(|charge| charge.status), self.status) {
            (Some(ChargeStatus::Created), _) => self.due.or(Some(after(now, GRACE))),
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
