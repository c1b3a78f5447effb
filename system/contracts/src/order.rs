//! Events of orders, published by orders. All four carry the same state, so a reader needs only
//! the newest of them.

use ports::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::money::Cents;

/// The state of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum OrderStatus {
    /// The order holds the ticket and is unpaid.
    #[serde(rename = "created")]
    Created,
    /// The order holds the ticket and a charge is in progress.
    #[serde(rename = "awaiting:payment")]
    AwaitingPayment,
    /// The order is paid: the buyer owns the ticket.
    #[serde(rename = "complete")]
    Complete,
    /// The order has released the ticket.
    #[serde(rename = "cancelled")]
    Cancelled,
}

impl OrderStatus {
    /// Returns true if an order in this state holds its ticket.
    #[must_use]
    pub fn holds(self) -> bool {
        self != Self::Cancelled
    }

    /// Returns true if an order in this state can still expire, be paid or be cancelled.
    #[must_use]
    pub fn is_open(self) -> bool {
        matches!(self, Self::Created | Self::AwaitingPayment)
    }
}

/// The reason of a cancellation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum OrderReason {
    /// The buyer cancelled.
    #[serde(rename = "user")]
    User,
    /// The reservation window ended.
    #[serde(rename = "expired")]
    Expired,
    /// The provider declined the card.
    #[serde(rename = "payment failed")]
    PaymentFailed,
}

/// The ticket of an order, at the price that the buyer was shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OrderTicket {
    /// The ticket's id.
    pub id: String,
    /// The price in cents.
    pub price: Cents,
    /// The fencing number: orders this hold, or its release, after older ones of the same
    /// ticket.
    pub fence: i64,
}

/// An order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct OrderState {
    /// The order's id.
    pub id: String,
    /// The buyer's user id.
    pub user_id: String,
    /// The state of the order.
    pub status: OrderStatus,
    /// The end of the reservation window.
    pub expires_at: Timestamp,
    /// The ticket that it holds, or held.
    pub ticket: OrderTicket,
    /// The reason of the cancellation; `None` for an order that is not cancelled.
    pub reason: Option<OrderReason>,
    /// The order's version.
    pub version: i64,
}

platform::events! {
    /// Every event of an order.
    pub ORDER_EVENTS of OrderState, from "orders" to ["tickets", "expiration", "payments"]:
    /// A buyer reserved a ticket.
    OrderCreated = "order.created",
    /// A charge for the order is in progress.
    OrderUpdated = "order.updated",
    /// The order was cancelled, which released its ticket.
    OrderCancelled = "order.cancelled",
    /// The order was paid.
    OrderCompleted = "order.completed";
}
