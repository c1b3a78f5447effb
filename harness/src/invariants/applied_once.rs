//! A message changes a document at most once, regardless of redeliveries.

use std::collections::{BTreeMap, BTreeSet};

use ports::bus::Stream;

use super::Declared;
use crate::evidence::Facts;
use crate::evidence::field::id;
use crate::trace::RecordKind;

pub(super) fn check(facts: &Facts, _: &Declared<'_>) -> Vec<String> {
    let mut subjects: BTreeMap<&str, &str> = BTreeMap::new();
    let mut changed: BTreeSet<(&str, &String, &str, &String)> = BTreeSet::new();
    let mut violations = Vec::new();
    for record in facts.trace.iter() {
        match &record.kind {
            RecordKind::Publish { stream: Stream::Events, message, .. } => {
                subjects.insert(&message.id, &message.subject);
            }
            // The stream is read from its start.
            RecordKind::Forget { service } => changed.retain(|(of, ..)| of != service),
            RecordKind::Write { collection, outcome: Ok(Some(document)), .. } => {
                let (Some(instance), Some(origin)) = (record.instance, &record.origin) else {
                    continue;
                };
                // Requests are exempt, as one may change a document in several steps.
                let Some(subject) = subjects.get(origin.cause.as_str()) else { continue };
                let (service, id) = (instance.service, id(document));
                if !changed.insert((service, collection, id, &origin.cause)) {
                    violations.push(format!(
                        "the same {subject} changed {service}.{collection} {id} a second time"
                    ));
                }
            }
            _ => {}
        }
    }
    violations
}
