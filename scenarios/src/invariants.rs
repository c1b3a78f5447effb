//! What the system promises, each promise once: checked after every run, in both worlds,
//! from the trace and the final stores.
//!
//! A check only reads its [`Evidence`]. Adding a promise is adding a file and a line in
//! [`ALL`].

pub mod evidence;

mod bans;
mod copies;
mod expiry;
mod frozen;
mod linear;
mod money;
mod one_holder;
mod panics;
mod rest;
mod schema;

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
