//! Every change is published exactly once, and nothing else is published. A renewal publishes it
//! again, much later.
//!
//! A collection is the origin of a noun if the outbox of one of its documents ever held an event of
//! that noun about the document itself. Each version of its documents must then be published by
//! exactly one message.

use std::collections::{BTreeMap, BTreeSet};

use bson::{Bson, Document};
use ports::bus::{Message, Stream};

use super::Declared;
use crate::evidence::Facts;
use crate::evidence::field::{id, integer};
use crate::evidence::renewals::Renewals;
use crate::trace::RecordKind;

/// The change that an event announces.
#[derive(Debug)]
pub(super) struct Change {
    /// The changed aggregate.
    pub(super) id: String,
    /// Its version after the change.
    pub(super) version: i64,
}

impl Change {
    /// The change that a message announces, with its noun; `None` where it announces none.
    pub(super) fn of<'m>(facts: &Facts, message: &'m Message) -> Option<(&'m str, Self)> {
        Some((noun(&message.subject), Self::read(facts, &message.payload)?))
    }

    fn read(facts: &Facts, payload: &[u8]) -> Option<Self> {
        let payload = facts.payloads.parsed(payload)?;
        let (id, version) = (payload["id"].as_str()?, payload["version"].as_i64()?);
        Some(Self { id: id.to_owned(), version })
    }
}

fn noun(subject: &str) -> &str {
    subject.split('.').next().unwrap_or_default()
}

/// The ids of the messages that announce a version: noun, aggregate, version.
type Announced = BTreeMap<(String, String, i64), Vec<String>>;

pub(super) fn check(facts: &Facts, _: &Declared<'_>) -> Vec<String> {
    let announced = announced(facts);
    let mut versions: BTreeMap<(&str, &str), i64> = BTreeMap::new();
    let origins = origins(facts);
    for (noun, service, collection) in &origins {
        for document in facts.documents.of(service, collection) {
            versions.insert((noun, id(document)), integer(document, "version"));
        }
    }
    let mut violations = Vec::new();
    for ((noun, id), newest) in &versions {
        for version in 0..=*newest {
            let key = ((*noun).to_owned(), (*id).to_owned(), version);
            match announced.get(&key).map_or(0, Vec::len) {
                1 => {}
                0 => {
                    violations
                        .push(format!("version {version} of {noun} {id} was never published"));
                }
                n => violations
                    .push(format!("version {version} of {noun} {id} was published {n} times")),
            }
        }
    }
    let nouns: BTreeSet<&str> = origins.iter().map(|(noun, ..)| noun.as_str()).collect();
    for (noun, id, version) in announced.keys().filter(|(noun, ..)| nouns.contains(noun.as_str())) {
        let newest = versions.get(&(noun.as_str(), id.as_str())).copied().unwrap_or(-1);
        if *version > newest {
            violations
                .push(format!("version {version} of {noun} {id} was published but never existed"));
        }
    }
    violations
}

/// Noun, service and collection of every origin.
fn origins(facts: &Facts) -> BTreeSet<(String, &'static str, &str)> {
    let mut origins = BTreeSet::new();
    for record in facts.trace.iter() {
        let RecordKind::Write { collection, outcome: Ok(Some(document)), .. } = &record.kind else {
            continue;
        };
        let Some(instance) = record.instance else { continue };
        for subject in subjects_about(facts, document) {
            let origin = (noun(subject), instance.service, collection.as_str());
            if !origins.contains(&(origin.0.to_owned(), origin.1, origin.2)) {
                origins.insert((origin.0.to_owned(), origin.1, origin.2));
            }
        }
    }
    origins
}

/// The subjects of the events in a document's outbox that are about the document itself and
/// carry its version.
fn subjects_about<'d>(facts: &Facts, document: &'d Document) -> impl Iterator<Item = &'d str> {
    let has_version = document.contains_key("version");
    let outbox = document.get_array("outbox").ok().filter(|_| has_version);
    let entries = outbox.into_iter().flatten().filter_map(Bson::as_document);
    let about_itself = entries.filter(|entry| {
        let same = entry.get_str("aggregate").is_ok_and(|about| about == id(document));
        let payload = entry.get_str("payload").unwrap_or_default();
        same && Change::read(facts, payload.as_bytes()).is_some()
    });
    about_itself.filter_map(|entry| entry.get_str("subject").ok())
}

fn announced(facts: &Facts) -> Announced {
    let mut announced = Announced::new();
    let mut renewals = Renewals::at(facts.renewal_age);
    for record in facts.trace.iter() {
        let RecordKind::Publish { stream: Stream::Events, message, outcome: Ok(_) } = &record.kind
        else {
            continue;
        };
        let Some((noun, Change { id, version })) = Change::of(facts, message) else { continue };
        let key = (noun.to_owned(), id, version);
        if renewals.has(key.clone(), record.at) {
            continue;
        }
        let ids = announced.entry(key).or_default();
        // The relay may republish a message; the bus drops the duplicate.
        if !ids.contains(&message.id) {
            ids.push(message.id.clone());
        }
    }
    announced
}
