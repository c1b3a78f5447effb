//! The event of expiration: it reports that a reservation has expired, and orders decides what
//! that means.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The end of a reservation window.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Expiry {
    /// The order's id.
    pub id: String,
}

platform::events! {
    /// Every event of expiration.
    pub EXPIRATION_EVENTS of Expiry, from "expiration" to ["orders"]:
    /// The reservation window of an order has ended.
    OrderExpired = "order.expired";
}
