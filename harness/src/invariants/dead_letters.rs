//! A message is dead-lettered only after enough faults, or if it was published so late that the
//! documents it is about may have been removed.

use ports::Timestamp;
use ports::bus::{Message, Stream};
use ports::clock::after;

use super::Declared;
use crate::evidence::Facts;
use crate::trace::RecordKind;

/// The number of deliveries for which [`FEW`] holds.
const ATTEMPTS: u32 = 10;

/// The fewest faults that explain a dead letter. Ten deliveries take more than four minutes, and a
/// single fault lasts two minutes at most.
const FEW: usize = 3;

/// The fewest faults where there are fewer deliveries than ten, all within one fault.
const ONE: usize = 1;

pub(super) fn check(facts: &Facts, _: &Declared<'_>) -> Vec<String> {
    let disturbances = facts.disturbances();
    let enough = if facts.attempts < ATTEMPTS { ONE } else { FEW };
    if facts.letters.is_empty() || disturbances >= enough {
        return Vec::new();
    }
    // A message from outside the system may be malformed.
    let is_ours = |id: &str| {
        facts.trace.iter().any(|record| match &record.kind {
            RecordKind::Publish { stream: Stream::Events, message, .. } => {
                message.id == id && !is_outdated(facts, message, record.at)
            }
            _ => false,
        })
    };
    let letters = facts.letters.iter().filter(|letter| {
        let id = letter.message.id.split_once('/').map_or("", |(_, id)| id);
        is_ours(id)
    });
    let faults = match disturbances {
        0 => "without a fault".to_owned(),
        1 => "after 1 fault".to_owned(),
        faults => format!("after {faults} faults"),
    };
    letters
        .map(|letter| {
            let (consumer, subject) = (&letter.consumer, &letter.message.subject);
            format!("{consumer} dead-lettered {subject} {faults}: {}", letter.reason)
        })
        .collect()
}

/// True if an event waited for so long in its outbox that no consumer takes it any more.
fn is_outdated(facts: &Facts, message: &Message, at: Timestamp) -> bool {
    let time = message.headers.get("ce-time").and_then(|time| time.parse().ok());
    facts.horizon.zip(time).is_some_and(|(horizon, time)| at > after(time, horizon))
}
