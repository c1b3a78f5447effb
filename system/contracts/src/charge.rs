//! Events of charges, published by payments.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::money::Cents;

/// The state of a charge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ChargeStatus {
    /// The request to the provider is in progress: the money may have moved.
    Created,
    /// The money has moved.
    Completed,
    /// The provider declined: no money moved.
    Failed,
    /// The money was moved back.
    Refunded,
}

/// A charge for an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ChargeState {
    /// The charge's id, which is also the idempotency key at the provider.
    pub id: String,
    /// The order that it pays for.
    pub order_id: String,
    /// The state of the charge.
    pub status: ChargeStatus,
    /// The amount in cents.
    pub amount: Cents,
    /// The provider's id of the charge.
    pub stripe_id: Option<String>,
    /// The provider's id of the refund.
    pub stripe_refund_id: Option<String>,
    /// The charge's version.
    pub version: i64,
}

platform::events! {
    /// Every event of a charge.
    pub CHARGE_EVENTS of ChargeState, from "payments" to ["orders"]:
    /// A charge was created; the provider has not confirmed it yet.
    ChargeCreated = "charge.created",
    /// A charge was completed, declined or refunded.
    ChargeUpdated = "charge.updated";
}
