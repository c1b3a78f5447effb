//! The records that a violation depends on: its chain of causes with the requests, deliveries and
//! reads around it, and everything that befell an instance.

use std::collections::BTreeSet;

use super::facts::Facts;
use super::target::Violated;
use crate::trace::RecordKind;

/// The records that a violation depends on, where it comes about at `moment` by this chain.
pub(super) fn depends(
    facts: &Facts<'_>,
    violated: &Violated<'_>,
    chain: &BTreeSet<usize>,
    moment: usize,
) -> BTreeSet<usize> {
    let mut kept = BTreeSet::new();
    for &at in chain {
        add(facts, at, &mut kept);
    }
    for at in violated.written_before(facts, moment) {
        add(facts, at, &mut kept);
    }
    let requests: BTreeSet<u64> = kept.iter().filter_map(|&at| number(facts, at)).collect();
    let around = facts.records.iter().enumerate().filter(|(at, record)| match &record.kind {
        RecordKind::Answer { number, .. } => requests.contains(number),
        RecordKind::Fault { .. } | RecordKind::Crash | RecordKind::Panic { .. } => true,
        RecordKind::Start => facts.facts[*at].data.iter().any(|at| is_crash(facts, *at)),
        _ => false,
    });
    kept.extend(around.map(|(at, _)| at));
    kept
}

/// Adds what both runs have of the way to a record that only the passing one has.
pub(super) fn up_to(
    facts: &Facts<'_>,
    passing: &Facts<'_>,
    missing: usize,
    kept: &mut BTreeSet<usize>,
) {
    let mut way = passing.facts[missing].trigger;
    while let Some(at) = way {
        let fact = &passing.facts[at];
        let here = facts.facts.iter().position(|other| other.key == fact.key);
        if let Some(here) = here.filter(|_| !fact.key.is_empty()) {
            return add(facts, here, kept);
        }
        way = fact.trigger;
    }
    // Work without a recorded cause follows from what its service was told of the same things.
    let fact = &passing.facts[missing];
    let service = passing.service_of(missing);
    let delivered = facts.facts.iter().zip(facts.records).rposition(|(other, record)| {
        matches!(record.kind, RecordKind::Deliver { .. })
            && record.instance.map(|instance| instance.service) == service
            && !other.ids.is_disjoint(&fact.ids)
    });
    if let Some(delivered) = delivered {
        add(facts, delivered, kept);
    }
}

fn is_crash(facts: &Facts<'_>, at: usize) -> bool {
    matches!(facts.records[at].kind, RecordKind::Crash)
}

fn number(facts: &Facts<'_>, at: usize) -> Option<u64> {
    match &facts.records[at].kind {
        RecordKind::Request { number, .. } => Some(*number),
        _ => None,
    }
}

/// Adds a record, the rest of its work before it, and what that work began with.
fn add(facts: &Facts<'_>, at: usize, kept: &mut BTreeSet<usize>) {
    let mut now = Some(at);
    while let Some(at) = now.filter(|at| kept.insert(*at)) {
        let fact = &facts.facts[at];
        kept.extend(fact.work.iter().filter(|&&at| facts.records[at].origin.is_some()));
        now = fact.trigger;
    }
}
