//! No service panics.

use harness::trace::RecordKind;

use super::Evidence;

pub(super) fn check(evidence: &Evidence) -> Vec<String> {
    let panics = evidence.trace.iter().filter_map(|record| match (&record.kind, record.instance) {
        (RecordKind::Panic { message }, Some(who)) => Some(format!("{who} panicked: {message}")),
        _ => None,
    });
    panics.collect()
}
