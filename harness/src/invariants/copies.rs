//! Once the system is quiescent, a copy equals its origin.

use bson::Bson;

use super::Declared;
use crate::evidence::Facts;
use crate::evidence::field::by_id;

/// A collection that copies the documents of another service, under the same `_id`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Copy {
    /// The origin: service and collection.
    pub of: (&'static str, &'static str),
    /// The copy: service and collection.
    pub at: (&'static str, &'static str),
    /// The fields that are copied. With `version` among them, every event about the origin
    /// must be applied to the copy before it is acknowledged.
    pub fields: &'static [&'static str],
}

pub(super) fn check(facts: &Facts, declared: &Declared<'_>) -> Vec<String> {
    declared.copies.iter().flat_map(|copy| differences(facts, copy)).collect()
}

fn differences(facts: &Facts, copy: &Copy) -> Vec<String> {
    let mut violations = Vec::new();
    let (service, collection) = copy.at;
    let name = format!("{service}.{collection}");
    let origins = by_id(facts.documents.of(copy.of.0, copy.of.1));
    let copies = by_id(facts.documents.of(service, collection));
    for (id, origin) in origins.iter().filter(|(id, _)| !facts.given_up.contains(**id)) {
        let Some(copied) = copies.get(id) else {
            violations.push(format!("{name} has no copy of {id}"));
            continue;
        };
        for field in copy.fields.iter().filter(|field| origin.get(field) != copied.get(field)) {
            let show = |value: Option<&Bson>| value.map_or("nothing".to_owned(), Bson::to_string);
            let (ours, theirs) = (show(copied.get(field)), show(origin.get(field)));
            violations
                .push(format!("{name} has {field} {ours} for {id}, but its origin has {theirs}"));
        }
    }
    let strays = copies.keys().filter(|id| !origins.contains_key(*id));
    violations.extend(strays.map(|id| format!("{name} has {id}, which has no origin")));
    violations
}
