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

/// The meaning of a violation to users.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Users feel it: money, data, replies, or a system that never converges.
    Harm,
    /// Only developers see it: a rule by which the system avoids harm is broken. It is often
    /// violated where no harm follows, and it says more about the cause than the harm does.
    Mechanism,
}

/// An invariant by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Statement {
    /// Its name in reports.
    pub name: &'static str,
    /// The condition that must hold, as a sentence.
    pub statement: &'static str,
    /// Whether users feel a violation.
    pub kind: Kind,
    /// The evidence that it reads.
    pub needs: Needs,
}

impl Statement {
    /// A harm that the outcome shows.
    const fn harm(name: &'static str, statement: &'static str) -> Self {
        Self { name, statement, kind: Kind::Harm, needs: Needs::Outcome }
    }

    /// A mechanism that the trace shows.
    const fn mechanism(name: &'static str, statement: &'static str) -> Self {
        Self { name, statement, kind: Kind::Mechanism, needs: Needs::Trace }
    }

    /// The same, shown by the outcome.
    const fn of_outcome(self) -> Self {
        Self { needs: Needs::Outcome, ..self }
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

impl Violation {
    /// The violation without the ids, numbers, times and quotations of its run: two runs that fail
    /// in the same way have the same shape.
    pub fn shape(&self) -> String {
        let mut words: Vec<&str> = vec![&self.invariant];
        let is_id = |word: &str| word.len() >= 12 && word.bytes().any(|b| b.is_ascii_digit());
        let is_part = |word: &str| is_id(word) || word.bytes().all(|b| b.is_ascii_digit());
        for (nth, unquoted) in self.how.split('"').enumerate() {
            if nth % 2 == 1 {
                words.push("#");
                continue;
            }
            let parts = unquoted.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
            for word in parts.filter(|word| !word.is_empty()) {
                let unit = word.strip_suffix('s').unwrap_or(word);
                let is_time = ["second", "minute", "hour", "day"].contains(&unit);
                let is_unit = is_time && words.last() == Some(&"#");
                words.push(if is_part(word) || is_unit { "#" } else { word });
            }
        }
        words.dedup_by(|next, last| next == last && *next == "#");
        words.join(" ")
    }
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
        Statement::harm(
            "copies-converge",
            "Once the system is quiescent, a copy equals its origin",
        ),
        copies::check,
    ),
    (
        Statement::mechanism(
            "applied-once",
            "A message changes a document at most once, regardless of redeliveries",
        ),
        applied_once::check,
    ),
    (
        Statement::mechanism("never-back", "A document never returns to an older version"),
        never_back::check,
    ),
    (
        Statement::mechanism(
            "acknowledged-after-write",
            "A message is acknowledged only after its write",
        ),
        acknowledged::check,
    ),
    (
        Statement::mechanism(
            "outboxes-drain",
            "Once the system is quiescent, every outbox is empty",
        )
        .of_outcome(),
        outboxes::check,
    ),
    (
        Statement::mechanism(
            "published-completely",
            "Every change is published exactly once, and nothing else is published",
        ),
        published::check,
    ),
    (
        Statement::mechanism(
            "published-in-order",
            "The changes of a document are published in order",
        ),
        published_in_order::check,
    ),
    (
        Statement::mechanism("dead-letters", "A message is dead-lettered only after enough faults"),
        dead_letters::check,
    ),
    (
        Statement::mechanism(
            "schemas",
            "Every published event is declared and valid against its schema",
        ),
        schemas::check,
    ),
    (
        Statement::mechanism(
            "envelopes",
            "The attributes of every event are true, and its trace leads back to its cause",
        ),
        envelopes::check,
    ),
    (
        Statement::mechanism(
            "payloads",
            "An event carries the state of the document that it describes",
        ),
        payloads::check,
    ),
    (
        Statement::mechanism(
            "prompt",
            "Events are published, delivered and handled within a second, or within a minute of a fault",
        ),
        prompt::check,
    ),
    (Statement::mechanism("no-panic", "No service panics"), panics::check),
];

/// The generic invariants by name.
pub(crate) fn statements() -> impl Iterator<Item = Statement> {
    let quiescence =
        Statement::harm(QUIESCENCE, "The system reaches quiescence once all faults are healed");
    [quiescence].into_iter().chain(GENERIC.iter().map(|(statement, _)| *statement))
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

#[cfg(test)]
mod tests {
    use super::Violation;

    #[test]
    fn the_shape_of_a_violation_has_nothing_of_its_run_in_it() {
        let shape = |how: &str| {
            Violation { invariant: "one-reader".to_owned(), how: how.to_owned() }.shape()
        };
        let one = "book 019b77387c00a1b2c3d4e5f6 is held by loans 2 and 31 for 90.5 seconds";
        let other = "book 019b77387c00ffffc3d4e5f6 is held by loans 7 and 9 for 2 hours";
        assert_eq!(shape(one), "one-reader book # is held by loans # and # for #");
        assert_eq!(shape(one), shape(other));
        assert_eq!(shape("\"Emma\" was lent"), shape("\"Ulysses\" was lent"));
        assert_ne!(shape("a book was lent"), shape("a book was sold"));
    }
}
