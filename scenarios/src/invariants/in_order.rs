//! The changes of a document are told of in the order in which they were made.

use std::collections::{BTreeMap, BTreeSet};

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
    for (message, _) in evidence.published().filter(|(_, outcome)| outcome.is_ok()) {
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
