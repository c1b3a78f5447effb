//! A message changes a document once, however often it is delivered.

use std::collections::{BTreeMap, BTreeSet};

use harness::trace::RecordKind;
use ports::bus::Stream;

use super::Evidence;
use super::evidence::id;

pub(super) fn check(evidence: &Evidence) -> Vec<String> {
    let mut subjects: BTreeMap<&str, &str> = BTreeMap::new();
    let mut changed = BTreeSet::new();
    let mut broken = Vec::new();
    for record in evidence.trace.iter() {
        match &record.kind {
            RecordKind::Publish { stream: Stream::Events, message, .. } => {
                subjects.insert(&message.id, &message.subject);
            }
            RecordKind::Write { collection, outcome: Ok(Some(document)), .. } => {
                let (Some(who), Some(origin)) = (record.instance, &record.origin) else { continue };
                // A request may change a document in steps; what handles a message may not.
                let Some(subject) = subjects.get(origin.cause.as_str()) else { continue };
                let (service, id) = (who.service, id(document));
                if !changed.insert((service, collection, id, &origin.cause)) {
                    broken.push(format!(
                        "{subject} {} changed {service}.{collection} {id} again",
                        origin.cause
                    ));
                }
            }
            _ => {}
        }
    }
    broken
}
