//! Events of charges, from payments.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Cents, events};

/// Where a charge stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ChargeStatus {
    /// The provider is being asked: the money may have moved.
    Created,
    /// The money has moved.
    Completed,
    /// The provider refused: no money moved.
    Failed,
    /// The money has moved back.
    Refunded,
}

/// A charge of an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ChargeState {
    /// The charge's id, and the provider's idempotency key.
    pub id: String,
    /// The order that it pays.
    pub order_id: String,
    /// Where it stands.
    pub status: ChargeStatus,
    /// In cents.
    pub amount: Cents,
    /// The provider's name for it.
    pub stripe_id: Option<String>,
    /// The provider's name for its refund.
    pub stripe_refund_id: Option<String>,
    /// The charge's version.
    pub version: i64,
}

events!(ChargeState by id:
    /// Money is under way.
    ChargeCreated = "charge.created",
    /// The money has moved, or will not, or has moved back.
    ChargeUpdated = "charge.updated",
);
