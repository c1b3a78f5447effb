//! Ways to lock a ticket for one buyer, side by side: each behind the trait [`Lock`], each
//! rehearsed by the same invariant, and each measured by the bench `contention`.
//!
//! A lock has to decide which of the buyers that ask at the same moment holds the ticket, to
//! return the price that the holder was shown, and to store an event with the decision, so that
//! neither exists without the other.
//!
//! ```
//! use std::sync::Arc;
//!
//! use locks::{Claim, LockError, Outcome, STRATEGIES};
//! use ports::Timestamp;
//! use ports::store::Store;
//! use sim::kernel::{Kernel, drive};
//! use sim::scheduler::Fifo;
//! use sim::store::{SimDatabase, SimStore};
//!
//! for strategy in STRATEGIES {
//!     let now = Timestamp::UNIX_EPOCH;
//!     let kernel = Kernel::new(now, Box::new(Fifo));
//!     let store = SimStore::new(kernel.clone(), 0, "desk", SimDatabase::new());
//!     let decided = drive(&kernel, async move {
//!         for (collection, indexes) in (strategy.collections)() {
//!             store.ensure(collection, &indexes).await?;
//!         }
//!         let lock = (strategy.open)(Arc::new(store));
//!         lock.list("Opera", 2000).await?;
//!         let (anna, ben) = ("hold 1", "hold 2");
//!         let first = lock.hold(&Claim::new("Opera", anna, "Anna", now)).await?;
//!         let second = lock.hold(&Claim::new("Opera", ben, "Ben", now)).await?;
//!         lock.release("Opera", anna).await?;
//!         let third = lock.hold(&Claim::new("Opera", ben, "Ben", now)).await?;
//!         Ok::<_, LockError>([first, second, third])
//!     });
//!     let held = Outcome::Held { price: 2000 };
//!     assert_eq!(decided.unwrap(), [held, Outcome::Taken, held], "{}", strategy.name);
//! }
//! ```
//!
//! Next: [`strategies`], the ways; [`subject`], the rehearsal of them.

pub mod clients;
pub mod desk;
mod linearizable;
pub mod strategies;
pub mod subject;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use ports::Timestamp;
use ports::store::{Index, ReadError, Store, WriteError};

pub use strategies::STRATEGIES;

/// The time for which a hold lasts where the lock itself ends it.
pub const LEASE: Duration = Duration::from_secs(15 * 60);

/// A way to lock tickets.
pub struct Strategy {
    /// Its name on the page of the bench.
    pub name: &'static str,
    /// The way in a sentence.
    pub about: &'static str,
    /// The collections that it needs, with their indexes.
    pub collections: fn() -> Vec<(&'static str, Vec<Index>)>,
    /// The lock over a database.
    pub open: fn(Arc<dyn Store>) -> Arc<dyn Lock>,
    /// True if the lock ends a hold by itself after [`LEASE`].
    pub is_lease: bool,
}

/// A buyer's attempt to hold a ticket.
#[derive(Debug, Clone)]
pub struct Claim {
    /// The id of the ticket.
    pub ticket: String,
    /// The id of the hold.
    pub hold: String,
    /// The buyer.
    pub buyer: String,
    /// The current time.
    pub now: Timestamp,
    /// The event that is stored with the decision.
    pub event: String,
}

impl Claim {
    /// A claim with an event as large as that of an order.
    pub fn new(ticket: &str, hold: &str, buyer: &str, now: Timestamp) -> Self {
        Self {
            ticket: ticket.to_owned(),
            hold: hold.to_owned(),
            buyer: buyer.to_owned(),
            now,
            event: "x".repeat(400),
        }
    }
}

/// The decision on a claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The claim holds the ticket.
    Held {
        /// The price in cents that the ticket had at that moment.
        price: i64,
    },
    /// Another one does.
    Taken,
}

/// A claim or a release that was not decided.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LockError {
    /// The ticket is not listed.
    #[error("no such ticket")]
    NoTicket,
    /// Other writers won every attempt.
    #[error("the ticket is contended")]
    Contended,
    /// The store could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The store did not write, or the outcome of the write is unknown.
    #[error(transparent)]
    Write(#[from] WriteError),
}

/// A lock on tickets.
#[async_trait]
pub trait Lock: Send + Sync {
    /// Lists a ticket, free, at a price in cents.
    async fn list(&self, ticket: &str, price: i64) -> Result<(), LockError>;

    /// Decides whether the claim holds its ticket.
    async fn hold(&self, claim: &Claim) -> Result<Outcome, LockError>;

    /// Ends a hold. A hold that has ended already is left alone, whoever holds the ticket now.
    async fn release(&self, ticket: &str, hold: &str) -> Result<(), LockError>;
}
