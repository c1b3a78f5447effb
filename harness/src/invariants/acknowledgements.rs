//! Acknowledgements of events, each with the documents that were in the stores at that moment.
//!
//! For invariants by which a message is acknowledged only after its write: the generic one, and
//! those of a subject whose events change more than declared copies.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use bson::Document;
use ports::bus::{Message, Stream};
use serde_json::Value;

use crate::evidence::Facts;
use crate::evidence::field::id;
use crate::trace::RecordKind;

/// The newest write of each document so far: service, collection, id.
type Written<'a> = BTreeMap<(&'a str, &'a str, &'a str), &'a Document>;

/// The acknowledgement of an event by a consumer.
pub struct Acknowledgement<'a> {
    service: &'a str,
    message: &'a Message,
    facts: &'a Facts,
    written: &'a Written<'a>,
}

impl Acknowledgement<'_> {
    /// The service of the consumer.
    pub fn service(&self) -> &str {
        self.service
    }

    /// The subject of the event.
    pub fn subject(&self) -> &str {
        &self.message.subject
    }

    /// The payload of the event; null where it is no JSON.
    pub fn payload(&self) -> Arc<Value> {
        self.facts.payloads.parsed(&self.message.payload).unwrap_or_default()
    }

    /// The document as it was in the store; `None` before its first write.
    pub fn written(&self, service: &str, collection: &str, id: &str) -> Option<&Document> {
        self.written.get(&(service, collection, id)).copied()
    }
}

/// A sentence for each acknowledgement whose write was not in the store, unless the consumer has
/// dead-lettered the message. `is_written` returns `None` for an event that changes nothing.
///
/// Meaningful only where the record is exact: on real servers a write may be in the store before
/// its record is in the trace.
pub fn acknowledged_early(
    facts: &Facts,
    is_written: impl Fn(&Acknowledgement<'_>) -> Option<bool>,
) -> Vec<String> {
    let mut violations = Vec::new();
    let mut written = Written::new();
    let mut messages: BTreeMap<&str, &Message> = BTreeMap::new();
    let mut dead: BTreeSet<&str> = BTreeSet::new();
    for record in facts.trace.iter() {
        match &record.kind {
            RecordKind::Write { collection, outcome: Ok(Some(document)), .. } => {
                if let Some(instance) = record.instance {
                    written.insert((instance.service, collection, id(document)), document);
                }
            }
            RecordKind::Publish { stream: Stream::Events, message, .. } => {
                messages.insert(&message.id, message);
            }
            RecordKind::Publish { stream: Stream::DeadLetters, message, .. } => {
                dead.insert(&message.id);
            }
            RecordKind::Reply { operation: "ack", consumer, id, .. } => {
                let Some(&message) = messages.get(id.as_str()) else { continue };
                let Some((service, _)) = consumer.split_once('-') else { continue };
                let ack = Acknowledgement { service, message, facts, written: &written };
                let is_dead =
                    !dead.is_empty() && dead.contains(format!("{consumer}/{id}").as_str());
                if !is_dead && is_written(&ack) == Some(false) {
                    violations.push(format!(
                        "{consumer} acknowledged {} before its write",
                        message.subject
                    ));
                }
            }
            _ => {}
        }
    }
    violations
}
