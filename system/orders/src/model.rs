//! The order, and every decision on it. Nothing here reads or writes anything.

use contracts::{
    Cents, ChargeStatus, OrderCancelled, OrderCompleted, OrderCreated, OrderReason, OrderState,
    OrderStatus, OrderTicket, OrderUpdated, TicketState,
};
use platform::collection::Decision;
use platform::event::Emit;
use ports::Timestamp;
use serde::{Deserialize, Serialize};

/// A copy of a ticket, as of the newest event that was heard of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ticket {
    /// Its id.
    #[serde(rename = "_id")]
    pub id: String,
    /// What it admits to.
    pub title: String,
    /// Its price.
    pub price: Cents,
    /// The ticket's version.
    pub version: i64,
}

/// A buyer's order of one ticket, as it was shown to them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Order {
    /// Its id.
    #[serde(rename = "_id")]
    pub id: String,
    /// The buyer.
    pub user_id: String,
    /// The ticket.
    pub ticket_id: String,
    /// What the ticket admits to.
    pub title: String,
    /// The price that the buyer was shown, and pays.
    pub price: Cents,
    /// The version of the ticket that the buyer was shown.
    pub ticket_version: i64,
    /// Where it stands.
    pub status: OrderStatus,
    /// Why it was cancelled.
    pub reason: Option<OrderReason>,
    /// Whether it has the ticket. One order of a ticket at most does.
    pub holding: bool,
    /// The fencing number of its hold: even. That of its release is one higher.
    pub fence: i64,
    /// When its time is up.
    #[serde(with = "platform::date")]
    pub expires_at: Timestamp,
    /// When it was made.
    #[serde(with = "platform::date")]
    pub created_at: Timestamp,
    /// One higher with each change.
    pub version: i64,
}

/// Who wants a ticket, and for how long.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reservation {
    /// The new order's id.
    pub id: String,
    /// The buyer.
    pub user_id: String,
    /// Now.
    pub created_at: Timestamp,
    /// When the hold ends unless it is paid.
    pub expires_at: Timestamp,
}

/// Why an order is not shown or not cancelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// There is no such order.
    NotFound,
    /// It is somebody else's.
    NotOwner,
    /// It is paid.
    Complete,
}

/// Keeps the newest of the copy and what an event says: an older or equal version changes
/// nothing.
pub fn copy(known: Option<&Ticket>, ticket: &TicketState) -> Decision<Ticket> {
    if known.is_some_and(|known| known.version >= ticket.version) {
        return Decision::Keep;
    }
    let copy = Ticket {
        id: ticket.id.clone(),
        title: ticket.title.clone(),
        price: ticket.price,
        version: ticket.version,
    };
    Decision::Write(copy, Vec::new())
}

/// The number that fences the next hold of a ticket, from that of its last one. The number in
/// between is the last one's release.
pub fn next_fence(last: Option<&Order>) -> i64 {
    last.map_or(0, |order| order.fence) + 2
}

/// Orders a ticket. Whether the order gets it is for the store to say.
pub fn order(ticket: &Ticket, reservation: &Reservation, fence: i64) -> (Order, Vec<Emit>) {
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
        fence,
        expires_at: reservation.expires_at,
        created_at: reservation.created_at,
        version: 0,
    };
    let event = order.event();
    (order, vec![event])
}

/// The order, if it exists and is theirs.
pub fn owned<'a>(order: Option<&'a Order>, by: &str) -> Result<&'a Order, Refused> {
    let order = order.ok_or(Refused::NotFound)?;
    if order.user_id != by {
        return Err(Refused::NotOwner);
    }
    Ok(order)
}

/// Cancels an order for its buyer, unless it is paid; a second time changes nothing.
pub fn cancel(order: Option<&Order>, by: &str) -> Result<Decision<Order>, Refused> {
    let order = owned(order, by)?;
    match order.status {
        OrderStatus::Created | OrderStatus::AwaitingPayment => Ok(order.release(OrderReason::User)),
        OrderStatus::Cancelled => Ok(Decision::Keep),
        OrderStatus::Complete => Err(Refused::Complete),
    }
}

/// Ends an order whose time is up, even with money under way: payments gives that back.
pub fn expire(order: &Order) -> Decision<Order> {
    if order.status.is_open() { order.release(OrderReason::Expired) } else { Decision::Keep }
}

/// Follows the order's charge. An order that is complete or cancelled never changes again, so
/// neither a late nor a repeated event does harm.
pub fn follow(order: &Order, charge: ChargeStatus) -> Decision<Order> {
    match charge {
        ChargeStatus::Created if order.status == OrderStatus::Created => {
            order.next(|next| next.status = OrderStatus::AwaitingPayment)
        }
        ChargeStatus::Completed if order.status.is_open() => {
            order.next(|next| next.status = OrderStatus::Complete)
        }
        ChargeStatus::Failed if order.status.is_open() => order.release(OrderReason::PaymentFailed),
        _ => Decision::Keep,
    }
}

impl Order {
    /// Cancels it and lets the ticket go, in one.
    fn release(&self, reason: OrderReason) -> Decision<Self> {
        self.next(|next| {
            next.status = OrderStatus::Cancelled;
            next.reason = Some(reason);
            next.holding = false;
        })
    }

    fn next(&self, change: impl FnOnce(&mut Self)) -> Decision<Self> {
        let mut next = self.clone();
        change(&mut next);
        next.version += 1;
        let event = next.event();
        Decision::Write(next, vec![event])
    }

    /// The event that says where it stands.
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
