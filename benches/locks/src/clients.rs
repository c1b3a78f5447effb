//! The clients of the desk: what they do, and how an operation becomes a request.

use std::collections::BTreeMap;

use derive_more::Display;
use harness::prelude::*;
use serde::{Deserialize, Serialize};

use crate::desk::{Hold, Listing, Wish};

/// An operation of a client. A ticket goes by its title.
#[derive(Debug, Display, Clone, PartialEq, Serialize, Deserialize)]
pub enum Operation {
    /// The client lists a ticket.
    #[display("{who} lists {ticket} at {price}")]
    List {
        /// The client.
        who: String,
        /// The ticket.
        ticket: String,
        /// The price in cents.
        price: i64,
    },
    /// The client wants to hold a ticket.
    #[display("{who} holds {ticket}")]
    Hold {
        /// The client.
        who: String,
        /// The ticket.
        ticket: String,
    },
    /// The client releases the hold it got last.
    #[display("{who} releases {ticket}")]
    Release {
        /// The client.
        who: String,
        /// The ticket.
        ticket: String,
    },
}

impl harness::subject::Operation for Operation {}

/// The clients of one run: they keep the holds they got.
pub struct Buyers {
    /// True if the lock ends holds by itself.
    pub(crate) is_lease: bool,
    holds: BTreeMap<(String, String), Hold>,
}

impl Buyers {
    /// The clients of a lock that ends holds by itself, or of one that does not.
    pub(crate) fn new(is_lease: bool) -> Self {
        Self { is_lease, holds: BTreeMap::new() }
    }
}

impl Clients for Buyers {
    type Operation = Operation;
    /// The hold that a release is about.
    type Context = Option<String>;

    fn context(&self, operation: &Operation, _: Timestamp) -> Option<String> {
        let Operation::Release { who, ticket } = operation else { return None };
        self.holds.get(&(who.clone(), ticket.clone())).map(|hold| hold.hold.clone())
    }

    fn request(&self, operation: &Operation) -> Option<Request<Bytes>> {
        let (path, body) = match operation {
            Operation::List { ticket, price, .. } => {
                let listing = Listing { ticket: ticket.clone(), price: *price };
                ("/api/tickets", serde_json::to_value(listing))
            }
            Operation::Hold { who, ticket } => {
                let wish = Wish { ticket: ticket.clone(), buyer: who.clone() };
                ("/api/holds", serde_json::to_value(wish))
            }
            Operation::Release { who, ticket } => {
                let hold = self.holds.get(&(who.clone(), ticket.clone()))?;
                ("/api/releases", serde_json::to_value(hold))
            }
        };
        Some(post(path, &body.expect("a body is plain data")))
    }

    fn learn(&mut self, operation: &Operation, reply: &Reply, _: Timestamp) {
        let Operation::Hold { who, ticket } = operation else { return };
        if let Ok(hold) = serde_json::from_value(reply.json().clone()) {
            self.holds.insert((who.clone(), ticket.clone()), hold);
        }
    }
}
