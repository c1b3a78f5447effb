//! Events of tickets, published by tickets.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::money::Cents;

/// A ticket for sale.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TicketState {
    /// The ticket's id.
    pub id: String,
    /// The event that it admits to.
    pub title: String,
    /// The price in cents.
    pub price: Cents,
    /// The seller's user id.
    pub user_id: String,
    /// The order that holds it.
    pub order_id: Option<String>,
    /// The highest fencing number of an order that the ticket has followed; 0 for none. The next
    /// order has a higher one, even where no order of the ticket is left.
    #[serde(default)]
    pub fence: i64,
    /// The ticket's version.
    pub version: i64,
}

platform::events! {
    /// Every event of a ticket.
    pub TICKET_EVENTS of TicketState, from "tickets" to ["orders"]:
    /// A ticket was listed.
    TicketCreated = "ticket.created",
    /// A ticket was edited, reserved or released.
    TicketUpdated = "ticket.updated";
}
