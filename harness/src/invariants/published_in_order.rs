//! The changes of a document are published in order.

use std::collections::{BTreeMap, BTreeSet};

use super::Declared;
use super::published::Change;
use crate::evidence::Facts;

pub(super) fn check(facts: &Facts, _: &Declared<'_>) -> Vec<String> {
    let mut violations = Vec::new();
    // On real servers the order of records may differ from that of the publishes.
    if !facts.exact {
        return violations;
    }
    let mut published = BTreeSet::new();
    let mut newest = BTreeMap::new();
    for (message, _) in facts.published().filter(|(_, outcome)| outcome.is_ok()) {
        let Some((noun, Change { id, version })) = Change::of(facts, message) else { continue };
        // The relay may republish a message.
        if !published.insert(&message.id) {
            continue;
        }
        let newest = newest.entry((noun, id.clone())).or_insert(version);
        if version < *newest {
            violations
                .push(format!("version {version} of {noun} {id} was published after {newest}"));
        }
        *newest = version.max(*newest);
    }
    violations
}
