//! The ticket document, and every decision on it: pure functions without I/O.

use contracts::{Cents, OrderState, TicketCreated, TicketState, TicketUpdated};
use platform::collection::Decision;
use platform::event::Emit;
use platform::renewal::Renewed;
use serde::{Deserialize, Serialize};

/// A ticket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Ticket {
    /// The ticket's id.
    pub id: String,
    /// The event that it admits to.
    pub title: String,
    /// The price in cents.
    pub price: Cents,
    /// The seller's user id.
    pub user_id: String,
    /// The order that holds it; `None` for a ticket that is for sale.
    pub order_id: Option<String>,
    /// The highest fencing number applied so far: holds are even, releases odd.
    pub fence: i64,
    /// Incremented by every change.
    pub version: i64,
}

/// The part of a ticket that its seller sets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing {
    /// The event that it admits to.
    pub title: String,
    /// The price in cents.
    pub price: Cents,
}

/// A refused edit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EditError {
    /// The ticket does not exist.
    #[error("no such ticket")]
    NotFound,
    /// The caller is not the seller.
    #[error("the ticket belongs to another seller")]
    NotOwner,
    /// An order holds the ticket, at the price that the buyer was shown.
    #[error("the ticket is reserved")]
    Reserved,
}

/// Lists a new ticket.
#[must_use]
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
) -> Result<Decision<Ticket>, EditError> {
    let ticket = ticket.ok_or(EditError::NotFound)?;
    if ticket.user_id != by {
        return Err(EditError::NotOwner);
    }
    if ticket.order_id.is_some() {
        return Err(EditError::Reserved);
    }
    Ok(ticket.next(|next| {
        next.title.clone_from(&listing.title);
        next.price = listing.price;
    }))
}

/// Follows an order that holds or has released the ticket. Only a higher fencing number counts:
/// a late or repeated event of an old order changes nothing.
#[must_use]
pub fn follow(ticket: &Ticket, order: &OrderState) -> Decision<Ticket> {
    if order.ticket.fence <= ticket.fence {
        return Decision::Superseded;
    }
    ticket.next(|next| {
        next.fence = order.ticket.fence;
        next.order_id = order.status.holds().then(|| order.id.clone());
    })
}

impl Renewed for Ticket {
    fn newest(&self) -> Vec<Emit> {
        vec![match self.version {
            0 => Emit::new(&TicketCreated(self.state())),
            _ => Emit::new(&TicketUpdated(self.state())),
        }]
    }

    fn has_ended(&self) -> bool {
        self.order_id.is_some()
    }
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
            fence: self.fence,
            version: self.version,
        }
    }
}

#[cfg(test)]
mod tests;
