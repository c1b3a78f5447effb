//! Events of orders, from orders. All four carry the same state, so a reader needs only the
//! newest of them.

use ports::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Cents, events};

/// Where an order stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum OrderStatus {
    /// It holds the ticket and waits for the buyer.
    #[serde(rename = "created")]
    Created,
    /// It holds the ticket and money is under way.
    #[serde(rename = "awaiting:payment")]
    AwaitingPayment,
    /// It is paid: the ticket is the buyer's.
    #[serde(rename = "complete")]
    Complete,
    /// It has let the ticket go.
    #[serde(rename = "cancelled")]
    Cancelled,
}

impl OrderStatus {
    /// Whether an order in this state has its ticket.
    pub fn holds(self) -> bool {
        self != Self::Cancelled
    }

    /// Whether time or the buyer can still end it.
    pub fn is_open(self) -> bool {
        matches!(self, Self::Created | Self::AwaitingPayment)
    }
}

/// Why an order was cancelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum OrderReason {
    /// The buyer asked for it.
    #[serde(rename = "user")]
    User,
    /// Its time was up.
    #[serde(rename = "expired")]
    Expired,
    /// The payment was declined.
    #[serde(rename = "payment failed")]
    PaymentFailed,
}

/// An order's ticket, at the price that the buyer was shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OrderTicket {
    /// The ticket's id.
    pub id: String,
    /// The price in cents.
    pub price: Cents,
    /// The number that fences this hold, or its release, from older ones of the same ticket.
    pub fence: i64,
}

/// An order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct OrderState {
    /// The order's id.
    pub id: String,
    /// The buyer.
    pub user_id: String,
    /// Where it stands.
    pub status: OrderStatus,
    /// When its time is up.
    pub expires_at: Timestamp,
    /// What it holds, or held.
    pub ticket: OrderTicket,
    /// Why it was cancelled.
    pub reason: Option<OrderReason>,
    /// The order's version.
    pub version: i64,
}

events!(OrderState by id:
    /// A buyer holds a ticket.
    OrderCreated = "order.created",
    /// Money is under way.
    OrderUpdated = "order.updated",
    /// The ticket is free again.
    OrderCancelled = "order.cancelled",
    /// The ticket is paid.
    OrderCompleted = "order.completed",
);
