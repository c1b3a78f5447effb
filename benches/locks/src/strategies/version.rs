//! Optimistic concurrency: the ticket is read with its revision and replaced on the condition that
//! it has not changed; after a change of any kind, the attempt is repeated.

use std::sync::Arc;

use async_trait::async_trait;
use bson::doc;
use ports::store::{Store, Update};

use super::{conditional, ticket};
use crate::{Claim, Lock, LockError, Outcome, Strategy};

/// The most attempts: each one after the first means that another write of the ticket won.
const MAX_ATTEMPTS: usize = 64;

pub(super) static STRATEGY: Strategy = Strategy {
    name: "version",
    about: "Read the ticket; update it if its revision is the one that was read, or try again",
    collections: || vec![(ticket::TICKETS, Vec::new())],
    open: |store| Arc::new(Version(store)),
    is_lease: false,
};

struct Version(Arc<dyn Store>);

#[async_trait]
impl Lock for Version {
    async fn list(&self, ticket: &str, price: i64) -> Result<(), LockError> {
        ticket::list(&*self.0, ticket, price).await
    }

    async fn hold(&self, claim: &Claim) -> Result<Outcome, LockError> {
        for _ in 0..MAX_ATTEMPTS {
            let read = ticket::read(&*self.0, &claim.ticket).await?;
            if ticket::is_held(&read) {
                return Ok(Outcome::Taken);
            }
            let revision = read.get_i64("revision").unwrap_or_default();
            let filter = doc! { "_id": &claim.ticket, "revision": revision };
            let take = Update { filter, ..conditional::take(claim) };
            if self.0.update(ticket::TICKETS, take).await?.is_some() {
                return Ok(Outcome::Held { price: ticket::price(&read) });
            }
        }
        Err(LockError::Contended)
    }

    async fn release(&self, ticket: &str, hold: &str) -> Result<(), LockError> {
        ticket::release(&*self.0, ticket, hold).await
    }
}
