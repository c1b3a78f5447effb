//! How orders and copies of tickets lie in the database, and what is asked of them there.
//!
//! The lock on a ticket is an index: of the orders of one ticket, one at most is holding.

use bson::doc;
use platform::collection::{Aggregate, Collection};
use ports::store::{Find, Index, ReadError, WriteError};

use crate::model::{self, Order, Reservation, Ticket};

/// One order of a ticket at most has it.
const ONE_HOLDER: &str = "one-holder";
/// No two orders of a ticket have the same fencing number.
const ONE_FENCE: &str = "one-fence";

/// How often a hold is tried anew: each time, the ticket was held and let go in between.
const ATTEMPTS: usize = 64;

impl Aggregate for Ticket {
    const COLLECTION: &'static str = "tickets";

    fn indexes() -> Vec<Index> {
        Vec::new()
    }

    fn id(&self) -> &str {
        &self.id
    }
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

    fn id(&self) -> &str {
        &self.id
    }
}

/// Why a ticket could not be held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HoldError {
    /// Another order has it.
    Held,
    /// Others were faster time and again, and each has let it go.
    Contended,
    /// The orders could not be read.
    Read(ReadError),
    /// The order could not be written, or perhaps it was.
    Write(WriteError),
}

/// Inserts an order that holds the ticket. The insert is the decision: the number is read
/// only to guess the next one, and a guess that is out of date breaks `ONE_FENCE`.
///
/// An order that is too late may break both indexes, and the store names either. Named
/// `ONE_HOLDER`, that is the answer. Named `ONE_FENCE`, the next attempt has a number of
/// its own, and so can break only `ONE_HOLDER`, or meets a ticket that is free again.
pub async fn hold(
    orders: &Collection<Order>,
    ticket: &Ticket,
    reservation: &Reservation,
) -> Result<Order, HoldError> {
    for _ in 0..ATTEMPTS {
        let last = last_of(orders, &ticket.id).await.map_err(HoldError::Read)?;
        let fence = model::next_fence(last.as_ref());
        let (order, events) = model::order(ticket, reservation, fence);
        match orders.insert(&order, events).await {
            Ok(()) => return Ok(order),
            Err(WriteError::Duplicate { index }) if index == ONE_HOLDER => {
                return Err(HoldError::Held);
            }
            Err(WriteError::Duplicate { index }) if index == ONE_FENCE => {}
            Err(error) => return Err(HoldError::Write(error)),
        }
    }
    Err(HoldError::Contended)
}

/// The newest order of a ticket.
async fn last_of(orders: &Collection<Order>, ticket: &str) -> Result<Option<Order>, ReadError> {
    let filter = doc! { "ticketId": ticket };
    let found = orders.find(Find { filter, sort: doc! { "fence": -1 }, limit: 1 }).await?;
    Ok(found.into_iter().next())
}

/// The orders of a user, newest first.
pub async fn of_user(orders: &Collection<Order>, user: &str) -> Result<Vec<Order>, ReadError> {
    let filter = doc! { "userId": user };
    orders.find(Find { filter, sort: doc! { "_id": -1 }, limit: 0 }).await
}
