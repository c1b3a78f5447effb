//! A message is acknowledged only after the order or hold that it changes is written. The harness
//! checks the same for declared copies.

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};

use bson::Document;
use harness::trace::RecordKind;
use ports::bus::{Message, Stream};
use serde_json::Value;

use super::Evidence;
use super::evidence::{id, number, text};

/// The newest write of each document so far: service, collection, id.
type Stores<'a> = BTreeMap<(&'a str, &'a str, &'a str), &'a Document>;

pub(super) fn check(evidence: &Evidence) -> Vec<String> {
    let mut broken = Vec::new();
    // On real servers a write may be in the store before its record is in the trace.
    if !evidence.exact {
        return broken;
    }
    let mut stores = Stores::new();
    let mut messages: BTreeMap<&str, (&Message, OnceCell<Value>)> = BTreeMap::new();
    let mut dead: BTreeSet<&str> = BTreeSet::new();
    for record in evidence.trace.iter() {
        match &record.kind {
            RecordKind::Write { collection, outcome: Ok(Some(document)), .. } => {
                if let Some(who) = record.instance {
                    stores.insert((who.service, collection, id(document)), document);
                }
            }
            RecordKind::Publish { stream: Stream::Events, message, .. } => {
                messages.insert(&message.id, (message, OnceCell::new()));
            }
            RecordKind::Publish { stream: Stream::DeadLetters, message, .. } => {
                dead.insert(&message.id);
            }
            RecordKind::Reply { operation: "ack", consumer, id, .. } => {
                let Some((message, event)) = messages.get(id.as_str()) else { continue };
                let given_up =
                    !dead.is_empty() && dead.contains(format!("{consumer}/{id}").as_str());
                // Parsed once for all consumers.
                let read = || serde_json::from_slice(&message.payload).unwrap_or_default();
                let applied =
                    is_applied(&stores, consumer, &message.subject, || event.get_or_init(read));
                if !given_up && applied == Some(false) {
                    broken.push(format!("{consumer} acknowledged {id} before its write"));
                }
            }
            _ => {}
        }
    }
    broken
}

/// Whether the change that a message causes at this consumer, or a newer one, is in its store;
/// `None` where it causes none.
fn is_applied<'e>(
    stores: &Stores,
    consumer: &str,
    subject: &str,
    event: impl Fn() -> &'e Value,
) -> Option<bool> {
    let (service, _) = consumer.split_once('-')?;
    let noun = subject.split('.').next()?;
    let (collection, key, field, wanted) = match (service, noun) {
        ("tickets", "order") => ("tickets", "/ticket/id", "fence", "/ticket/fence"),
        ("orders", "charge") => ("orders", "/orderId", "", ""),
        ("orders", "order") => ("orders", "/id", "", ""),
        _ => return None,
    };
    let event = event();
    let known = stores.get(&(service, collection, event.pointer(key)?.as_str()?));
    let Some(known) = known else { return Some(false) };
    if field.is_empty() {
        return Some(follows(text(known, "status"), event["status"].as_str()));
    }
    Some(number(known, field) >= event.pointer(wanted)?.as_i64()?)
}

/// Whether an order of this status reflects its charge's status, or its own expiry.
fn follows(status: &str, charge: Option<&str>) -> bool {
    match charge {
        Some("created") => status != "created",
        Some("refunded") => true,
        _ => !matches!(status, "created" | "awaiting:payment"),
    }
}
