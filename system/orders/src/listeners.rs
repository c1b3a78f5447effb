//! Events in: expiries from expiration, and charges from payments. Listings from tickets are only
//! copied, see [`crate::service`].

use contracts::{ChargeState, Expiry};
use platform::listen::HandleError;

use crate::app::App;
use crate::model;

/// Ends the order whose reservation window has ended.
pub async fn expired(app: App, expired: Expiry) -> Result<(), HandleError> {
    app.orders.follow(&expired.id, model::expire).await
}

/// Follows the charge of an order: both events carry its whole state.
pub async fn charge(app: App, charge: ChargeState) -> Result<(), HandleError> {
    app.orders.follow(&charge.order_id, |order| model::follow(order, charge.status)).await
}
