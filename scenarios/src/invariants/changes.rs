//! Every change of a document is told of once, and nothing is told that did not happen.

use std::collections::BTreeMap;

use bson::Document;
use harness::trace::RecordKind;
use ports::bus::Stream;

use super::Evidence;
use super::evidence::{Change, id, number};

/// The ids of the messages that tell of a version: noun, aggregate, version.
type Tellings = BTreeMap<(String, String, i64), Vec<String>>;

pub(super) fn check(evidence: &Evidence) -> Vec<String> {
    let tellings = tellings(evidence);
    let charge = |order: &Document| order.get_document("charge").cloned().ok();
    let mut versions: BTreeMap<(&str, String), i64> = BTreeMap::new();
    for (noun, documents) in
        [("ticket", &evidence.tickets), ("order", &evidence.orders), ("user", &evidence.users)]
    {
        let known = documents.iter().map(|d| ((noun, id(d).to_owned()), number(d, "version")));
        versions.extend(known);
    }
    for charge in evidence.order_copies.iter().filter_map(charge) {
        let name = charge.get_str("id").unwrap_or_default().to_owned();
        versions.insert(("charge", name), number(&charge, "version"));
    }
    let mut broken = Vec::new();
    for ((noun, id), newest) in &versions {
        for version in 0..=*newest {
            match tellings.get(&((*noun).to_owned(), id.clone(), version)).map_or(0, Vec::len) {
                1 => {}
                0 => broken.push(format!("nobody was told of version {version} of {noun} {id}")),
                n => broken.push(format!("version {version} of {noun} {id} was told {n} times")),
            }
        }
    }
    for (noun, id, version) in tellings.keys() {
        let newest = versions.get(&(noun.as_str(), id.clone())).copied().unwrap_or(-1);
        if *version > newest {
            broken.push(format!("{noun} {id} never had the version {version} that was told of"));
        }
    }
    broken
}

fn tellings(evidence: &Evidence) -> Tellings {
    let mut tellings = Tellings::new();
    for record in evidence.trace.iter() {
        let RecordKind::Publish { stream: Stream::Events, message, outcome: Ok(_) } = &record.kind
        else {
            continue;
        };
        let Some((noun, Change { id, version })) = Change::of(message) else { continue };
        let told = tellings.entry((noun.to_owned(), id.into_owned(), version)).or_default();
        // The same message again is the relay's care: the bus drops it.
        if !told.contains(&message.id) {
            told.push(message.id.clone());
        }
    }
    tellings
}
