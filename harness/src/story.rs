//! A failure as a story: operations with their replies, faults, reorderings and the violated
//! invariant, with its explanation, a sequence diagram and a scenario that reproduces it.
//!
//! It describes a run and runs nothing.
//! [`crate::report`] renders it.
//!
//! Next: [`because`] (why), [`fault`] (faults in words), [`diagram`], `reorderings` (decisions in
//! words), `scenario` (Gherkin).

pub mod because;
pub mod diagram;
pub mod fault;
pub(crate) mod reorderings;
pub(crate) mod scenario;

use std::collections::BTreeSet;

use crate::case::Token;
use crate::duration;
use crate::faults::FaultRule;
use crate::history::Call;
use crate::invariants::Statement;
use crate::letter_case::capitalized;
use crate::run::Run;
use crate::script::Then;
use crate::search::nearest::Nearest;
use crate::shrink::case::Shrunk;
use crate::subject::{AnySubject, Names};
use crate::trace::RecordKind;
use crate::world::Reply;
use because::Because;
use diagram::{Diagram, Sequence};

/// The story of a run.
#[derive(Debug, Clone)]
pub struct Story {
    /// The events in order, a sentence each; the last one is the outcome.
    pub steps: Vec<String>,
    /// The faults that are needed.
    pub needed: Vec<String>,
    /// The faults that were injected but are not needed.
    pub unneeded: Vec<String>,
    /// The other invariants that the same cause violates, the most severe for users first.
    pub also: Vec<Statement>,
    /// Why the invariant is violated; `None` where all hold, or where nobody has looked for the
    /// nearest passing run.
    pub because: Option<Because>,
    /// The violated invariant: its name; `None` where all hold.
    pub invariant: Option<String>,
    /// The statement of the violated invariant.
    pub statement: Option<String>,
    /// The violation in this run, as a sentence.
    pub seen: Option<String>,
    /// The sequence diagram of what the violation depends on, or of the whole run where that is
    /// not known.
    pub picture: Sequence,
    /// The sequence diagram of the whole run, where the other one leaves something out.
    pub whole: Option<Sequence>,
    /// A feature with one scenario that repeats the run.
    pub gherkin: String,
    /// The replay token.
    pub token: Token,
}

/// The maximum number of lines in a diagram.
const LINES: usize = 150;

impl Story {
    /// The story of a shrunk case.
    pub fn of_shrunk(subject: &AnySubject, shrunk: &Shrunk) -> Self {
        Self::of(subject, &shrunk.run, Some(&shrunk.invariant), &shrunk.unneeded)
    }

    /// The same story with its explanation, by the search among the neighbors of this run.
    #[must_use]
    pub fn explained(self, subject: &AnySubject, run: &Run, nearest: &Nearest) -> Self {
        let named = self.invariant.as_deref();
        let violation = run.violations.iter().find(|v| Some(v.invariant.as_str()) == named);
        let because = violation.map(|violation| Because::of(subject, run, violation, nearest));
        let names = subject.names(&run.trace);
        let folded = because.as_ref().filter(|because| !because.records.is_empty());
        let folded = folded.map(|because| {
            let keep = Some(&because.records);
            picture(subject, run, &names, self.violated(because.moment), keep)
        });
        match folded {
            None => Self { because, ..self },
            Some(folded) => Self { because, whole: Some(self.picture), picture: folded, ..self },
        }
    }

    /// The violation in words, and the record at which it comes about.
    fn violated(&self, moment: Option<usize>) -> Option<(&str, Option<usize>)> {
        self.seen.as_deref().map(|seen| (seen, moment))
    }

    /// The story of a run that was watched. `invariant` is the one in question; without it,
    /// the first one that was violated.
    pub fn of(
        subject: &AnySubject,
        run: &Run,
        invariant: Option<&str>,
        unneeded: &[FaultRule],
    ) -> Self {
        let names = subject.names(&run.trace);
        let named = |violation: &&crate::invariants::Violation| {
            invariant.is_none_or(|name| violation.invariant == name)
        };
        let violation = run.violations.iter().find(named).or_else(|| run.violation());
        let reorderings = reorderings::sentences(subject, run, &names);
        let end = violation.map_or_else(
            || "every invariant holds".to_owned(),
            |violation| {
                let how = names.replace_ids(&violation.how);
                format!("{} is violated: {how}", violation.invariant)
            },
        );
        let seen = violation.map(|violation| names.replace_ids(&violation.how));
        let invariant = violation.map(|violation| violation.invariant.as_str()).or(invariant);
        let all = run.violations.iter().map(|violation| violation.invariant.as_str());
        let others: BTreeSet<&str> = all.filter(|name| Some(*name) != invariant).collect();
        let mut also: Vec<_> = others.into_iter().filter_map(|n| subject.invariant(n)).collect();
        also.sort_by_key(|other| subject.severity(other.name));
        let sentences = subject.sentences();
        Self {
            steps: steps(subject, run, &reorderings, &end),
            needed: run.injected().iter().map(|rule| sentences.of(rule)).collect(),
            unneeded: unneeded.iter().map(|rule| sentences.of(rule)).collect(),
            also,
            because: None,
            invariant: violation.map(|violation| violation.invariant.clone()),
            statement: violation.map(|violation| subject.statement(&violation.invariant)),
            picture: {
                let violated = seen.as_deref().map(|seen| (seen, None));
                picture(subject, run, &names, violated, None)
            },
            seen,
            whole: None,
            gherkin: scenario::feature(subject, &run.exact, invariant, &reorderings, &end),
            token: Token::of(&run.exact),
        }
    }
}

