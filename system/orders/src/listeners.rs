//! Events in: listings from tickets, expiries from expiration, and charges from payments.

use std::convert::Infallible;

use contracts::{ChargeState, OrderExpired, TicketState};
use platform::collection::Decision;
use platform::listen::HandleError;

use crate::app::App;
use crate::model::{self, Order, Ticket};

/// Copies a ticket that was listed or changed: both events carry its whole state.
pub async fn ticket(app: App, ticket: TicketState) -> Result<(), HandleError> {
    let copy = |known: Option<&Ticket>| Ok::<_, Infallible>(model::copy(known, &ticket));
    app.tickets.change(&ticket.id, copy).await?;
    Ok(())
}

/// Ends the order whose reservation window has ended.
pub async fn expired(app: App, expired: OrderExpired) -> Result<(), HandleError> {
    follow(&app, &expired.id, model::expire).await
}

/// Follows the charge of an order: both events carry its whole state.
pub async fn charge(app: App, charge: ChargeState) -> Result<(), HandleError> {
    follow(&app, &charge.order_id, |order| model::follow(order, charge.status)).await
}

/// Applies an event to its order. Orders are created here, so an event of an unknown one can
/// never be applied.
async fn follow(
    app: &App,
    id: &str,
    decide: impl Fn(&Order) -> Decision<Order>,
) -> Result<(), HandleError> {
    let follow = |order: Option<&Order>| match order {
        Some(order) => Ok(decide(order)),
        None => Err(HandleError::permanent(format!("unknown order {id}"))),
    };
    app.orders.change(id, follow).await?;
    Ok(())
}
