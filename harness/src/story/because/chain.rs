//! The shortest chain of causes from the place where two runs part to the violation.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::compare::{Compared, is_routine};
use super::facts::{Fact, Facts, Place, pulled};
use super::target::Violated;
use super::values::changed;
use crate::trace::RecordKind;

/// The maximum number of links of a chain between two runs.
const LINKS: usize = 7;

/// The maximum number of links where there is nothing to compare with.
const ALONE: usize = 10;

/// The most links that only the passing run has.
const MISSING: usize = 3;

/// One cause.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    /// The record of this index in the failing run, and how many like it there are.
    Here(usize, usize),
    /// The record of this index in the passing run, which the failing one lacks.
    Missing(usize),
    /// An event that is never published, and where.
    Unpublished(String, Place),
}

/// A run with its comparison to the other one, and the violation in its words.
pub(super) type Side<'s, 'a> = (&'s Facts<'a>, &'s [Compared], &'s Violated<'s>);

/// The chain in the failing run (`here`) from where it parts from the passing one (`there`). `fault`
/// is the record of the fault that the passing run lacks.
pub(super) fn between(
    here: Side<'_, '_>,
    there: Side<'_, '_>,
    parting: usize,
    fault: Option<usize>,
) -> Vec<Step> {
    let wrong = moment(here, parting, |_| true).or_else(|| first_effect(here, parting));
    let lacking = moment(there, 0, |at| there.1[at] == Compared::Alone);
    let root = fault.map(|at| Step::Here(at, 1));
    if let Some((at, score)) = lacking
        && wrong.is_none_or(|(_, wrong)| score > wrong)
    {
        let alone = path(there, at, None).into_iter();
        let alone = alone.filter(|&at| there.1[at] == Compared::Alone);
        let missing = shortened(alone.collect(), there.0, MISSING);
        // What was written in its place.
        let document = there.0.facts[at].document.as_ref();
        let instead = moment(here, parting, |at| {
            document.is_some() && here.0.facts[at].document.as_ref() == document
        });
        let instead = instead.map(|(at, _)| path(here, at, fault)).unwrap_or_default();
        let root = root.filter(|_| instead.first().copied() != fault);
        let last = instead.last().copied().unwrap_or_default();
        let handled = acknowledged(here.0, there.0, at).map(|at| Step::Here(at, 1));
        let here = root.into_iter().chain(repeated(instead, here.0, last, MISSING)).chain(handled);
        return here.chain(missing.into_iter().map(Step::Missing)).collect();
    }
    let Some((at, score)) = wrong else {
        // The same records in another order.
        return root.into_iter().chain(backwards(here.0, here.2)).collect();
    };
    let mut path = path(here, at, fault);
    path.extend(last_of(here, at, score));
    let is_connected = path.first().copied() == fault || fault.is_none();
    let bridge = match path.first() {
        Some(&first) if !is_connected && here.0.service_of(first) == here.0.service_of(parting) => {
            bridge(here.0, there, parting, first)
        }
        _ => None,
    };
    path.extend(asked(here.0, here.2).filter(|&at| here.1[at] != Compared::Same));
    path.sort_unstable();
    let path = repeated(path, here.0, at, LINKS);
    let root = root.filter(|_| !is_connected);
    let bridge = bridge.map(Step::Missing);
    let lost = unpublished(here.0, here.2, at);
    root.into_iter().chain(bridge).chain(path).chain(lost).collect()
}

/// The chain from a client's request to the violation, where there is nothing to compare with.
pub(super) fn backwards(facts: &Facts<'_>, violated: &Violated<'_>) -> Vec<Step> {
    let moments = facts.facts.iter().zip(facts.records).enumerate();
    let moments = moments.filter(|(_, (_, record))| Violated::is_moment(&record.kind));
    let scored = moments.map(|(at, (fact, record))| (violated.score(fact, &record.kind), at));
    let Some((score, moment)) = scored.max() else { return Vec::new() };
    if score == 0 {
        return Vec::new();
    }
    let mut path = BTreeSet::from([moment]);
    let mut now = Some(moment);
    while let Some(at) = now {
        let fact = &facts.facts[at];
        path.extend(fact.work.iter().copied().filter(|&at| tells(facts, at)));
        let before = fact.data.iter().copied().filter(|&at| is_write(facts, at)).max();
        now = fact.trigger.or(before).filter(|at| path.insert(*at));
    }
    path.extend(asked(facts, violated));
    // How the document was left.
    let last = facts.facts[moment].document.as_ref().and_then(|document| {
        let later = (moment + 1..facts.facts.len()).rev().filter(|&at| !is_routine(facts, at));
        let mut later = later.filter(|&at| facts.facts[at].document.as_ref() == Some(document));
        later.find(|&at| facts.service_of(at) == facts.service_of(moment))
    });
    path.extend(last);
    let end = last.unwrap_or(moment);
    let steps = repeated(path.into_iter().collect(), facts, end, ALONE).into_iter();
    steps.chain(unpublished(facts, violated, moment)).collect()
}

/// The requests to an external service that the violation speaks of.
fn asked(facts: &Facts<'_>, violated: &Violated<'_>) -> impl Iterator<Item = usize> {
    let all = facts.facts.iter().zip(facts.records).enumerate();
    let asked = all.filter(|(_, (fact, record))| violated.speaks_of(fact, &record.kind));
    asked.map(|(at, _)| at)
}

/// These records as steps: the first of each kind, with the number of its repetitions, and the
/// moment of the violation.
fn repeated(path: Vec<usize>, facts: &Facts<'_>, moment: usize, limit: usize) -> Vec<Step> {
    let mut counts: BTreeMap<Signature<'_>, usize> = BTreeMap::new();
    let mut kept = Vec::new();
    for at in path {
        if kept.last() == Some(&at) {
            continue;
        }
        let count = counts.entry(signature(facts, at)).or_default();
        *count += 1;
        if *count == 1 || at == moment {
            kept.push(at);
        }
    }
    let steps = shortened(kept, facts, limit).into_iter();
    let steps = steps.map(|at| match counts.get(&signature(facts, at)) {
        Some(&times) if at != moment => Step::Here(at, times),
        _ => Step::Here(at, 1),
    });
    steps.collect()
}

/// Whether a record of some work is worth a link: it asked an external service, or it read a
/// document for the work of a request or an event.
fn tells(facts: &Facts<'_>, at: usize) -> bool {
    let record = &facts.records[at];
    match record.kind {
        RecordKind::External { .. } | RecordKind::Fault { .. } => true,
        RecordKind::Read { .. } => record.origin.is_some(),
        _ => false,
    }
}

fn is_write(facts: &Facts<'_>, at: usize) -> bool {
    matches!(facts.records[at].kind, RecordKind::Write { .. })
}

/// The parts that two repetitions of one step have in common.
type Signature<'f> = (Option<&'f Place>, String);

