//! The tickets service accepts no edit between the hold and the release that it has recorded.

use std::collections::BTreeMap;

use bson::{Bson, Document};
use harness::trace::RecordKind;

use super::Evidence;
use super::evidence::{id, number};

pub(super) fn check(evidence: &Evidence) -> Vec<String> {
    let mut broken = Vec::new();
    for (ticket, versions) in versions(evidence) {
        for (version, after) in &versions {
            let Some(before) = versions.get(&(version - 1)) else { continue };
            let held = before.get("orderId").is_some_and(|order| *order != Bson::Null);
            let edited =
                ["title", "price"].iter().any(|field| before.get(field) != after.get(field));
            if held && edited {
                broken.push(format!("ticket {ticket} was edited to version {version} while held"));
            }
        }
    }
    broken
}

/// Every version of every ticket that was written.
pub(super) fn versions<'e>(
    evidence: &'e Evidence<'_>,
) -> BTreeMap<&'e str, BTreeMap<i64, &'e Document>> {
    let mut versions: BTreeMap<&str, BTreeMap<i64, &Document>> = BTreeMap::new();
    for record in evidence.trace.iter() {
        let RecordKind::Write { collection, outcome: Ok(Some(ticket)), .. } = &record.kind else {
            continue;
        };
        if record.instance.is_some_and(|who| who.service == "tickets") && collection == "tickets" {
            versions.entry(id(ticket)).or_default().insert(number(ticket, "version"), ticket);
        }
    }
    versions
}
