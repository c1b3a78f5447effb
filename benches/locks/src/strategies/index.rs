//! A unique partial index admits one holding document for each ticket; the insert decides.
//! The orders service locks this way.

use std::sync::Arc;

use async_trait::async_trait;
use bson::{Document, doc};
use ports::store::{Index, Store, Update, WriteError};

use super::ticket;
use crate::{Claim, Lock, LockError, Outcome, Strategy};

/// The collection of holds.
pub(super) const HOLDS: &str = "holds";

/// The index that admits one holder.
const ONE_HOLDER: &str = "one-holder";

pub(super) static STRATEGY: Strategy = Strategy {
    name: "unique index",
    about: "Insert a hold; a unique partial index admits one for each ticket",
    collections: || {
        let partial = Some(doc! { "holding": true });
        let index =
            Index { name: ONE_HOLDER, keys: &["ticket"], unique: true, partial, expires: false };
        vec![(ticket::TICKETS, Vec::new()), (HOLDS, vec![index])]
    },
    open: |store| Arc::new(UniqueIndex(store)),
    is_lease: false,
};

struct UniqueIndex(Arc<dyn Store>);

/// The document of a hold.
pub(super) fn document(claim: &Claim, price: i64) -> Document {
    doc! {
        "_id": &claim.hold,
        "ticket": &claim.ticket,
        "buyer": &claim.buyer,
        "price": price,
        "holding": true,
        "event": &claim.event,
    }
}

/// Ends a hold that has a document.
pub(super) async fn release(store: &dyn Store, hold: &str) -> Result<(), LockError> {
    let filter = doc! { "_id": hold, "holding": true };
    let change = doc! { "$set": { "holding": false } };
    store.update(HOLDS, Update { filter, change, upsert: false }).await?;
    Ok(())
}

#[async_trait]
impl Lock for UniqueIndex {
    async fn list(&self, ticket: &str, price: i64) -> Result<(), LockError> {
        ticket::list(&*self.0, ticket, price).await
    }

    async fn hold(&self, claim: &Claim) -> Result<Outcome, LockError> {
        let price = ticket::price(&ticket::read(&*self.0, &claim.ticket).await?);
        match self.0.insert(HOLDS, document(claim, price)).await {
            Ok(()) => Ok(Outcome::Held { price }),
            Err(WriteError::Duplicate { index }) if index == ONE_HOLDER => Ok(Outcome::Taken),
            Err(error) => Err(error.into()),
        }
    }

    async fn release(&self, _ticket: &str, hold: &str) -> Result<(), LockError> {
        release(&*self.0, hold).await
    }
}