/// The decisions of a watched run that deviate from FIFO: number and sentence.
pub fn reordered(subject: &AnySubject, run: &Run) -> Vec<(u32, String)> {
    reorderings::sentences(subject, run, &subject.names(&run.trace))
}

/// The steps: operations, faults and decisions in the order of the record.
fn steps(subject: &AnySubject, run: &Run, reorderings: &[(u32, String)], end: &str) -> Vec<String> {
    let mut lines: Vec<(usize, u8, String)> = Vec::new();
    let delays = reorderings::delays(run, reorderings).into_iter();
    lines.extend(delays.map(|(mark, sentence)| (mark, 0, sentence)));
    let injected = run.trace.iter().enumerate();
    let injected = injected.filter(|(_, record)| matches!(record.kind, RecordKind::Fault { .. }));
    let injected = injected.zip(run.injected());
    let sentences = subject.sentences();
    lines.extend(injected.map(|((at, _), rule)| (at, 1, sentences.of(rule))));
    let rounds = &run.exact.script.rounds;
    let mut last = None;
    for call in run.history.calls() {
        let before = match last {
            Some(round) if round == call.round() => "at the same moment, ".to_owned(),
            _ => {
                let from = last.unwrap_or(0);
                let pauses = rounds.get(from..call.round()).unwrap_or_default();
                pause(pauses.iter().map(|round| round.then))
            }
        };
        last = Some(call.round());
        lines.push((call.mark(), 1, format!("{before}{}", action(call))));
    }
    lines.sort_by_key(|(at, order, _)| (*at, *order));
    let lines = lines.into_iter().map(|(_, _, line)| line);
    let mut lines: Vec<String> = settings(subject, run).chain(lines).collect();
    let rest = rounds.get(last.unwrap_or(0)..).unwrap_or_default();
    let waits: u32 = rest.iter().map(|round| round.then.seconds()).sum();
    if waits > 0 {
        let pass = if matches!(waits, 1 | 60 | 3_600) { "passes" } else { "pass" };
        lines.push(format!("{} {pass}", seconds(waits)));
    }
    lines.push(end.to_owned());
    lines.iter().map(|line| begun(subject, line)).collect()
}

/// The settings that differ from their defaults.
fn settings<'a>(subject: &'a AnySubject, run: &'a Run) -> impl Iterator<Item = String> + use<'a> {
    let all = subject.settings().iter();
    all.filter_map(|setting| {
        let value = run.exact.settings.changed(setting)?;
        Some(format!("the setting {} is {value} instead of {}", setting.name, setting.default))
    })
}

/// An action and its reply.
fn action(call: &Call) -> String {
    let action = call.action();
    match call.reply() {
        None => action.to_string(),
        Some(Reply::Unanswered(_)) => format!("{action}: no reply"),
        Some(Reply::Answer(answer)) => {
            let status = answer.status().as_u16();
            match call.body()["errors"][0]["message"].as_str() {
                Some(message) => format!("{action}: {status} `{message}`"),
                None => format!("{action}: {status}"),
            }
        }
    }
}

/// The beginning of a step after these pauses; several pauses in a row are one.
fn pause(pauses: impl Iterator<Item = Then>) -> String {
    let pauses: Vec<Then> = pauses.collect();
    let waited: u32 = pauses.iter().map(|then| then.seconds()).sum();
    match pauses.last() {
        None => String::new(),
        Some(Then::Meet(_)) => format!("exactly {} later, ", seconds(waited)),
        Some(_) if waited > 0 => format!("{} later, ", seconds(waited)),
        Some(Then::Go) => "right after that, ".to_owned(),
        Some(_) => String::new(),
    }
}

/// So many seconds, in words.
fn seconds(seconds: u32) -> String {
    duration::words(std::time::Duration::from_secs(seconds.into()))
}

fn begun(subject: &AnySubject, line: &str) -> String {
    // The names of services and invariants stay as they are written.
    let name = line.split(' ').next().unwrap_or_default();
    let is_name = subject.invariants().iter().any(|invariant| invariant.name == name);
    if is_name || subject.topology().has(name) {
        return line.to_owned();
    }
    capitalized(line)
}

/// The diagram of the run since the clients were prepared, or of the records to keep.
fn picture(
    subject: &AnySubject,
    run: &Run,
    names: &Names,
    violation: Option<(&str, Option<usize>)>,
    keep: Option<&BTreeSet<usize>>,
) -> Sequence {
    let first = run.trace.iter().position(|record| matches!(record.kind, RecordKind::Step { .. }));
    let sentences = subject.sentences();
    let name =
        |word: &str| sentences.event_name(word).map(str::to_owned).or_else(|| names.of_id(word));
    let faults: Vec<String> = run.injected().iter().map(|rule| sentences.of(rule)).collect();
    let external = subject.external().0;
    let external = external.strip_prefix("the ").unwrap_or(external);
    let drawn = Diagram {
        from: first.unwrap_or(0),
        keep,
        violation,
        faults: &faults,
        external,
        limit: LINES,
        name: &name,
        hold: &|written| subject.hold(written),
    };
    diagram::draw(&run.trace, &drawn)
}
