//! Events in: orders that can be paid, and those that end.

use std::convert::Infallible;

use contracts::OrderState;
use platform::listen::HandleError;

use crate::app::App;
use crate::model::{self, Order};

/// Applies an event of an order: all four types carry its whole state.
pub async fn order(app: App, order: OrderState) -> Result<(), HandleError> {
    let now = app.clock.now();
    let follow = |known: Option<&Order>| Ok::<_, Infallible>(model::follow(known, &order, now));
    let changed = app.orders.change(&order.id, follow).await?;
    // Also if this call wrote nothing: an earlier delivery may have written the order without
    // learning of its success.
    if changed.document.is_some_and(|order| order.due.is_some()) {
        app.unsettled.wake();
    }
    Ok(())
}
