//! The ticket document that all strategies share: its price, and, where the lock is in it, the
//! hold.

use bson::{Document, doc};
use ports::store::{Store, Update, WriteError};

use crate::LockError;

/// The collection of tickets.
pub(super) const TICKETS: &str = "tickets";

/// Inserts a ticket without a hold.
pub(super) async fn list(store: &dyn Store, ticket: &str, price: i64) -> Result<(), LockError> {
    let listed = doc! { "_id": ticket, "price": price, "hold": null, "revision": 0_i64 };
    match store.insert(TICKETS, listed).await {
        Err(WriteError::Duplicate { .. }) | Ok(()) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Reads a ticket.
pub(super) async fn read(store: &dyn Store, ticket: &str) -> Result<Document, LockError> {
    store.get(TICKETS, ticket).await?.ok_or(LockError::NoTicket)
}

/// The price of a ticket.
pub(super) fn price(ticket: &Document) -> i64 {
    ticket.get_i64("price").unwrap_or_default()
}

/// True if the hold of a ticket document has not ended.
pub(super) fn is_held(ticket: &Document) -> bool {
    ticket.get_str("hold").is_ok()
}

/// Ends the hold in a ticket document, if it is still this one.
pub(super) async fn release(store: &dyn Store, ticket: &str, hold: &str) -> Result<(), LockError> {
    let filter = doc! { "_id": ticket, "hold": hold };
    let change = doc! { "$set": { "hold": null }, "$inc": { "revision": 1_i64 } };
    store.update(TICKETS, Update { filter, change, upsert: false }).await?;
    Ok(())
}
