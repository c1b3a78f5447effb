//! The classic mistake: look whether the ticket is held, then insert the hold. Two buyers that
//! look at the same moment both hold it.

use std::sync::Arc;

use async_trait::async_trait;
use bson::doc;
use ports::store::{Find, Index, Store};

use super::{index, ticket};
use crate::{Claim, Lock, LockError, Outcome, Strategy};

/// The strategy, as a planted bug of the rehearsal and as a row of the bench.
pub static STRATEGY: Strategy = Strategy {
    name: "look, then insert",
    about: "Look whether a hold exists, then insert one: wrong, and counted",
    collections: || {
        let of_ticket = Index {
            name: "of-ticket",
            keys: &["ticket"],
            unique: false,
            partial: None,
            expires: false,
        };
        vec![(ticket::TICKETS, Vec::new()), (index::HOLDS, vec![of_ticket])]
    },
    open: |store| Arc::new(LookThenInsert(store)),
    is_lease: false,
};

struct LookThenInsert(Arc<dyn Store>);

#[async_trait]
impl Lock for LookThenInsert {
    async fn list(&self, ticket: &str, price: i64) -> Result<(), LockError> {
        ticket::list(&*self.0, ticket, price).await
    }

    async fn hold(&self, claim: &Claim) -> Result<Outcome, LockError> {
        let price = ticket::price(&ticket::read(&*self.0, &claim.ticket).await?);
        let filter = doc! { "ticket": &claim.ticket, "holding": true };
        let held = self.0.find(index::HOLDS, Find { filter, limit: 1, ..Find::default() }).await?;
        if !held.is_empty() {
            return Ok(Outcome::Taken);
        }
        self.0.insert(index::HOLDS, index::document(claim, price)).await?;
        Ok(Outcome::Held { price })
    }

    async fn release(&self, _ticket: &str, hold: &str) -> Result<(), LockError> {
        index::release(&*self.0, hold).await
    }
}