fn signature<'f>(facts: &'f Facts<'_>, at: usize) -> Signature<'f> {
    let Fact { place, outcome, written, key, .. } = &facts.facts[at];
    let fields = written.as_ref().map(|(before, after)| {
        let fields = changed(before, after).into_iter().map(|(field, _)| field);
        fields.collect::<Vec<_>>().join(",")
    });
    let record = &facts.records[at];
    let rest = match &record.kind {
        RecordKind::External { .. } => outcome.clone(),
        RecordKind::Deliver { id, .. } => id.clone(),
        RecordKind::Write { .. } if record.origin.is_none() => {
            fields.unwrap_or_else(|| outcome.clone())
        }
        _ => key.clone(),
    };
    (place.as_ref(), rest)
}

/// The record at which the violation comes about: of those that differ and have most to do with
/// it, the first one. With its score.
fn moment(
    (facts, compared, violated): Side<'_, '_>,
    from: usize,
    is_it: impl Fn(usize) -> bool,
) -> Option<(usize, usize)> {
    let mut best: Option<(usize, usize)> = None;
    for (at, (fact, record)) in facts.facts.iter().zip(facts.records).enumerate().skip(from) {
        if compared[at] == Compared::Same || !Violated::is_moment(&record.kind) || !is_it(at) {
            continue;
        }
        let score = violated.score(fact, &record.kind);
        if score > best.map_or(0, |(_, score)| score) {
            best = Some((at, score));
        }
    }
    best
}

/// The first differing write that changes something, where the violation names no record at all:
/// a sum, for example.
fn first_effect((facts, compared, violated): Side<'_, '_>, from: usize) -> Option<(usize, usize)> {
    let mut all = facts.facts.iter().zip(facts.records);
    if all.any(|(fact, record)| violated.score(fact, &record.kind) > 0) {
        return None;
    }
    let mut effects = (from..facts.facts.len()).filter(|&at| {
        let written = facts.facts[at].written.as_ref();
        compared[at] != Compared::Same
            && !is_routine(facts, at)
            && written.is_some_and(|(before, after)| !changed(before, after).is_empty())
    });
    effects.next().map(|at| (at, 0))
}

/// The last differing write of the same document that has as much to do with the violation.
fn last_of((facts, compared, violated): Side<'_, '_>, first: usize, score: usize) -> Option<usize> {
    facts.facts[first].written.as_ref()?;
    let document = facts.facts[first].document.as_ref()?;
    let service = facts.service_of(first);
    let differing = |at: &usize| compared[*at] != Compared::Same;
    let score_of = |at: usize| violated.score(&facts.facts[at], &facts.records[at].kind);
    let later = (first + 1..facts.facts.len()).rev().filter(differing);
    let mut same = later.clone().filter(|&at| {
        facts.facts[at].document.as_ref() == Some(document)
            && facts.service_of(at) == service
            && score_of(at) >= score
    });
    // Or else the last write of what other services keep of it.
    let mut elsewhere = later.filter(|&at| {
        let other = facts.facts[at].document.as_ref().map(|(_, id)| id);
        other == Some(&document.1)
            && facts.service_of(at) != service
            && score_of(at) + NEARLY >= score
            && facts.facts[at].written.is_some()
    });
    same.next().or_else(|| elsewhere.next())
}

