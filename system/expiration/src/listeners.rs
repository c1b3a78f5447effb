//! Events in: orders, whose timers are armed and disarmed.

use std::convert::Infallible;

use contracts::OrderState;
use platform::listen::HandleError;

use crate::app::App;
use crate::model::{self, Timer};

/// Applies an event of an order: all four types carry its whole state.
pub async fn order(app: App, order: OrderState) -> Result<(), HandleError> {
    let follow = |timer: Option<&Timer>| Ok::<_, Infallible>(model::follow(timer, &order));
    let changed = app.timers.change(&order.id, follow).await?;
    // Also if this call wrote nothing: an earlier delivery may have written the timer without
    // learning of its success.
    if changed.document.is_some_and(|timer| timer.due.is_some()) {
        app.armed.wake();
    }
    Ok(())
}
