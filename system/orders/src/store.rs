//! The mapping of orders and copies of tickets to the database: collections, indexes, queries.
//!
//! The lock on a ticket is an index: at most one order of a ticket is holding. The limit on the
//! open orders of a user is an index too: no two of them occupy the same slot.

use bson::doc;
use platform::collection::{Aggregate, Collection};
use platform::http::Page;
use ports::store::{Find, Index, ReadError, WriteError};

use crate::model::{self, Order, Reservation, Ticket};

/// The index that admits at most one holding order per ticket.
pub const ONE_HOLDER: &str = "one-holder";
/// The index that makes fencing numbers unique per ticket.
pub const ONE_FENCE: &str = "one-fence";

/// The index that admits at most one open order per user and slot.
pub const ONE_SLOT: &str = "one-slot";

/// Upper bound on attempts to hold a ticket: each one after the first means that the ticket was
/// held and released in between, or that another order of the user took the slot.
const MAX_ATTEMPTS: usize = 64;

impl Aggregate for Ticket {
    const COLLECTION: &'static str = "tickets";
}

impl Aggregate for Order {
    const COLLECTION: &'static str = "orders";

    fn indexes() -> Vec<Index> {
        let holding = Some(doc! { "holding": true });
        let open = Some(doc! { "open": true });
        vec![
            Index {
                name: ONE_HOLDER,
                keys: &["ticketId"],
                unique: true,
                partial: holding,
                expires: false,
            },
            Index {
                name: ONE_FENCE,
                keys: &["ticketId", "fence"],
                unique: true,
                partial: None,
                expires: false,
            },
            Index {
                name: ONE_SLOT,
                keys: &["userId", "slot"],
                unique: true,
                partial: open,
                expires: false,
            },
            Index {
                name: "of-user",
                keys: &["userId", "_id"],
                unique: false,
                partial: None,
                expires: false,
            },
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
    /// The buyer's open orders have reached the limit.
    #[error("the buyer has too many open orders")]
    TooMany,
    /// Other orders won every race, and each has released the ticket or the slot.
    #[error("the ticket or the slot is contended")]
    Contended,
    /// The orders of the ticket could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The order could not be inserted, or the outcome of the insert is unknown.
    #[error(transparent)]
    Write(#[from] WriteError),
}

/// Inserts an order that holds the ticket. The insert is the decision: the fencing number and the
/// slot are guesses, and a wrong guess violates `ONE_FENCE` or `ONE_SLOT`. So the limit holds
/// however many requests of the buyer race. The open orders of the buyer are read only after the
/// first slot was taken, and the last order of the ticket only if the ticket has changed since it
/// was listed, or after the first number was taken. If that order holds the ticket, nothing is
/// written.
///
/// A late order may violate several indexes, and the store names any. `ONE_HOLDER` is the answer.
/// After the others, the next attempt has a fresh number and slot, so it can violate only
/// `ONE_HOLDER`, or finds the ticket released.
pub async fn hold(
    orders: &Collection<Order>,
    ticket: &Ticket,
    reservation: &Reservation,
    limit: u32,
) -> Result<Order, HoldError> {
    let mut open = Vec::new();
    // Numbers are given without gaps, so that of the first order is free or shows that it is not
    // the first.
    let mut is_first = ticket.version == 0;
    for _ in 0..MAX_ATTEMPTS {
        let slot = model::free_slot(&open, &reservation.id, limit).ok_or(HoldError::TooMany)?;
        let last = match std::mem::take(&mut is_first) {
            true => None,
            false => last_of(orders, &ticket.id).await?,
        };
        if model::is_held(ticket, last.as_ref()) {
            return Err(HoldError::Held);
        }
        let fence = model::next_fence(ticket, last.as_ref());
        let (order, events) = model::order(ticket, reservation, fence, slot);
        match orders.insert(&order, events).await {
            Ok(()) => return Ok(order),
            Err(WriteError::Duplicate { index }) if index == ONE_HOLDER => {
                return Err(HoldError::Held);
            }
            Err(WriteError::Duplicate { index }) if index == ONE_FENCE => {}
            Err(WriteError::Duplicate { index }) if index == ONE_SLOT => {
                open = open_of(orders, &reservation.user_id, limit).await?;
            }
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

/// Returns the open orders of a user with slots below the limit.
async fn open_of(
    orders: &Collection<Order>,
    user: &str,
    limit: u32,
) -> Result<Vec<Order>, ReadError> {
    let filter = doc! { "userId": user, "open": true, "slot": { "$lt": i64::from(limit) } };
    orders.find(Find { filter, limit, ..Find::default() }).await
}

/// Returns a page of the orders of a user.
pub async fn of_user(
    orders: &Collection<Order>,
    user: &str,
    page: Page,
) -> Result<Vec<Order>, ReadError> {
    orders.find(page.of(doc! { "userId": user })).await
}
