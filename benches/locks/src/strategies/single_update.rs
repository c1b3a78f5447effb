//! One update of the ticket document decides, stores the event, and returns the price: a buyer that
//! gets the ticket reads nothing.

use std::sync::Arc;

use async_trait::async_trait;
use ports::store::Store;

use super::{conditional, ticket};
use crate::{Claim, Lock, LockError, Outcome, Strategy};

pub(super) static STRATEGY: Strategy = Strategy {
    name: "single update",
    about: "Update the ticket if it is free; the update stores the event and returns the price",
    collections: || vec![(ticket::TICKETS, Vec::new())],
    open: |store| Arc::new(SingleUpdate(store)),
    is_lease: false,
};

struct SingleUpdate(Arc<dyn Store>);

#[async_trait]
impl Lock for SingleUpdate {
    async fn list(&self, ticket: &str, price: i64) -> Result<(), LockError> {
        ticket::list(&*self.0, ticket, price).await
    }

    async fn hold(&self, claim: &Claim) -> Result<Outcome, LockError> {
        let taken = self.0.update(ticket::TICKETS, conditional::take(claim)).await?;
        if let Some(ticket) = taken {
            return Ok(Outcome::Held { price: ticket::price(&ticket) });
        }
        // Only the refused read, to tell a ticket that is held from one that is not listed.
        ticket::read(&*self.0, &claim.ticket).await?;
        Ok(Outcome::Taken)
    }

    async fn release(&self, ticket: &str, hold: &str) -> Result<(), LockError> {
        ticket::release(&*self.0, ticket, hold).await
    }
}
