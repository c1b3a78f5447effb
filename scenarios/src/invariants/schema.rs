//! Every event published is in the catalogue and validates against its schema.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use jsonschema::Validator;

use super::Evidence;

/// The CloudEvents attributes that every message carries.
const ATTRIBUTES: [&str; 6] =
    ["ce-id", "ce-source", "ce-type", "ce-specversion", "ce-time", "ce-subject"];

pub(super) fn check(evidence: &Evidence) -> Vec<String> {
    let mut broken = Vec::new();
    for (message, _) in evidence.published() {
        let subject = &message.subject;
        let Some((name, from, validator)) = catalogue().get(subject.as_str()) else {
            broken.push(format!("{subject} is not in the catalogue"));
            continue;
        };
        let header = |name: &str| message.headers.get(name).map(String::as_str);
        for missing in ATTRIBUTES.iter().filter(|name| header(name).is_none()) {
            broken.push(format!("{name} {} has no {missing}", message.id));
        }
        if header("ce-id") != Some(&message.id) {
            broken.push(format!("{name} goes by {} and is {:?}", message.id, header("ce-id")));
        }
        if header("ce-type") != Some(name) || header("ce-source") != Some(from) {
            broken.push(format!("{subject} {} says it is another event", message.id));
        }
        match serde_json::from_slice(&message.payload) {
            Ok(payload) => {
                let wrong = validator.iter_errors(&payload);
                broken.extend(wrong.map(|why| format!("{name} {}: {why}", message.id)));
            }
            Err(why) => broken.push(format!("{name} {} is not JSON: {why}", message.id)),
        }
    }
    broken
}

type Entry = (&'static str, &'static str, Validator);

fn catalogue() -> &'static BTreeMap<&'static str, Entry> {
    static CATALOGUE: OnceLock<BTreeMap<&str, Entry>> = OnceLock::new();
    CATALOGUE.get_or_init(|| {
        let entry = |entry: contracts::catalogue::Entry| {
            let validator = jsonschema::validator_for(entry.schema.as_value());
            let validator = validator.expect("a derived schema is valid");
            (entry.subject, (entry.name, entry.from, validator))
        };
        contracts::catalogue::all().into_iter().map(entry).collect()
    })
}
