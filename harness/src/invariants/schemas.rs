//! Every published event is declared and valid against its schema.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use jsonschema::Validator;

use super::Declared;
use crate::evidence::Facts;

/// The CloudEvents attributes that every message carries.
const ATTRIBUTES: [&str; 6] =
    ["ce-id", "ce-source", "ce-type", "ce-specversion", "ce-time", "ce-subject"];

pub(super) fn check(facts: &Facts, declared: &Declared<'_>) -> Vec<String> {
    let mut violations = Vec::new();
    if declared.events.is_empty() {
        return violations;
    }
    for (message, _) in facts.published() {
        let subject = &message.subject;
        let Some(entry) = declared.events.iter().find(|entry| entry.subject == subject) else {
            violations.push(format!("{subject} is not a declared event"));
            continue;
        };
        let name = entry.name;
        let header = |name: &str| message.headers.get(name).map(String::as_str);
        for missing in ATTRIBUTES.iter().filter(|name| header(name).is_none()) {
            violations.push(format!("{name} {} has no {missing}", message.id));
        }
        if let Some(id) = header("ce-id").filter(|id| *id != message.id) {
            violations.push(format!("{name} has the message id {} but the ce-id {id}", message.id));
        }
        if header("ce-type") != Some(name) || header("ce-source") != Some(entry.from) {
            violations
                .push(format!("{subject} {} has the attributes of another event", message.id));
        }
        match serde_json::from_slice(&message.payload) {
            Ok(payload) => {
                let validator = validator(entry);
                let errors = validator.iter_errors(&payload);
                violations.extend(errors.map(|why| format!("{name} {}: {why}", message.id)));
            }
            Err(why) => violations.push(format!("{name} {} is not JSON: {why}", message.id)),
        }
    }
    violations
}

/// The validator of an event, compiled once for each thread.
fn validator(entry: &platform::catalogue::Entry) -> Rc<Validator> {
    thread_local! {
        static VALIDATORS: RefCell<BTreeMap<&'static str, Rc<Validator>>> = RefCell::default();
    }
    VALIDATORS.with_borrow_mut(|known| {
        let compile = || {
            let validator = jsonschema::validator_for(entry.schema.as_value());
            Rc::new(validator.expect("a derived schema is valid"))
        };
        Rc::clone(known.entry(entry.subject).or_insert_with(compile))
    })
}
