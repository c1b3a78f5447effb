//! Events in: orders that can be paid, and those that end.

use contracts::OrderState;
use platform::listen::HandleError;

use crate::app::App;
use crate::model::{self, Order};

/// Applies an event of an order: all four types carry its whole state.
pub async fn order(app: App, order: OrderState) -> Result<(), HandleError> {
    let now = app.clock.now();
    let follow = |known: Option<&Order>| model::follow(known, &order, now);
    let changed = app.orders.apply_event(&order.id, order.version, follow).await?;
    // Also if this call wrote nothing: an earlier delivery may have written the order without
    // learning of its success.
    if let Some(due) = changed.document.and_then(|order| order.due) {
        app.unsettled.add(due);
    }
    Ok(())
}
