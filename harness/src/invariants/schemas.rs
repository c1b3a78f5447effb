//! Every published event is declared and valid against its schema.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use jsonschema::Validator;

use super::Declared;
use crate::evidence::Facts;

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
        let validator = validator(entry);
        // To list errors costs several times as much as to see that there is none.
        if facts.payloads.parsed(&message.payload).is_some_and(|sent| validator.is_valid(&sent)) {
            continue;
        }
        match serde_json::from_slice(&message.payload) {
            Ok(payload) => {
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
