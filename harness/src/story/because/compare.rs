//! Two runs, record by record: which records of one have no counterpart in the other, or one with
//! another outcome.

use std::collections::BTreeMap;

use super::facts::Facts;
use crate::trace::RecordKind;

/// A record of one run, compared with the other run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Compared {
    /// Its counterpart has the same outcome, or it is not compared.
    Same,
    /// The index of its counterpart, which has another outcome.
    Otherwise(usize),
    /// It has no counterpart.
    Alone,
}

/// The records of `one`, each compared with the records of `other`. The n-th record of a key is the
/// counterpart of the n-th one there.
pub(super) fn compare(one: &Facts<'_>, other: &Facts<'_>) -> Vec<Compared> {
    let mut there: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (at, fact) in other.facts.iter().enumerate() {
        there.entry(&fact.key).or_default().push(at);
    }
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    let compared = one.facts.iter().enumerate().map(|(at, fact)| {
        if fact.key.is_empty() || is_routine(one, at) {
            return Compared::Same;
        }
        let nth = seen.entry(&fact.key).or_default();
        let counterpart = there.get(fact.key.as_str()).and_then(|all| all.get(*nth));
        *nth += 1;
        match counterpart {
            None => Compared::Alone,
            Some(&there) if other.facts[there].outcome == fact.outcome => Compared::Same,
            Some(&there) => Compared::Otherwise(there),
        }
    });
    compared.collect()
}

/// Whether a record is routine of a background task: a search that finds what it may, or the
/// removal of a published event. Their number depends on how long a run lasts.
pub(super) fn is_routine(facts: &Facts<'_>, at: usize) -> bool {
    let record = &facts.records[at];
    match &record.kind {
        RecordKind::Read { .. } => record.origin.is_none(),
        RecordKind::Write { input, .. } => !super::facts::pulled(input).is_empty(),
        _ => false,
    }
}
