//! No service panics.

use super::Declared;
use crate::evidence::Facts;
use crate::trace::RecordKind;

pub(super) fn check(facts: &Facts, _: &Declared<'_>) -> Vec<String> {
    let panics = facts.trace.iter().filter_map(|record| match (&record.kind, record.instance) {
        (RecordKind::Panic { message }, Some(instance)) => {
            Some(format!("{instance} panicked: {message}"))
        }
        _ => None,
    });
    panics.collect()
}
