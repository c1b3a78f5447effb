//! A lease document for each ticket, which is free again once its time is up: nothing has to
//! expire it. An upsert decides, and its refusal by the primary key means that the lease runs.

use std::sync::Arc;

use async_trait::async_trait;
use bson::doc;
use ports::Timestamp;
use ports::clock::after;
use ports::store::{Store, Update, WriteError};

use super::ticket;
use crate::{Claim, LEASE, Lock, LockError, Outcome, Strategy};

/// The collection of leases.
const LEASES: &str = "leases";

pub(super) static STRATEGY: Strategy = Strategy {
    name: "lease",
    about: "Upsert the lease of the ticket on the condition that its time is up",
    collections: || vec![(ticket::TICKETS, Vec::new()), (LEASES, Vec::new())],
    open: |store| Arc::new(Lease(store)),
    is_lease: true,
};

struct Lease(Arc<dyn Store>);

fn date(time: Timestamp) -> bson::DateTime {
    bson::DateTime::from_millis(time.as_millisecond())
}

#[async_trait]
impl Lock for Lease {
    async fn list(&self, ticket: &str, price: i64) -> Result<(), LockError> {
        ticket::list(&*self.0, ticket, price).await
    }

    async fn hold(&self, claim: &Claim) -> Result<Outcome, LockError> {
        let price = ticket::price(&ticket::read(&*self.0, &claim.ticket).await?);
        let until = date(after(claim.now, LEASE));
        let take = Update {
            filter: doc! { "_id": &claim.ticket, "until": { "$lte": date(claim.now) } },
            change: doc! { "$set": {
                "until": until,
                "hold": &claim.hold,
                "buyer": &claim.buyer,
                "event": &claim.event,
            } },
            upsert: true,
        };
        match self.0.update(LEASES, take).await {
            Ok(_) => Ok(Outcome::Held { price }),
            Err(WriteError::Duplicate { .. }) => Ok(Outcome::Taken),
            Err(error) => Err(error.into()),
        }
    }

    async fn release(&self, ticket: &str, hold: &str) -> Result<(), LockError> {
        let filter = doc! { "_id": ticket, "hold": hold };
        let change = doc! { "$set": { "until": date(Timestamp::UNIX_EPOCH) } };
        self.0.update(LEASES, Update { filter, change, upsert: false }).await?;
        Ok(())
    }
}
