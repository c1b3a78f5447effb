//! A message is acknowledged only after its write.
//!
//! Two rules. First, the service of a declared copy acknowledges an event about the origin
//! only when the copy has that version or a newer one. Second, a handler that met a failed
//! call does not acknowledge without having written afterwards or having been called again.

use std::cell::OnceCell;
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use bson::Document;
use ports::bus::{Message, Stream};
use serde_json::Value;

use super::{Copy, Declared};
use crate::evidence::Facts;
use crate::evidence::field::{id, integer};
use crate::faults::{Effect, Operation};
use crate::trace::{Record, RecordKind};

/// The newest write of each document so far: service, collection, id.
type Written<'a> = BTreeMap<(&'a str, &'a str, &'a str), &'a Document>;

pub(super) fn check(facts: &Facts, declared: &Declared<'_>) -> Vec<String> {
    // On real servers a write may be in the store before its record is in the trace.
    if !facts.exact {
        return Vec::new();
    }
    let mut violations = before_the_copy(facts, declared);
    violations.extend(after_a_failure(facts));
    violations
}

/// Messages that a service with a declared copy acknowledged before the copy was written.
fn before_the_copy(facts: &Facts, declared: &Declared<'_>) -> Vec<String> {
    let mut violations = Vec::new();
    let mut written = Written::new();
    let mut messages: BTreeMap<&str, (&Message, OnceCell<Value>)> = BTreeMap::new();
    let mut dead: BTreeSet<&str> = BTreeSet::new();
    for record in facts.trace.iter() {
        match &record.kind {
            RecordKind::Write { collection, outcome: Ok(Some(document)), .. } => {
                if let Some(instance) = record.instance {
                    written.insert((instance.service, collection, id(document)), document);
                }
            }
            RecordKind::Publish { stream: Stream::Events, message, .. } => {
                messages.insert(&message.id, (message, OnceCell::new()));
            }
            RecordKind::Publish { stream: Stream::DeadLetters, message, .. } => {
                dead.insert(&message.id);
            }
            RecordKind::Reply { operation: "ack", consumer, id, .. } => {
                let Some((message, payload)) = messages.get(id.as_str()) else { continue };
                let Some((service, _)) = consumer.split_once('-') else { continue };
                let Some(copy) = copy_of(declared, service, &message.subject) else { continue };
                let is_dead =
                    !dead.is_empty() && dead.contains(format!("{consumer}/{id}").as_str());
                let read = || serde_json::from_slice(&message.payload).unwrap_or_default();
                if !is_dead && !is_written(&written, copy, payload.get_or_init(read)) {
                    violations.push(format!("{consumer} acknowledged {id} before its write"));
                }
            }
            _ => {}
        }
    }
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

/// Whether the copy has the version of this payload or a newer one; true where the payload
/// has none.
fn is_written(written: &Written<'_>, copy: &Copy, payload: &Value) -> bool {
    let (Some(id), Some(version)) = (payload["id"].as_str(), payload["version"].as_i64()) else {
        return true;
    };
    let known = written.get(&(copy.at.0, copy.at.1, id));
    known.is_some_and(|known| integer(known, "version") >= version)
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
                if let Some(handling) =
                    cause(record).and_then(|id| under_way.get_mut(&(number, id)))
                {
                    handling.failed = true;
                }
            }
            RecordKind::Write { outcome: Ok(_), .. } | RecordKind::Read { outcome: Ok(_), .. } => {
                if let Some(handling) =
                    cause(record).and_then(|id| under_way.get_mut(&(number, id)))
                {
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

fn cause(record: &Record) -> Option<&str> {
    record.origin.as_ref().map(|origin| origin.cause.as_str())
}
