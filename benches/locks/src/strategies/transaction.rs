//! A transaction reads the ticket, marks it, and inserts the hold. It needs a replica set and the
//! driver: the store port has no transactions. A conflict with another transaction repeats it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use adapters::mongo::Mongo;
use async_trait::async_trait;
use bson::{Document, doc};
use mongodb::error::{Error, TRANSIENT_TRANSACTION_ERROR, UNKNOWN_TRANSACTION_COMMIT_RESULT};
use mongodb::{Client, ClientSession, Database};
use ports::store::{ReadError, WriteError};

use super::{index, ticket};
use crate::{Claim, Lock, LockError, Outcome};

/// The most attempts: each one after the first means that another transaction won.
const MAX_ATTEMPTS: usize = 200;

/// The lock over a database of a replica set.
#[derive(Debug)]
pub struct Transaction {
    client: Client,
    database: Database,
    store: Mongo,
    /// The attempts that the server aborted, for a bench.
    aborted: Arc<AtomicU64>,
}

impl Transaction {
    /// Locks in the database of this name, and counts the attempts that the server aborts.
    pub fn open(client: &Client, database: &str, aborted: Arc<AtomicU64>) -> Arc<Self> {
        let store = Mongo::with_client(client, database);
        let database = client.database(database);
        Arc::new(Self { client: client.clone(), database, store, aborted })
    }

    /// One attempt, which fails with [`TRANSIENT_TRANSACTION_ERROR`] if another transaction won.
    async fn attempt(&self, session: &mut ClientSession, claim: &Claim) -> Result<Outcome, Error> {
        session.start_transaction().await?;
        let tickets = self.database.collection::<Document>(ticket::TICKETS);
        let found = tickets.find_one(doc! { "_id": &claim.ticket }).session(&mut *session).await?;
        let Some(free) = found.filter(|found| !ticket::is_held(found)) else {
            session.abort_transaction().await?;
            return Ok(Outcome::Taken);
        };
        let price = ticket::price(&free);
        // Reads do not conflict. This write does, so of two transactions that both read the
        // ticket as free, one fails.
        let mark = doc! { "$set": { "hold": &claim.hold } };
        tickets.update_one(doc! { "_id": &claim.ticket }, mark).session(&mut *session).await?;
        let holds = self.database.collection::<Document>(index::HOLDS);
        holds.insert_one(index::document(claim, price)).session(&mut *session).await?;
        session.commit_transaction().await?;
        Ok(Outcome::Held { price })
    }
}

/// The error of the driver as one of a lock.
fn lock_error(error: &Error) -> LockError {
    if error.contains_label(UNKNOWN_TRANSACTION_COMMIT_RESULT) {
        return WriteError::Unknown(error.to_string()).into();
    }
    ReadError::Unavailable(error.to_string()).into()
}

#[async_trait]
impl Lock for Transaction {
    async fn list(&self, ticket: &str, price: i64) -> Result<(), LockError> {
        ticket::list(&self.store, ticket, price).await
    }

    async fn hold(&self, claim: &Claim) -> Result<Outcome, LockError> {
        let mut session = self.client.start_session().await.map_err(|e| lock_error(&e))?;
        for _ in 0..MAX_ATTEMPTS {
            match self.attempt(&mut session, claim).await {
                Ok(outcome) => return Ok(outcome),
                Err(error) if error.contains_label(TRANSIENT_TRANSACTION_ERROR) => {
                    self.aborted.fetch_add(1, Ordering::Relaxed);
                    // The server has aborted it already; this only resets the session.
                    drop(session.abort_transaction().await);
                }
                Err(error) => return Err(lock_error(&error)),
            }
        }
        Err(LockError::Contended)
    }

    async fn release(&self, ticket: &str, hold: &str) -> Result<(), LockError> {
        index::release(&self.store, hold).await?;
        ticket::release(&self.store, ticket, hold).await
    }
}
