//! Events in: orders that hold or release a ticket.

use contracts::OrderState;
use platform::listen::HandleError;

use crate::app::App;
use crate::model::{self, Ticket};

/// Applies an event of an order: all four types carry its whole state.
pub async fn order(app: App, order: OrderState) -> Result<(), HandleError> {
    let follow = |ticket: Option<&Ticket>| match ticket {
        Some(ticket) => Ok(model::follow(ticket, &order)),
        // Tickets are created here, so an order of an unknown one can never be applied.
        None => Err(HandleError::permanent(format!("unknown ticket {}", order.ticket.id))),
    };
    app.tickets.change(&order.ticket.id, follow).await?;
    Ok(())
}
