//! The changes of a document are told of in the order in which they were made.

use std::collections::{BTreeMap, BTreeSet};

use harness::trace::What;
use platform::ports::bus::Stream;

use super::Evidence;
use super::evidence::Change;

pub(super) fn check(evidence: &Evidence) -> Vec<String> {
    let mut broken = Vec::new();
    // On real servers records may lie the other way round than what they tell of.
    if !evidence.exact {
        return broken;
    }
    let mut told = BTreeSet::new();
    let mut newest = BTreeMap::new();
    for record in evidence.trace.iter() {
        // What a person publishes again has been told before.
        let (Some(_), What::Publish { stream: Stream::Events, message, outcome: Ok(_) }) =
            (record.who, &record.what)
        else {
            continue;
        };
        let Some((noun, Change { id, version })) = Change::of(message) else { continue };
        // The same message again says nothing new.
        if !told.insert(&message.id) {
            continue;
        }
        let newest = newest.entry((noun, id.clone())).or_insert(version);
        if version < *newest {
            broken.push(format!("version {version} of {noun} {id} was told after {newest}"));
        }
        *newest = version.max(*newest);
    }
    broken
}
