//! The order document, and every decision on it: pure functions without I/O.

use contracts::{
    Cents, ChargeStatus, OrderCancelled, OrderCompleted, OrderCreated, OrderReason, OrderState,
    OrderStatus, OrderTicket, OrderUpdated,
};
use platform::collection::Decision;
use platform::event::Emit;
use platform::renewal::Renewed;
use ports::Timestamp;
use serde::{Deserialize, Serialize};

/// The copy of a ticket, as of the newest event received.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Ticket {
    /// The ticket's id.
    pub id: String,
    /// The event that it admits to.
    pub title: String,
    /// The price in cents.
    pub price: Cents,
    /// The order that holds it, as the ticket knows.
    #[serde(default)]
    pub order_id: Option<String>,
    /// The highest fencing number of an order that the ticket has followed.
    #[serde(default)]
    pub fence: i64,
    /// The ticket's version.
    pub version: i64,
}

/// An order for one ticket, with the listing as the buyer was shown it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Order {
    /// The order's id.
    pub id: String,
    /// The buyer's user id.
    pub user_id: String,
    /// The ticket's id.
    pub ticket_id: String,
    /// The event that the ticket admits to.
    pub title: String,
    /// The price in cents that the buyer was shown, and pays.
    pub price: Cents,
    /// The version of the ticket that the buyer was shown.
    pub ticket_version: i64,
    /// The state of the order.
    pub status: OrderStatus,
    /// The reason of the cancellation; `None` for an order that is not cancelled.
    pub reason: Option<OrderReason>,
    /// True if it holds the ticket. At most one order of a ticket does.
    pub holding: bool,
    /// True until it is complete or cancelled.
    #[serde(default)]
    pub open: bool,
    /// The number among the open orders of its buyer, below the limit on them. No two open orders
    /// of a buyer have the same one.
    #[serde(default)]
    pub slot: i64,
    /// The fencing number of its hold, which is even. Its release has the next odd number.
    pub fence: i64,
    /// The end of the reservation window.
    #[serde(with = "platform::date")]
    pub expires_at: Timestamp,
    /// The time of creation.
    #[serde(with = "platform::date")]
    pub created_at: Timestamp,
    /// Incremented by every change.
    pub version: i64,
}

/// A buyer's request to hold a ticket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reservation {
    /// The new order's id.
    pub id: String,
    /// The buyer's user id.
    pub user_id: String,
    /// The current time.
    pub created_at: Timestamp,
    /// The time at which the hold ends unless the order is paid.
    pub expires_at: Timestamp,
}

/// A refused request for an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OrderError {
    /// The order does not exist.
    #[error("no such order")]
    NotFound,
    /// The caller is not the buyer.
    #[error("the order belongs to another buyer")]
    NotOwner,
    /// The order is paid, so it can no longer be cancelled.
    #[error("the order is complete")]
    Complete,
}

/// Returns the fencing number of a ticket's next hold, from that of its last one. The number in
/// between belongs to the release of the last one. Where the last order has been removed, the
/// ticket knows its number: it has followed that order long ago.
#[must_use]
pub fn next_fence(ticket: &Ticket, last: Option<&Order>) -> i64 {
    let followed = ticket.fence - ticket.fence % 2;
    last.map_or(0, |order| order.fence).max(followed) + 2
}

/// Returns true if the ticket is held: by its last order, or by one that has been removed since.
/// An order that is removed had ended long before; if the ticket still names it, it is complete.
#[must_use]
pub fn is_held(ticket: &Ticket, last: Option<&Order>) -> bool {
    let is_removed = last.is_none_or(|last| last.fence < ticket.fence);
    last.is_some_and(|last| last.holding) || (ticket.order_id.is_some() && is_removed)
}

/// Returns a free slot of a buyer, the first from a place that depends on the id of the new order,
/// so that simultaneous orders rarely try the same one; `None` if no slot below the limit is free.
#[must_use]
pub fn free_slot(open: &[Order], id: &str, limit: u32) -> Option<i64> {
    let limit = i64::from(limit);
    let first = id.bytes().fold(0, |sum, byte| (sum * 31 + i64::from(byte)) % limit);
    let is_taken = |slot: &i64| open.iter().any(|order| order.slot == *slot);
    (first..limit).chain(0..first).find(|slot| !is_taken(slot))
}

