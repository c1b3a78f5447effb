//! The records that a violation is about: its sentence names documents, messages, services and
//! fields, and a record that touches more of them is closer to it.

use std::collections::{BTreeMap, BTreeSet};

use ports::bus::Stream;

use super::compare::is_routine;
use super::facts::{Fact, Facts, request_id};
use super::values::changed;
use crate::trace::RecordKind;

/// The words of a violation.
pub(super) struct Violated<'a> {
    sentence: &'a str,
    words: BTreeSet<String>,
    /// The ids that the sentence names, by themselves or by a readable name.
    ids: BTreeSet<String>,
}

/// The shortest id that is looked for in a sentence.
const ID: usize = 6;

impl<'a> Violated<'a> {
    /// The words of this sentence about a run.
    /// `requests` are the numbers of those that it quotes.
    pub(super) fn of(sentence: &'a str, facts: &Facts<'_>, requests: &[u64]) -> Self {
        let parts = sentence.split(|c: char| !c.is_alphanumeric() && c != '_');
        let words: BTreeSet<String> = parts.map(str::to_lowercase).map(|w| singular(&w)).collect();
        let touched = facts.facts.iter().flat_map(|fact| &fact.ids);
        let is_id =
            |id: &str| id.len() >= ID && id.contains(|c: char| c.is_ascii_digit() || c == '@');
        let touched = touched.filter(|id| is_id(id) && has_word(sentence, id));
        let mut ids: BTreeSet<String> = touched.cloned().collect();
        let named = facts.names.plain_names();
        let named = named.filter(|(_, name)| has_word(sentence, name));
        ids.extend(named.map(|(id, _)| id.to_owned()));
        ids.extend(requests.iter().map(|number| request_id(*number)));
        Self { sentence, words, ids }
    }

    /// The same words about another run, in which the same things may have other ids.
    pub(super) fn in_other(&self, facts: &Facts<'_>, other: &Facts<'_>) -> Self {
        let names: BTreeSet<String> = self.ids.iter().filter_map(|id| facts.the(id)).collect();
        let touched = other.facts.iter().flat_map(|fact| &fact.ids);
        let is_named = |id: &&String| {
            self.ids.contains(*id) || other.the(id).is_some_and(|name| names.contains(&name))
        };
        let ids = touched.filter(is_named).cloned().collect();
        Self { sentence: self.sentence, words: self.words.clone(), ids }
    }

    /// The closeness of a record to the violation; 0 where it touches nothing of it.
    pub(super) fn score(&self, fact: &Fact, kind: &RecordKind) -> usize {
        let touched = fact.ids.iter().filter(|id| self.ids.contains(*id)).count();
        let Some(place) = &fact.place else { return 0 };
        let is_there = |word: &str| self.words.contains(&singular(&word.to_lowercase()));
        let names = |separator: &str| {
            let whole = format!("{}{separator}{}", place.service, place.target);
            has_word(self.sentence, &whole)
        };
        let by_place = match kind {
            RecordKind::Write { .. } => names("."),
            RecordKind::Publish { .. } | RecordKind::Deliver { .. } | RecordKind::Reply { .. } => {
                names("-")
            }
            RecordKind::Panic { .. } => true,
            _ => false,
        };
        let asked = fact.ids.iter().any(|id| id.starts_with("request ") && self.ids.contains(id));
        let mut score = 4 * (touched + usize::from(asked)) + 2 * usize::from(by_place);
        if score == 0 {
            return 0;
        }
        let path = place.target.split(['/', ' ', '.']).filter(|part| part.len() > 3);
        score += path.filter(|part| is_there(part)).count();
        score += usize::from(is_there(&place.service));
        let verb = match kind {
            RecordKind::Publish { stream: Stream::DeadLetters, .. } => {
                self.sentence.contains("dead-letter")
            }
            RecordKind::Publish { .. } => self.sentence.contains("publish"),
            RecordKind::Reply { .. } => self.sentence.contains("acknowledged"),
            RecordKind::Panic { .. } => self.sentence.contains("panicked"),
            _ => false,
        };
        score += 2 * usize::from(verb);
        let changed = fact.written.iter().flat_map(|(before, after)| changed(before, after));
        let changed: Vec<(String, String)> = changed.collect();
        let parts = changed.iter().flat_map(|(field, _)| field.split('.'));
        score += usize::from(parts.clone().any(is_there));
        let values = changed.iter().filter(|(_, value)| value != "none" && value.len() > 3);
        score += usize::from(values.clone().any(|(_, value)| has_word(self.sentence, value)));
        let quoted = changed.iter().filter(|(field, value)| {
            let name = field.rsplit('.').next().unwrap_or(field);
            is_there(name) && has_word(self.sentence, value)
        });
        score + quoted.count()
    }

    /// The last writes before this record of the documents that the sentence names.
    pub(super) fn written_before(&self, facts: &Facts<'_>, moment: usize) -> Vec<usize> {
        let mut last = BTreeMap::new();
        for (at, fact) in facts.facts.iter().enumerate().take(moment) {
            let document = fact.document.as_ref().filter(|(_, id)| self.ids.contains(id));
            if let (Some(document), Some(_)) = (document, &fact.written)
                && !is_routine(facts, at)
            {
                last.insert((facts.service_of(at), document), at);
            }
        }
        last.into_values().collect()
    }

    /// Whether a record is a request to an external service that the sentence speaks of: a charge
    /// where it says that nothing was charged.
    pub(super) fn speaks_of(&self, fact: &Fact, kind: &RecordKind) -> bool {
        let Some(place) = &fact.place else { return false };
        let parts = place.target.split(['/', ' ']).filter(|part| part.len() > 4).map(singular);
        matches!(kind, RecordKind::External { .. })
            && !fact.ids.is_disjoint(&self.ids)
            && parts.into_iter().any(|part| self.words.iter().any(|word| word.starts_with(&part)))
    }

    /// Whether a record can be the moment of a violation: it has an effect that lasts or is seen.
    pub(super) fn is_moment(kind: &RecordKind) -> bool {
        match kind {
            RecordKind::Write { input, .. } => super::facts::pulled(input).is_empty(),
            RecordKind::Reply { operation, .. } => *operation == "ack",
            RecordKind::Publish { .. }
            | RecordKind::External { .. }
            | RecordKind::Answer { .. }
            | RecordKind::Panic { .. } => true,
            _ => false,
        }
    }
}

/// Whether a sentence has this word, not as a part of another one.
fn has_word(sentence: &str, word: &str) -> bool {
    let is_part = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
    !word.is_empty()
        && sentence.match_indices(word).any(|(at, _)| {
            let (before, after) = (&sentence[..at], &sentence[at + word.len()..]);
            !is_part(before.chars().next_back()) && !is_part(after.chars().next())
        })
}

fn singular(word: &str) -> String {
    word.strip_suffix('s').unwrap_or(word).to_owned()
}
