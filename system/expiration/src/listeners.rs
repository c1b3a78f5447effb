//! Events in: orders, whose timers are armed and disarmed.

use contracts::OrderState;
use platform::listen::HandleError;

use crate::app::App;
use crate::model::{self, Timer};

/// Applies an event of an order: all four types carry its whole state.
pub async fn order(app: App, order: OrderState) -> Result<(), HandleError> {
    let follow = |timer: Option<&Timer>| model::follow(timer, &order);
    let changed = app.timers.apply_event(&order.id, order.version, follow).await?;
    // Also if this call wrote nothing: an earlier delivery may have written the timer without
    // learning of its success.
    if let Some(due) = changed.document.and_then(|timer| timer.due) {
        app.armed.add(due);
    }
    Ok(())
}
