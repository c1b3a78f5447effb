//! Once the system is quiescent, every outbox is empty.

use super::Declared;
use crate::evidence::Facts;
use crate::evidence::field::id;

pub(super) fn check(facts: &Facts, _: &Declared<'_>) -> Vec<String> {
    let mut violations = Vec::new();
    for (service, collection, documents) in facts.documents.all() {
        for document in documents {
            if document.get_array("outbox").is_ok_and(|outbox| !outbox.is_empty()) {
                let id = id(document);
                violations.push(format!("the outbox of {service}.{collection} {id} is not empty"));
            }
        }
    }
    violations
}
