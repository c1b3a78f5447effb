//! Events in: orders that hold or release a ticket.

use contracts::OrderState;
use platform::listen::HandleError;

use crate::app::App;
use crate::model;

/// Applies an event of an order: all four types carry its whole state.
pub async fn order(app: App, order: OrderState) -> Result<(), HandleError> {
    app.tickets.follow(&order.ticket.id, |ticket| model::follow(ticket, &order)).await
}
