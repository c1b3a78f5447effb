//! A message changes a document once, however often it is delivered.

use std::collections::{BTreeMap, BTreeSet};

use ports::bus::Stream;

use super::Declared;
use crate::evidence::Facts;
use crate::evidence::field::id;
use crate::trace::RecordKind;

pub(super) fn check(facts: &Facts, _: &Declared<'_>) -> Vec<String> {
    let mut subjects: BTreeMap<&str, &str> = BTreeMap::new();
    let mut changed = BTreeSet::new();
    let mut violations = Vec::new();
    for record in facts.trace.iter() {
        match &record.kind {
            RecordKind::Publish { stream: Stream::Events, message, .. } => {
                subjects.insert(&message.id, &message.subject);
            }
            RecordKind::Write { collection, outcome: Ok(Some(document)), .. } => {
                let (Some(instance), Some(origin)) = (record.instance, &record.origin) else {
                    continue;
                };
                // A request may change a document in several steps; a message handler may not.
                let Some(subject) = subjects.get(origin.cause.as_str()) else { continue };
                let (service, id) = (instance.service, id(document));
                if !changed.insert((service, collection, id, &origin.cause)) {
                    violations.push(format!(
                        "{subject} {} changed {service}.{collection} {id} again",
                        origin.cause
                    ));
                }
            }
            _ => {}
        }
    }
    violations
}