/// Creates an order that holds the ticket and occupies the slot. Inserting it decides whether it
/// does.
#[must_use]
pub fn order(
    ticket: &Ticket,
    reservation: &Reservation,
    fence: i64,
    slot: i64,
) -> (Order, Vec<Emit>) {
    let order = Order {
        id: reservation.id.clone(),
        user_id: reservation.user_id.clone(),
        ticket_id: ticket.id.clone(),
        title: ticket.title.clone(),
        price: ticket.price,
        ticket_version: ticket.version,
        status: OrderStatus::Created,
        reason: None,
        holding: true,
        open: true,
        slot,
        fence,
        expires_at: reservation.expires_at,
        created_at: reservation.created_at,
        version: 0,
    };
    let event = order.event();
    (order, vec![event])
}

/// Returns the order if it exists and belongs to this buyer.
pub fn owned<'a>(order: Option<&'a Order>, by: &str) -> Result<&'a Order, OrderError> {
    let order = order.ok_or(OrderError::NotFound)?;
    if order.user_id != by {
        return Err(OrderError::NotOwner);
    }
    Ok(order)
}

/// Cancels an order for its buyer, unless it is paid. Idempotent.
pub fn cancel(order: Option<&Order>, by: &str) -> Result<Decision<Order>, OrderError> {
    let order = owned(order, by)?;
    match order.status {
        OrderStatus::Created | OrderStatus::AwaitingPayment => Ok(order.release(OrderReason::User)),
        OrderStatus::Cancelled => Ok(Decision::Keep),
        OrderStatus::Complete => Err(OrderError::Complete),
    }
}

/// Cancels an open order at the end of its window, even with a charge in progress: payments
/// refunds that.
#[must_use]
pub fn expire(order: &Order) -> Decision<Order> {
    if order.status.is_open() { order.release(OrderReason::Expired) } else { Decision::Keep }
}

/// Follows the order's charge. An order that is complete or cancelled never changes again, so
/// late and repeated events are harmless.
#[must_use]
pub fn follow(order: &Order, charge: ChargeStatus) -> Decision<Order> {
    match charge {
        ChargeStatus::Created if order.status == OrderStatus::Created => {
            order.next(|next| next.status = OrderStatus::AwaitingPayment)
        }
        ChargeStatus::Completed if order.status.is_open() => order.next(|next| {
            next.status = OrderStatus::Complete;
            next.open = false;
        }),
        ChargeStatus::Failed if order.status.is_open() => order.release(OrderReason::PaymentFailed),
        _ => Decision::Keep,
    }
}

/// The copy has nothing to publish. It leaves after the ticket was sold.
impl Renewed for Ticket {
    fn newest(&self) -> Vec<Emit> {
        Vec::new()
    }

    fn has_ended(&self) -> bool {
        self.order_id.is_some()
    }
}

impl Renewed for Order {
    fn newest(&self) -> Vec<Emit> {
        vec![self.event()]
    }

    fn has_ended(&self) -> bool {
        !self.status.is_open()
    }
}

impl Order {
    /// Cancels the order and releases its ticket in the same write.
    fn release(&self, reason: OrderReason) -> Decision<Self> {
        self.next(|next| {
            next.status = OrderStatus::Cancelled;
            next.reason = Some(reason);
            next.holding = false;
            next.open = false;
        })
    }

    fn next(&self, change: impl FnOnce(&mut Self)) -> Decision<Self> {
        let mut next = self.clone();
        change(&mut next);
        next.version += 1;
        let event = next.event();
        Decision::Write(next, vec![event])
    }

    /// Returns the event for the current state.
    fn event(&self) -> Emit {
        let state = self.state();
        match self.status {
            OrderStatus::Created => Emit::new(&OrderCreated(state)),
            OrderStatus::AwaitingPayment => Emit::new(&OrderUpdated(state)),
            OrderStatus::Complete => Emit::new(&OrderCompleted(state)),
            OrderStatus::Cancelled => Emit::new(&OrderCancelled(state)),
        }
    }

    fn state(&self) -> OrderState {
        let fence = if self.holding { self.fence } else { self.fence + 1 };
        OrderState {
            id: self.id.clone(),
            user_id: self.user_id.clone(),
            status: self.status,
            expires_at: self.expires_at,
            ticket: OrderTicket { id: self.ticket_id.clone(), price: self.price, fence },
            reason: self.reason,
            version: self.version,
        }
    }
}

#[cfg(test)]
mod tests;
