//! The mapping of orders and copies of tickets to the database: collections, indexes, queries.
//!
//! The lock on a ticket is an index: at most one order of a ticket is holding.

use bson::doc;
use platform::collection::{Aggregate, Collection};
use platform::http::Page;
use ports::store::{Find, Index, ReadError, WriteError};

use crate::model::{self, Order, Reservation, Ticket};

/// The index that admits at most one holding order per ticket.
pub const ONE_HOLDER: &str = "one-holder";
/// The index that makes fencing numbers unique per ticket.
pub const ONE_FENCE: &str = "one-fence";

/// Upper bound on attempts to hold a ticket: each one after the first means that the ticket was
/// held and released in between.
const MAX_ATTEMPTS: usize = 64;

impl Aggregate for Ticket {
    const COLLECTION: &'static str = "tickets";
}

impl Aggregate for Order {
    const COLLECTION: &'static str = "orders";

    fn indexes() -> Vec<Index> {
        let holding = Some(doc! { "holding": true });
        vec![
            Index { name: ONE_HOLDER, keys: &["ticketId"], unique: true, partial: holding },
            Index { name: ONE_FENCE, keys: &["ticketId", "fence"], unique: true, partial: None },
            Index { name: "of-user", keys: &["userId", "_id"], unique: false, partial: None },
        ]
    }
}

/// A failed attempt to hold a ticket.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HoldError {
    /// Another order holds the ticket.
    #[error("another order holds the ticket")]
    Held,
    /// Other orders won every race, and each has released the ticket.
    #[error("the ticket is contended")]
    Contended,
    /// The orders of the ticket could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The order could not be inserted, or the outcome of the insert is unknown.
    #[error(transparent)]
    Write(#[from] WriteError),
}

/// Inserts an order that holds the ticket. The insert is the decision: the last fencing number
/// is read only to guess the next one, and an outdated guess violates `ONE_FENCE`.
///
/// A late order may violate both indexes, and the store names either. `ONE_HOLDER` is the
/// answer. After `ONE_FENCE`, the next attempt has a fresh number, so it can violate only
/// `ONE_HOLDER`, or finds the ticket released.
pub async fn hold(
    orders: &Collection<Order>,
    ticket: &Ticket,
    reservation: &Reservation,
) -> Result<Order, HoldError> {
    for _ in 0..MAX_ATTEMPTS {
        let last = last_of(orders, &ticket.id).await?;
        let fence = model::next_fence(last.as_ref());
        let (order, events) = model::order(ticket, reservation, fence);
        match orders.insert(&order, events).await {
            Ok(()) => return Ok(order),
            Err(WriteError::Duplicate { index }) if index == ONE_HOLDER => {
                return Err(HoldError::Held);
            }
            Err(WriteError::Duplicate { index }) if index == ONE_FENCE => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(HoldError::Contended)
}

/// Returns the order of a ticket with the highest fencing number.
async fn last_of(orders: &Collection<Order>, ticket: &str) -> Result<Option<Order>, ReadError> {
    let filter = doc! { "ticketId": ticket };
    let found = orders.find(Find { filter, sort: doc! { "fence": -1 }, limit: 1 }).await?;
    Ok(found.into_iter().next())
}

/// Returns a page of the orders of a user.
pub async fn of_user(
    orders: &Collection<Order>,
    user: &str,
    page: Page,
) -> Result<Vec<Order>, ReadError> {
    orders.find(page.of(doc! { "userId": user })).await
}
