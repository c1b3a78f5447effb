//! Events in: what orders says of the time that its orders have.

use contracts::OrderState;
use platform::listen::HandleError;

use crate::App;
use crate::model::{self, Timer};

/// An order was created, updated, cancelled or completed: all four carry its whole state.
pub async fn order(app: App, order: OrderState) -> Result<(), HandleError> {
    let follow = |timer: Option<&Timer>| Ok::<_, HandleError>(model::follow(timer, &order));
    let changed = app.timers.change(&order.id, follow).await?;
    // Whether or not this call wrote it: one before it may have, and not heard of its success.
    if changed.document.is_some_and(|timer| timer.due.is_some()) {
        app.armed.wake();
    }
    Ok(())
}
