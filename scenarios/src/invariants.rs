//! What the system promises, each promise once: checked after every run, in both worlds,
//! from the trace and the final stores.
//!
//! A check only reads its [`Evidence`]. Adding a promise is adding a file and a line in
//! [`ALL`].

pub mod evidence;

mod acks;
mod addresses;
mod answers;
mod bans;
mod changes;
mod copies;
mod expiry;
mod frozen;
mod in_order;
mod letters;
mod linear;
mod money;
mod once;
mod one_holder;
mod panics;
mod refusals;
mod rest;
mod sale;
mod schema;
mod sessions;
mod versions;
mod word;

pub use evidence::Evidence;

/// A promise and its check.
#[derive(Debug, Clone, Copy)]
pub struct Invariant {
    /// Its name in reports.
    pub name: &'static str,
    /// What is promised.
    pub promise: &'static str,
    /// How it was broken, a sentence each; empty where it held.
    pub check: fn(&Evidence) -> Vec<String>,
}

/// All promises.
pub const ALL: &[Invariant] = &[
    Invariant {
        name: "one-holder",
        promise: "A ticket is held by at most one live order at any time",
        check: one_holder::check,
    },
    Invariant {
        name: "linearizable",
        promise: "What buyers are told of a ticket, its holds and its releases fit in one order",
        check: linear::check,
    },
    Invariant {
        name: "paid-once",
        promise: "A completed order has exactly one charge that is not refunded, at the price that the buyer was shown",
        check: money::paid_once,
    },
    Invariant {
        name: "no-money-kept",
        promise: "A cancelled order has no charge that is not refunded",
        check: money::none_kept,
    },
    Invariant {
        name: "ledgers-agree",
        promise: "The provider's ledger agrees with the charges, cent for cent",
        check: money::ledgers_agree,
    },
    Invariant {
        name: "frozen-while-held",
        promise: "No edit is accepted while the ticket is held",
        check: frozen::check,
    },
    Invariant {
        name: "expiry",
        promise: "No hold outlives its time unless it was paid",
        check: expiry::check,
    },
    Invariant {
        name: "expires-once",
        promise: "That the time of an order is up is told once",
        check: expiry::told_once,
    },
    Invariant {
        name: "rest",
        promise: "When the system comes to rest every outbox is empty and no timer is overdue",
        check: rest::check,
    },
    Invariant {
        name: "copies",
        promise: "When the system comes to rest every copy equals its origin",
        check: copies::check,
    },
    Invariant {
        name: "schema",
        promise: "Every event published validates against its schema",
        check: schema::check,
    },
    Invariant {
        name: "bans",
        promise: "A banned user is refused by every instance that the ban has reached",
        check: bans::check,
    },
    Invariant {
        name: "refunds",
        promise: "Money moves back only where its order is cancelled",
        check: money::refunded_for_a_reason,
    },
    Invariant {
        name: "never-back",
        promise: "No document goes back to an older version or fencing number",
        check: versions::check,
    },
    Invariant {
        name: "ack-last",
        promise: "A message is acknowledged when its write is in the store, and not before",
        check: acks::check,
    },
    Invariant {
        name: "applied-once",
        promise: "A message changes a document once, however often it is delivered",
        check: once::check,
    },
    Invariant {
        name: "changes-told",
        promise: "Every change is told of once, and nothing is told that did not happen",
        check: changes::check,
    },
    Invariant {
        name: "told-in-order",
        promise: "The changes of a document are told of in the order in which they were made",
        check: in_order::check,
    },
    Invariant {
        name: "dead-letters",
        promise: "No message is given up on unless enough went wrong",
        check: letters::check,
    },
    Invariant {
        name: "answers",
        promise: "Every answer is one that the contract knows, and 503 comes only where something went wrong",
        check: answers::check,
    },
    Invariant {
        name: "kept-word",
        promise: "What was accepted is in the store as its asker was told",
        check: word::check,
    },
    Invariant {
        name: "fair-refusals",
        promise: "Nobody is told that a ticket is reserved unless somebody else had it meanwhile",
        check: refusals::check,
    },
    Invariant {
        name: "for-sale",
        promise: "When the system comes to rest the tickets that are listed are those that can be reserved",
        check: sale::check,
    },
    Invariant {
        name: "sessions",
        promise: "A session ends when its time is over",
        check: sessions::check,
    },
    Invariant {
        name: "one-address",
        promise: "An address belongs to one user",
        check: addresses::check,
    },
    Invariant { name: "no-panic", promise: "No service panics", check: panics::check },
];

/// A promise that was broken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// The promise's name.
    pub invariant: &'static str,
    /// How, in a sentence.
    pub how: String,
}

impl std::fmt::Display for Violation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.invariant, self.how)
    }
}

/// Every promise that this evidence shows broken.
pub fn violations(evidence: &Evidence) -> Vec<Violation> {
    let check = |invariant: &Invariant| {
        let name = invariant.name;
        let broken = (invariant.check)(evidence).into_iter();
        broken.map(|how| Violation { invariant: name, how }).collect::<Vec<_>>()
    };
    ALL.iter().flat_map(check).collect()
}

#[cfg(test)]
mod tests;
