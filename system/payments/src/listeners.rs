//! Events in: orders that can be paid, and those that end.

use contracts::OrderState;
use platform::listen::HandleError;

use crate::app::App;
use crate::model;

/// Applies an event of an order: all four types carry its whole state.
pub async fn order(app: App, order: OrderState) -> Result<(), HandleError> {
    let now = app.clock.now();
    let changed = app.orders.apply(&order.id, |known| model::follow(known, &order, now)).await?;
    // Also if this call wrote nothing: an earlier delivery may have written the order without
    // learning of its success.
    if changed.document.is_some_and(|order| order.due.is_some()) {
        app.unsettled.wake();
    }
    Ok(())
}