/// The score by which a record elsewhere may have less to do with a violation.
const NEARLY: usize = 2;

/// The acknowledgement of a message in the failing run, at the service that lacks a record of the
/// passing one about the same things: the message is not delivered again.
fn acknowledged(facts: &Facts<'_>, passing: &Facts<'_>, missing: usize) -> Option<usize> {
    let (service, ids) = (passing.service_of(missing), &passing.facts[missing].ids);
    let trigger = passing.facts[missing].trigger.and_then(|at| passing.facts[at].place.as_ref());
    let event = trigger.filter(|place| place.operation == "deliver").map(|place| &place.target);
    facts.facts.iter().zip(facts.records).position(|(fact, record)| {
        let is_event = |event: &String| fact.place.as_ref().is_some_and(|p| p.target == *event);
        matches!(record.kind, RecordKind::Reply { operation: "ack", heard: true, .. })
            && record.instance.map(|instance| instance.service) == service
            && !fact.ids.is_disjoint(ids)
            && event.is_none_or(is_event)
    })
}

/// The delivery or write that only the passing run has and that comes before this record there: it
/// connects a fault with a difference that has no recorded cause.
fn bridge(facts: &Facts<'_>, there: Side<'_, '_>, parting: usize, first: usize) -> Option<usize> {
    let place = facts.facts[first].place.as_ref()?;
    let service = facts.service_of(first).unwrap_or(&place.service);
    let records = there.0.records.iter().enumerate().skip(parting);
    let mut missing = records.filter(|(at, record)| {
        let is_effect = match &record.kind {
            RecordKind::Deliver { .. } => true,
            RecordKind::Write { input, .. } => pulled(input).is_empty(),
            _ => false,
        };
        is_effect
            && there.1[*at] == Compared::Alone
            && record.instance.is_some_and(|instance| instance.service == service)
    });
    missing.next().map(|(at, _)| at)
}

/// The shortest path of records that differ, from one without such a cause, or from the root, to
/// this one.
fn path((facts, compared, _): Side<'_, '_>, to: usize, root: Option<usize>) -> Vec<usize> {
    let mut next: BTreeMap<usize, usize> = BTreeMap::new();
    let mut queue = VecDeque::from([to]);
    let (mut source, mut reached) = (None, None);
    while let Some(at) = queue.pop_front() {
        if Some(at) == root {
            reached = Some(at);
            break;
        }
        let differs = |parent: &usize| compared[*parent] != Compared::Same || Some(*parent) == root;
        let differing: Vec<usize> = facts.facts[at].parents().filter(differs).collect();
        if differing.is_empty() && source.is_none() {
            source = Some(at);
        }
        for parent in differing {
            if parent != to && !next.contains_key(&parent) {
                next.insert(parent, at);
                queue.push_back(parent);
            }
        }
    }
    let mut path = Vec::new();
    let mut at = reached.or(source);
    while let Some(here) = at {
        path.push(here);
        at = next.get(&here).copied();
    }
    path
}

/// Without publishes that a delivery follows and answers on the way, and without the middle of a
/// long chain.
fn shortened(path: Vec<usize>, facts: &Facts<'_>, limit: usize) -> Vec<usize> {
    let kind = |at: usize| &facts.records[at].kind;
    let mut kept = Vec::new();
    for (nth, &at) in path.iter().enumerate() {
        let is_delivered =
            path.get(nth + 1).is_some_and(|&next| matches!(kind(next), RecordKind::Deliver { .. }));
        if !(matches!(kind(at), RecordKind::Publish { .. }) && is_delivered) {
            kept.push(at);
        }
    }
    let more = kept.len().saturating_sub(limit);
    if more > 0 {
        kept.drain(1..=more);
    }
    kept
}

/// An event that the violation is about and that a write put into an outbox in vain.
fn unpublished(facts: &Facts<'_>, violated: &Violated<'_>, moment: usize) -> Option<Step> {
    let score = |at: usize| violated.score(&facts.facts[at], &facts.records[at].kind);
    let lost = facts.events.iter().find(|(_, event)| {
        event.published.is_none()
            && event.removed
            && event.outboxed.is_some_and(|at| at == moment || score(at) > 0)
    });
    let (id, event) = lost?;
    let service = facts.facts[event.outboxed?].place.as_ref()?.service.clone();
    let place = Place { service, operation: "publish", target: event.name.clone() };
    Some(Step::Unpublished(facts.event(id, &event.name), place))
}
