//! Events in: orders, whose timers are armed and disarmed.

use contracts::OrderState;
use platform::listen::HandleError;

use crate::app::App;
use crate::model;

/// Applies an event of an order: all four types carry its whole state.
pub async fn order(app: App, order: OrderState) -> Result<(), HandleError> {
    let changed = app.timers.apply(&order.id, |timer| model::follow(timer, &order)).await?;
    // Also if this call wrote nothing: an earlier delivery may have written the timer without
    // learning of its success.
    if changed.document.is_some_and(|timer| timer.due.is_some()) {
        app.armed.wake();
    }
    Ok(())
}
