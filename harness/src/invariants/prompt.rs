//! How soon, not only whether: an event is published soon after its write, delivered soon after
//! it is published, and handled soon after it is delivered.

use std::collections::{BTreeMap, BTreeSet};

use bson::Bson;
use ports::Timestamp;
use ports::bus::Stream;

use super::Declared;
use crate::duration;
use crate::evidence::Facts;
use crate::evidence::field::text;
use crate::evidence::pace::Pace;
use crate::trace::RecordKind;

pub(super) fn check(facts: &Facts, _: &Declared<'_>) -> Vec<String> {
    let pace = Pace::of(facts);
    let mut violations = Vec::new();
    let mut written: BTreeMap<&str, Timestamp> = BTreeMap::new();
    let mut published: BTreeMap<&str, Timestamp> = BTreeMap::new();
    // A consumer of one instance alone receives old messages when it starts.
    let mut opened: BTreeMap<(u32, &str), Timestamp> = BTreeMap::new();
    let mut delivered: BTreeMap<(&str, &str), Timestamp> = BTreeMap::new();
    let mut done = BTreeSet::new();
    for record in facts.trace.iter() {
        let instance = record.instance.map(|instance| instance.instance).unwrap_or_default();
        let mut judge = |due: Timestamp, what: &str, id: &str| {
            if let Some(late) = pace.lateness(due, record.at) {
                violations.push(format!("{id} was {what} {} too late", duration::words(late)));
            }
        };
        match &record.kind {
            RecordKind::Write { outcome: Ok(Some(document)), .. } => {
                let Ok(outbox) = document.get_array("outbox") else { continue };
                for entry in outbox.iter().filter_map(Bson::as_document) {
                    written.entry(text(entry, "id")).or_insert(record.at);
                }
            }
            RecordKind::Publish { stream: Stream::Events, message, outcome: Ok(_) } => {
                let is_first = !published.contains_key(message.id.as_str());
                published.entry(&message.id).or_insert(record.at);
                if let Some(&due) = written.get(message.id.as_str()).filter(|_| is_first) {
                    judge(due, "published", &message.subject);
                }
            }
            RecordKind::Subscribe { consumer } => {
                opened.insert((instance, consumer), record.at);
            }
            RecordKind::Deliver { consumer, id, subject, attempt: 1 } => {
                let opened = opened.get(&(instance, consumer.as_str()));
                if let (Some(due), Some(opened)) = (published.get(id.as_str()), opened) {
                    judge(*due.max(opened), "delivered", subject);
                }
                delivered.insert((consumer, id), record.at);
            }
            RecordKind::Reply { operation: "ack", consumer, id, .. } => {
                let key = (consumer.as_str(), id.as_str());
                if let Some(&due) = delivered.get(&key).filter(|_| done.insert(key)) {
                    judge(due, "handled", &format!("{id} by {consumer}"));
                }
            }
            _ => {}
        }
    }
    violations
}
