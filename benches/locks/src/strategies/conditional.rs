//! A read of the ticket document refuses most losers, and a conditional update of it decides.

use std::sync::Arc;

use async_trait::async_trait;
use bson::doc;
use ports::store::{Store, Update};

use super::ticket;
use crate::{Claim, Lock, LockError, Outcome, Strategy};

pub(super) static STRATEGY: Strategy = Strategy {
    name: "conditional update",
    about: "Read the ticket; if it is free, update it on the condition that it still is",
    collections: || vec![(ticket::TICKETS, Vec::new())],
    open: |store| Arc::new(ConditionalUpdate(store)),
    is_lease: false,
};

struct ConditionalUpdate(Arc<dyn Store>);

/// The update that takes a free ticket, with the event of the hold.
pub(super) fn take(claim: &Claim) -> Update {
    Update {
        filter: doc! { "_id": &claim.ticket, "hold": null },
        change: doc! {
            "$set": { "hold": &claim.hold, "buyer": &claim.buyer, "event": &claim.event },
            "$inc": { "revision": 1_i64 },
        },
        upsert: false,
    }
}

#[async_trait]
impl Lock for ConditionalUpdate {
    async fn list(&self, ticket: &str, price: i64) -> Result<(), LockError> {
        ticket::list(&*self.0, ticket, price).await
    }

    async fn hold(&self, claim: &Claim) -> Result<Outcome, LockError> {
        if ticket::is_held(&ticket::read(&*self.0, &claim.ticket).await?) {
            return Ok(Outcome::Taken);
        }
        let taken = self.0.update(ticket::TICKETS, take(claim)).await?;
        let held = |ticket| Outcome::Held { price: ticket::price(&ticket) };
        Ok(taken.map_or(Outcome::Taken, held))
    }

    async fn release(&self, ticket: &str, hold: &str) -> Result<(), LockError> {
        ticket::release(&*self.0, ticket, hold).await
    }
}
