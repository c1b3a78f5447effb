//! Events in: what is for sale, from tickets; that time is up, from expiration; what became
//! of the money, from payments.

use contracts::{ChargeState, OrderExpired, TicketState};
use platform::collection::Decision;
use platform::listen::HandleError;

use crate::App;
use crate::model::{self, Order, Ticket};

/// A ticket was listed or changed: both events carry its whole state.
pub async fn ticket(app: App, ticket: TicketState) -> Result<(), HandleError> {
    let copy = |known: Option<&Ticket>| Ok::<_, HandleError>(model::copy(known, &ticket));
    app.tickets.change(&ticket.id, copy).await?;
    Ok(())
}

/// An order's time is up.
pub async fn expired(app: App, expired: OrderExpired) -> Result<(), HandleError> {
    follow(&app, &expired.id, model::expire).await
}

/// A charge was created or updated: both events carry its whole state.
pub async fn charge(app: App, charge: ChargeState) -> Result<(), HandleError> {
    follow(&app, &charge.order_id, |order| model::follow(order, charge.status)).await
}

/// Orders come from here, so an event of an unknown one can never be applied.
async fn follow(
    app: &App,
    id: &str,
    decide: impl Fn(&Order) -> Decision<Order>,
) -> Result<(), HandleError> {
    let follow = |order: Option<&Order>| match order {
        Some(order) => Ok(decide(order)),
        None => Err(HandleError::Permanent(format!("no order {id}"))),
    };
    app.orders.change(id, follow).await?;
    Ok(())
}
