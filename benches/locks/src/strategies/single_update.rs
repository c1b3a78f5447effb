//! One update of the ticket document decides, stores the event, and returns the price: no read
//! before it.

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

    /// A ticket that is not listed counts as taken: telling the two apart would take a read.
    async fn hold(&self, claim: &Claim) -> Result<Outcome, LockError> {
        let taken = self.0.update(ticket::TICKETS, conditional::take(claim)).await?;
        let held = |ticket| Outcome::Held { price: ticket::price(&ticket) };
        Ok(taken.map_or(Outcome::Taken, held))
    }

    async fn release(&self, ticket: &str, hold: &str) -> Result<(), LockError> {
        ticket::release(&*self.0, ticket, hold).await
    }
}
