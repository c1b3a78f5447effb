//! Events in: what orders says of the tickets that it holds and lets go.

use contracts::OrderState;
use platform::listen::HandleError;

use crate::{App, model};

/// An order was created, updated, cancelled or completed: all four carry its whole state.
pub async fn order(app: App, order: OrderState) -> Result<(), HandleError> {
    let follow = |ticket: Option<&model::Ticket>| match ticket {
        Some(ticket) => Ok(model::follow(ticket, &order)),
        None => Err(HandleError::Permanent(format!("no ticket {}", order.ticket.id))),
    };
    app.tickets.change(&order.ticket.id, follow).await?;
    Ok(())
}
