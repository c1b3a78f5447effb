//! Every version of a charge is published exactly once. A charge is embedded in the order copy of
//! payments, so the general check of the harness, which works by document, does not cover it.

use std::collections::{BTreeMap, BTreeSet};

use harness::evidence::renewals::Renewals;
use harness::trace::RecordKind;
use ports::bus::Stream;
use serde::Deserialize;

use super::Evidence;
use super::evidence::{Records as _, number, text};

#[derive(Deserialize)]
struct Change<'a> {
    id: &'a str,
    version: i64,
}

pub(super) fn check(evidence: &Evidence) -> Vec<String> {
    let mut published: BTreeMap<(&str, i64), BTreeSet<&str>> = BTreeMap::new();
    let mut renewals = Renewals::at(evidence.renewal_age);
    for record in evidence.trace.iter() {
        let RecordKind::Publish { stream: Stream::Events, message, outcome: Ok(_) } = &record.kind
        else {
            continue;
        };
        if !message.subject.starts_with("charge.") {
            continue;
        }
        let Ok(Change { id, version }) = serde_json::from_slice(&message.payload) else { continue };
        if !renewals.has((id, version), record.at) {
            published.entry((id, version)).or_default().insert(&message.id);
        }
    }
    let mut broken = Vec::new();
    let charges = evidence.order_copies().iter().filter_map(|o| o.get_document("charge").ok());
    for charge in charges {
        let (id, newest) = (text(charge, "id"), number(charge, "version"));
        for version in 0..=newest {
            match published.remove(&(id, version)).map_or(0, |messages| messages.len()) {
                1 => {}
                0 => broken.push(format!("version {version} of charge {id} was never published")),
                n => {
                    broken
                        .push(format!("version {version} of charge {id} was published {n} times"));
                }
            }
        }
    }
    for (id, version) in published.keys() {
        broken.push(format!("version {version} of charge {id} was published but never existed"));
    }
    broken
}
