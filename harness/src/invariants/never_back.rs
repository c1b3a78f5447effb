//! A document never returns to an older version: no monotonic field decreases.

use std::collections::BTreeMap;

use super::Declared;
use crate::evidence::Facts;
use crate::evidence::field::{id, integer};
use crate::trace::RecordKind;

pub(super) fn check(facts: &Facts, declared: &Declared<'_>) -> Vec<String> {
    let mut violations = Vec::new();
    // On real servers the order of records may differ from that of the writes.
    if !facts.exact {
        return violations;
    }
    let mut newest: BTreeMap<(&str, &str, &str), Vec<i64>> = BTreeMap::new();
    for record in facts.trace.iter() {
        let RecordKind::Write { collection, outcome: Ok(Some(document)), .. } = &record.kind else {
            continue;
        };
        let Some(instance) = record.instance else { continue };
        let key = (instance.service, collection.as_str(), id(document));
        let now = declared.monotonic_fields.iter().map(|field| integer(document, field));
        let now: Vec<i64> = now.collect();
        let Some(before) = newest.insert(key, now.clone()) else { continue };
        let (service, collection, id) = key;
        for ((field, before), now) in declared.monotonic_fields.iter().zip(before).zip(now) {
            if (0..before).contains(&now) {
                violations.push(format!(
                    "{service}.{collection} {id} went from {field} {before} back to {now}"
                ));
            }
        }
    }
    violations
}
