//! A message is acknowledged only after its write.
//!
//! Two rules. First, the service of a declared copy acknowledges an event about the origin
//! only when the copy has that version or a newer one. Second, a handler that met a failed
//! call does not acknowledge without having written afterwards or having been called again.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use ports::bus::Stream;

use super::acknowledgements::{Acknowledgement, acknowledged_early};
use super::{Copy, Declared};
use crate::evidence::Facts;
use crate::evidence::field::integer;
use crate::faults::{Effect, Operation};
use crate::trace::{Record, RecordKind};

pub(super) fn check(facts: &Facts, declared: &Declared<'_>) -> Vec<String> {
    // On real servers a write may be in the store before its record is in the trace.
    if !facts.exact {
        return Vec::new();
    }
    let mut violations = acknowledged_early(facts, |ack| is_copied(declared, ack));
    violations.extend(after_a_failure(facts));
    violations
}

/// The declared copy with versions at this service whose origin publishes events of this subject.
fn copy_of<'a>(declared: &'a Declared<'_>, service: &str, subject: &str) -> Option<&'a Copy> {
    let entry = declared.events.iter().find(|entry| entry.subject == subject)?;
    let noun = subject.split('.').next()?;
    declared.copies.iter().find(|copy| {
        // An origin's collection carries the plural of its noun.
        let of_noun = copy.of.1.strip_suffix('s').unwrap_or(copy.of.1) == noun;
        let has_version = copy.fields.contains(&"version");
        copy.at.0 == service && copy.of.0 == entry.from && of_noun && has_version
    })
}

/// Whether a declared copy has the version of an acknowledged event or a newer one; `None` where
/// no copy follows the event, or it has no version.
fn is_copied(declared: &Declared<'_>, ack: &Acknowledgement<'_>) -> Option<bool> {
    let copy = copy_of(declared, ack.service(), ack.subject())?;
    let payload = ack.payload();
    let (id, version) = (payload["id"].as_str()?, payload["version"].as_i64()?);
    let known = ack.written(copy.at.0, copy.at.1, id);
    Some(known.is_some_and(|known| integer(known, "version") >= version))
}

/// A message that an instance handles.
#[derive(Default)]
struct Handling {
    /// Whether a call of its handler failed, and none succeeded since.
    failed: bool,
    /// Whether the message was delivered again meanwhile: then a call belongs to either
    /// delivery, and so does the acknowledgement.
    overlapping: bool,
}

/// Messages that were acknowledged although a call of their handler had failed.
fn after_a_failure(facts: &Facts) -> Vec<String> {
    let mut violations = Vec::new();
    let mut under_way: BTreeMap<(u32, &str), Handling> = BTreeMap::new();
    for record in facts.trace.iter() {
        let Some(instance) = record.instance else { continue };
        let number = instance.instance;
        match &record.kind {
            RecordKind::Deliver { id, .. } => {
                under_way
                    .entry((number, id))
                    .and_modify(|handling| handling.overlapping = true)
                    .or_default();
            }
            RecordKind::Fault { operation, effect, .. } if is_failure(*operation, *effect) => {
                if let Some(handling) = handling(&mut under_way, record, number) {
                    handling.failed = true;
                }
            }
            RecordKind::Write { outcome: Ok(_), .. } | RecordKind::Read { outcome: Ok(_), .. } => {
                if let Some(handling) = handling(&mut under_way, record, number) {
                    handling.failed = false;
                }
            }
            RecordKind::Publish { stream: Stream::DeadLetters, message, .. } => {
                if let Some((_, id)) = message.id.split_once('/') {
                    under_way.remove(&(number, id));
                }
            }
            RecordKind::Reply { operation, consumer, id, .. } if *operation != "in_progress" => {
                let Entry::Occupied(handling) = under_way.entry((number, id.as_str())) else {
                    continue;
                };
                if handling.get().overlapping {
                    continue;
                }
                if handling.remove().failed && *operation == "ack" {
                    violations.push(format!(
                        "{consumer} acknowledged {id} although a call of its handler had failed"
                    ));
                }
            }
            _ => {}
        }
    }
    violations
}

/// Whether a fault makes a store call report failure.
fn is_failure(operation: Operation, effect: Effect) -> bool {
    let fails =
        matches!(effect, Effect::Fail | Effect::Vanish | Effect::Partition(_) | Effect::Outage(_));
    fails && matches!(operation, Operation::Read | Operation::Write)
}

/// The message that this instance was handling when it made the recorded call.
fn handling<'h, 't>(
    under_way: &'h mut BTreeMap<(u32, &'t str), Handling>,
    record: &'t Record,
    instance: u32,
) -> Option<&'h mut Handling> {
    let cause = record.origin.as_ref().map(|origin| origin.cause.as_str());
    cause.and_then(|id| under_way.get_mut(&(instance, id)))
}
