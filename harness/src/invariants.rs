//! Invariants: what must hold after every run.
//!
//! A subject adds its own ([`Invariant`](crate::subject::Invariant)). The generic invariants of
//! this module need only the declarations of a subject and are checked for every subject. A check
//! only reads evidence. To add one, add a file and an entry in `GENERIC`.

mod acknowledged;
pub mod acknowledgements;
mod applied_once;
mod copies;
mod dead_letters;
mod envelopes;
mod never_back;
mod outboxes;
mod panics;
mod payloads;
mod prompt;
mod published;
mod published_in_order;
mod schemas;

use platform::catalogue::Entry;
use serde::{Deserialize, Serialize};

use crate::evidence::{Facts, Needs};
use crate::quiescence::NotQuiescent;

pub use copies::Copy;

/// The name of the invariant that a system violates by never reaching quiescence.
pub const QUIESCENCE: &str = "quiescence";

/// An invariant by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Statement {
    /// Its name in reports.
    pub name: &'static str,
    /// The condition that must hold, as a sentence.
    pub statement: &'static str,
    /// The evidence that it reads.
    pub needs: Needs,
}

impl Statement {
    /// An invariant of the outcome.
    const fn of_outcome(name: &'static str, statement: &'static str) -> Self {
        Self { name, statement, needs: Needs::Outcome }
    }

    /// An invariant of the trace.
    const fn of_trace(name: &'static str, statement: &'static str) -> Self {
        Self { name, statement, needs: Needs::Trace }
    }
}

/// A violation of an invariant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Violation {
    /// The name of the invariant.
    pub invariant: String,
    /// The violation, as a sentence.
    pub how: String,
}

impl std::fmt::Display for Violation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.invariant, self.how)
    }
}

impl From<NotQuiescent> for Violation {
    fn from(why: NotQuiescent) -> Self {
        Self { invariant: QUIESCENCE.to_owned(), how: why.to_string() }
    }
}

/// The declarations of a subject that the generic invariants need.
pub struct Declared<'a> {
    /// Its events.
    pub events: &'a [Entry],
    /// Its copies.
    pub copies: &'a [Copy],
    /// The fields that never decrease.
    pub monotonic_fields: &'a [&'static str],
}

/// The check of a generic invariant.
type Check = fn(&Facts, &Declared<'_>) -> Vec<String>;

/// The generic invariants, the most severe for users first.
const GENERIC: &[(Statement, Check)] = &[
    (
        Statement::of_outcome(
            "copies-converge",
            "Once the system is quiescent, a copy equals its origin",
        ),
        copies::check,
    ),
    (
        Statement::of_trace(
            "applied-once",
            "A message changes a document at most once, regardless of redeliveries",
        ),
        applied_once::check,
    ),
    (
        Statement::of_trace("never-back", "A document never returns to an older version"),
        never_back::check,
    ),
    (
        Statement::of_trace(
            "acknowledged-after-write",
            "A message is acknowledged only after its write",
        ),
        acknowledged::check,
    ),
    (
        Statement::of_outcome(
            "outboxes-drain",
            "Once the system is quiescent, every outbox is empty",
        ),
        outboxes::check,
    ),
    (
        Statement::of_trace(
            "published-completely",
            "Every change is published exactly once, and nothing else is published",
        ),
        published::check,
    ),
    (
        Statement::of_trace(
            "published-in-order",
            "The changes of a document are published in order",
        ),
        published_in_order::check,
    ),
    (
        Statement::of_trace("dead-letters", "A message is dead-lettered only after enough faults"),
        dead_letters::check,
    ),
    (
        Statement::of_trace(
            "schemas",
            "Every published event is declared and valid against its schema",
        ),
        schemas::check,
    ),
    (
        Statement::of_trace(
            "envelopes",
            "The attributes of every event are true, and its trace leads back to its cause",
        ),
        envelopes::check,
    ),
    (
        Statement::of_trace(
            "payloads",
            "An event carries the state of the document that it describes",
        ),
        payloads::check,
    ),
    (
        Statement::of_trace(
            "prompt",
            "Events are published, delivered and handled within a second, or within a minute of a fault",
        ),
        prompt::check,
    ),
    (Statement::of_trace("no-panic", "No service panics"), panics::check),
];

/// The generic invariants by name.
pub(crate) fn statements() -> impl Iterator<Item = Statement> {
    let quiescence = Statement::of_outcome(
        QUIESCENCE,
        "The system reaches quiescence once all faults are healed",
    );
    GENERIC.iter().map(|(statement, _)| *statement).chain([quiescence])
}

/// The violations of generic invariants that these facts show.
pub fn violations(facts: &Facts, declared: &Declared<'_>) -> Vec<Violation> {
    let checked = GENERIC.iter().filter(|(statement, _)| facts.can_show(statement.needs));
    let violations = checked.flat_map(|(statement, check)| {
        let broken = check(facts, declared).into_iter();
        broken.map(|how| Violation { invariant: statement.name.to_owned(), how })
    });
    violations.collect()
}
