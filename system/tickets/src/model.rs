//! The ticket, and every decision on it. Nothing here reads or writes anything.

use contracts::{Cents, OrderState, TicketCreated, TicketState, TicketUpdated};
use platform::collection::Decision;
use platform::event::Emit;
use serde::{Deserialize, Serialize};

/// A ticket for sale.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Ticket {
    /// Its id.
    #[serde(rename = "_id")]
    pub id: String,
    /// What it admits to.
    pub title: String,
    /// Its price.
    pub price: Cents,
    /// Who sells it.
    pub user_id: String,
    /// The order that holds it.
    pub order_id: Option<String>,
    /// The newest fencing number that was applied: holds are even, releases odd.
    pub fence: i64,
    /// One higher with each change.
    pub version: i64,
}

/// What a seller says of a ticket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing {
    /// What it admits to.
    pub title: String,
    /// Its price.
    pub price: Cents,
}

/// Why an edit is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// There is no such ticket.
    NotFound,
    /// It is somebody else's.
    NotOwner,
    /// An order holds it, and the buyer was shown its price.
    Reserved,
}

/// Lists a new ticket.
pub fn list(id: String, seller: String, listing: Listing) -> (Ticket, Vec<Emit>) {
    let ticket = Ticket {
        id,
        title: listing.title,
        price: listing.price,
        user_id: seller,
        order_id: None,
        fence: 0,
        version: 0,
    };
    let event = Emit::new(&TicketCreated(ticket.state()));
    (ticket, vec![event])
}

/// Edits a ticket, unless an order holds it.
pub fn edit(
    ticket: Option<&Ticket>,
    by: &str,
    listing: &Listing,
) -> Result<Decision<Ticket>, Refused> {
    let ticket = ticket.ok_or(Refused::NotFound)?;
    if ticket.user_id != by {
        return Err(Refused::NotOwner);
    }
    if ticket.order_id.is_some() {
        return Err(Refused::Reserved);
    }
    Ok(ticket.next(|next| {
        next.title.clone_from(&listing.title);
        next.price = listing.price;
    }))
}

/// Follows an order that holds the ticket or has let it go. Only a newer fencing number
/// counts: a late or repeated event of an old order changes nothing.
pub fn follow(ticket: &Ticket, order: &OrderState) -> Decision<Ticket> {
    if order.ticket.fence <= ticket.fence {
        return Decision::Keep;
    }
    ticket.next(|next| {
        next.fence = order.ticket.fence;
        next.order_id = order.status.holds().then(|| order.id.clone());
    })
}

impl Ticket {
    fn next(&self, change: impl FnOnce(&mut Self)) -> Decision<Self> {
        let mut next = self.clone();
        change(&mut next);
        next.version += 1;
        let event = Emit::new(&TicketUpdated(next.state()));
        Decision::Write(next, vec![event])
    }

    fn state(&self) -> TicketState {
        TicketState {
            id: self.id.clone(),
            title: self.title.clone(),
            price: self.price,
            user_id: self.user_id.clone(),
            order_id: self.order_id.clone(),
            version: self.version,
        }
    }
}

#[cfg(test)]
mod tests;
