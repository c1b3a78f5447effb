//! Because: why a run failed, by comparison with its nearest passing neighbor.
//!
//! It says where the two runs part, what was read, written or delivered otherwise from there on,
//! and the shortest chain of causes from there to the violation. Where every neighbor fails, it
//! says so, and gives the chain from a client's request. It compares and runs nothing; see
//! [`crate::search::nearest`].
//!
//! Next: `facts` (records with their causes; `reading` finds them), `compare`, `target` (the records
//! of a violation), `chain` (the shortest path), `words`.

mod chain;
mod compare;
mod depends;
mod facts;
mod reading;
mod target;
mod values;
mod words;

use std::collections::BTreeSet;

use super::reorderings;
use crate::invariants::Violation;
use crate::run::Run;
use crate::search::nearest::{Nearest, Otherwise};
use crate::subject::{AnySubject, Names};
use crate::trace::RecordKind;
use chain::Step;
use compare::{Compared, compare};
use depends::{depends, up_to};
use facts::Facts;
pub use facts::Place;
use target::Violated;
use words::Words;

/// The explanation of a failure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Because {
    /// Where the failing run and the passing one part, or that none passes; one sentence.
    pub parting: String,
    /// The place at which they part, where a fault is the difference.
    pub place: Option<Place>,
    /// The causes from there to the violation, in order.
    pub links: Vec<Link>,
    /// The indices of the records of the failing run that the violation depends on.
    pub records: BTreeSet<usize>,
    /// The index of the record at which the violation comes about, where it is known.
    pub moment: Option<usize>,
}

/// A cause.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// The cause, as a sentence without a full stop.
    pub sentence: String,
    /// The place in the system.
    pub place: Option<Place>,
}

impl Because {
    /// The explanation of this violation of a watched run.
    pub fn of(subject: &AnySubject, run: &Run, violation: &Violation, nearest: &Nearest) -> Self {
        let sentences = subject.sentences();
        let names = subject.names(&run.trace);
        let here = Facts::of(&run.trace, &names, sentences);
        let words = |facts, run: &Run| Words {
            facts,
            external: subject.external().0,
            faults: Words::faults(&run.trace, run.injected(), sentences),
        };
        let quoted = quoted(run, &names, &violation.how);
        let violated = Violated::of(&violation.how, &here, &quoted);
        let ours = words(&here, run);
        let Some(neighbor) = &nearest.passing else {
            let chain = chain::backwards(&here, &violated);
            return Self::told(always(run, nearest.tried), None, &chain, &ours, &violated, None);
        };
        let other_names = subject.names(&neighbor.run.trace);
        let there = Facts::of(&neighbor.run.trace, &other_names, sentences);
        let theirs = words(&there, &neighbor.run);
        let compared = (compare(&here, &there), compare(&there, &here));
        let other_violated = violated.in_other(&here, &there);
        let is_fault = matches!(neighbor.otherwise, Otherwise::WithoutFault(_));
        let fault = is_fault.then_some(neighbor.parting);
        let chain = chain::between(
            (&here, &compared.0, &violated),
            (&there, &compared.1, &other_violated),
            neighbor.parting,
            fault,
        );
        let parting = parting(subject, &names, run, &neighbor.run, &neighbor.otherwise);
        Self::told(parting, fault, &chain, &ours, &violated, Some((&theirs, &compared.0)))
    }

