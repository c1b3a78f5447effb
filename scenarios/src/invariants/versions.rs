//! A document never goes back: neither its version nor its fencing number becomes lower.

use std::collections::BTreeMap;

use harness::trace::RecordKind;

use super::Evidence;
use super::evidence::{id, number};

pub(super) fn check(evidence: &Evidence) -> Vec<String> {
    let mut broken = Vec::new();
    // On real servers records may lie the other way round than what they tell of.
    if !evidence.exact {
        return broken;
    }
    let mut newest: BTreeMap<(&str, &str, &str), (i64, i64)> = BTreeMap::new();
    for record in evidence.trace.iter() {
        let RecordKind::Write { collection, outcome: Ok(Some(document)), .. } = &record.kind else {
            continue;
        };
        let Some(who) = record.instance else { continue };
        let key = (who.service, collection.as_str(), id(document));
        let now = (number(document, "version"), number(document, "fence"));
        if let Some(before) = newest.insert(key, now)
            && ((0..before.0).contains(&now.0) || (0..before.1).contains(&now.1))
        {
            let (service, collection, id) = key;
            broken.push(format!(
                "{service}.{collection} {id} went back from version {} to {}, from fence {} to {}",
                before.0, now.0, before.1, now.1
            ));
        }
    }
    broken
}
