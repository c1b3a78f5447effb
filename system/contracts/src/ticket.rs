//! Events of tickets, from tickets.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Cents, events};

/// A ticket as it is for sale.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TicketState {
    /// The ticket's id.
    pub id: String,
    /// What it admits to.
    pub title: String,
    /// Its price in cents.
    pub price: Cents,
    /// Who sells it.
    pub user_id: String,
    /// The order that holds it.
    pub order_id: Option<String>,
    /// The ticket's version.
    pub version: i64,
}

events!(TicketState by id:
    /// A ticket was listed.
    TicketCreated = "ticket.created",
    /// A ticket was edited, held or released.
    TicketUpdated = "ticket.updated",
);