    fn told(
        parting: String,
        fault: Option<usize>,
        chain: &[Step],
        ours: &Words<'_>,
        violated: &Violated<'_>,
        theirs: Option<(&Words<'_>, &[Compared])>,
    ) -> Self {
        let facts = ours.facts;
        let link = |facts: &Facts<'_>, at: usize, sentence: String| Link {
            sentence: facts.names.replace_ids(&sentence),
            place: facts.facts[at].place.clone(),
        };
        // The fault that the passing run lacks is told already.
        let links = chain.iter().filter(|step| fault.is_none_or(|at| **step != Step::Here(at, 1)));
        let links = links.filter_map(|step| match step {
            Step::Here(at, times) => {
                let mut sentence = match theirs.map(|(theirs, compared)| (theirs, compared[*at])) {
                    Some((theirs, Compared::Otherwise(there))) => ours.contrast(*at, theirs, there),
                    Some((_, Compared::Alone)) if !ours.is_fault(*at) => {
                        format!("{}, which does not happen in the passing run", ours.sentence(*at))
                    }
                    _ => ours.sentence(*at),
                };
                if *times > 1 {
                    sentence += &format!(" ({times} times)");
                }
                Some(link(facts, *at, sentence))
            }
            Step::Missing(at) => {
                let (theirs, _) = theirs?;
                let sentence = format!("only in the passing run, {}", theirs.sentence(*at));
                Some(link(theirs.facts, *at, sentence))
            }
            Step::Unpublished(event, place) => {
                let sentence = format!("{event} is never published");
                Some(Link { sentence, place: Some(place.clone()) })
            }
        });
        let links = links.collect();
        let on_chain = chain.iter().filter_map(|step| match step {
            Step::Here(at, _) => Some(*at),
            _ => None,
        });
        let on_chain: BTreeSet<usize> = on_chain.collect();
        let is_fault = |at: &usize| ours.is_fault(*at);
        let is_missing = matches!(chain.last(), Some(Step::Missing(_) | Step::Unpublished(..)));
        let moment = on_chain.last().copied().filter(|at| !is_missing && !is_fault(at));
        let until = moment.unwrap_or(facts.records.len());
        let mut records = depends(facts, violated, &on_chain, until);
        if let Some((theirs, _)) = theirs {
            let missing = chain.iter().filter_map(|step| match step {
                Step::Missing(at) => Some(*at),
                _ => None,
            });
            missing.for_each(|at| up_to(facts, theirs.facts, at, &mut records));
        }
        let place = fault.and_then(|at| facts.facts[at].place.clone());
        Self { parting, place, links, records, moment }
    }
}

/// The numbers of the requests of the operations that a sentence quotes.
fn quoted(run: &Run, names: &Names, sentence: &str) -> Vec<u64> {
    let calls = run.history.calls().iter();
    let calls = calls.map(|call| (call.mark(), call.action().to_string()));
    let calls = calls.filter(|(_, action)| sentence.contains(action.as_str()));
    let requests = calls.filter_map(|(mark, action)| {
        let later = run.trace.iter().skip(mark);
        let mut numbers = later.filter_map(|record| match &record.kind {
            RecordKind::Request { number, by: Some(by), .. } => Some((*number, by)),
            _ => None,
        });
        let is_its = |by: &str| names.plain(by).is_some_and(|name| action.starts_with(name));
        numbers.find(|(_, by)| is_its(by)).map(|(number, _)| number)
    });
    requests.collect()
}

/// Where a run and its passing neighbor part.
fn parting(
    subject: &AnySubject,
    names: &Names,
    run: &Run,
    passing: &Run,
    otherwise: &Otherwise,
) -> String {
    // The ids of requests are the same in both runs; the failing one knows more of their clients.
    let of = |run: &Run, number: u32| {
        let all = reorderings::sentences(subject, run, names);
        all.into_iter().find(|(other, _)| *other == number).map(|(_, sentence)| sentence)
    };
    match otherwise {
        Otherwise::WithoutFault(rule) => {
            format!("The same run passes without one fault: {}", subject.sentences().of(rule))
        }
        Otherwise::Decision(number) => {
            let sentence = of(run, *number).unwrap_or_default();
            format!("The same run passes if one call waits no longer: here, {sentence}")
        }
        Otherwise::AnotherOrder(number) => {
            let sentence = of(passing, *number).unwrap_or_default();
            format!("The same run passes if {sentence}")
        }
        Otherwise::AnotherSchedule => {
            let sentence = passing.reorderings().next().and_then(|r| of(passing, r.number));
            format!(
                "The same run passes in another schedule, where {}",
                sentence.unwrap_or_default()
            )
        }
    }
}

/// That every neighbor fails.
fn always(run: &Run, tried: usize) -> String {
    match (run.injected().is_empty(), run.reorderings().next().is_none()) {
        (true, true) => {
            format!("It fails in every schedule tried ({tried}), without any fault")
        }
        _ => format!("It fails in each of the {tried} neighboring runs that were tried"),
    }
}
