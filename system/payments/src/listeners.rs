//! Events in: what orders says of the orders that are to be paid.

use contracts::OrderState;
use platform::listen::HandleError;

use crate::App;
use crate::model::{self, Order};

/// An order was created, updated, cancelled or completed: all four carry its whole state.
pub async fn order(app: App, order: OrderState) -> Result<(), HandleError> {
    let now = app.clock.now();
    let follow = |known: Option<&Order>| Ok::<_, HandleError>(model::follow(known, &order, now));
    let changed = app.orders.change(&order.id, follow).await?;
    // Whether or not this call wrote it: one before it may have, and not heard of its success.
    if changed.document.is_some_and(|order| order.due.is_some()) {
        app.unsettled.wake();
    }
    Ok(())
}
