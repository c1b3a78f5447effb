//! A trace as a sequence diagram: clients, instances, the bus and the world outside,
//! with what crosses between them, what is written, and what goes wrong.
//!
//! It names no service and no event by itself: whoever asks for a diagram says what words are
//! called. Acknowledgements, and reads and writes that belong to nothing, are left out.
//!
//! Next: `paper` for how lines are put down, `words` for how records are said, `mermaid` and
//! `svg` for how they are shown.

mod mermaid;
mod paper;
mod svg;
mod words;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use bson::Document;
use ports::Timestamp;
use ports::bus::Stream;
use ports::causality::Causality;

use crate::trace::{Record, RecordKind};
pub use paper::Sequence;
use paper::{Paper, Party};
use words::{changed, effect, operation, span};

/// What to draw, and how.
pub struct Diagram<'a> {
    /// The first record that is drawn; what was written before is known and not drawn.
    pub from: usize,
    /// Only what follows from these origins, by correlation; `None` for everything.
    pub only: Option<&'a BTreeSet<String>>,
    /// How many lines there are at most; the middle is left out of a longer one.
    pub limit: usize,
    /// What people call an id, a subject, a consumer, or the origin of a correlation.
    pub name: &'a dyn Fn(&str) -> Option<String>,
}

/// A pause that is worth a line.
const PAUSE: Duration = Duration::from_secs(1);

/// The diagram of these records.
pub fn draw(records: &[Record], diagram: &Diagram<'_>) -> Sequence {
    let mut drawing = Drawing {
        diagram,
        paper: Paper::default(),
        documents: BTreeMap::new(),
        requests: BTreeMap::new(),
        messages: BTreeMap::new(),
        shown: records.get(diagram.from).map(|record| record.at),
    };
    for (at, record) in records.iter().enumerate() {
        drawing.learn(record);
        if at >= diagram.from && drawing.is_wanted(record) {
            drawing.draw(record);
        }
        drawing.remember(record);
    }
    drawing.paper.finish(diagram.limit)
}

struct Drawing<'a> {
    diagram: &'a Diagram<'a>,
    paper: Paper,
    /// Documents as they were last written, by instance's service, collection and id.
    documents: BTreeMap<(&'static str, String, String), Document>,
    /// Who asked whom.
    requests: BTreeMap<u64, (Party, Option<Party>)>,
    /// What each message is called, and its correlation.
    messages: BTreeMap<String, (String, Option<String>)>,
    /// The time of the last line.
    shown: Option<Timestamp>,
}

impl Drawing<'_> {
    /// Keeps what later records refer to.
    fn learn(&mut self, record: &Record) {
        match &record.what {
            RecordKind::Publish { message, .. } => {
                let header = message.headers.get("traceparent");
                let origin = header.and_then(|header| Causality::parse(header, &message.id));
                let name = self.called(&message.subject);
                let origin = origin.map(|origin| origin.correlation);
                self.messages.insert(message.id.clone(), (name, origin));
            }
            RecordKind::Request { number, by, to, .. } => {
                let name = by.as_deref().map_or_else(|| "client".to_owned(), |by| self.called(by));
                let to = to.map(Party::Instance);
                self.requests.insert(*number, (Party::Client(name), to));
            }
            _ => {}
        }
    }

    /// Keeps what was written, for what the next write of it changes.
    fn remember(&mut self, record: &Record) {
        if let (Some(who), RecordKind::Write { collection, outcome: Ok(Some(document)), .. }) =
            (record.who, &record.what)
        {
            let id = document.get_str("_id").unwrap_or_default().to_owned();
            let key = (who.service, collection.clone(), id);
            self.documents.insert(key, document.clone());
        }
    }

    fn correlation<'r>(&'r self, record: &'r Record) -> Option<&'r str> {
        let by_message = |id: &String| self.messages.get(id)?.1.as_deref();
        let by_origin = record.origin.as_ref().map(|origin| origin.correlation.as_str());
        by_origin.or_else(|| match &record.what {
            RecordKind::Publish { message, .. } => by_message(&message.id),
            RecordKind::Deliver { id, .. } | RecordKind::Reply { id, .. } => by_message(id),
            _ => None,
        })
    }

    fn is_wanted(&self, record: &Record) -> bool {
        let Some(only) = self.diagram.only else { return true };
        self.correlation(record).is_none_or(|correlation| only.contains(correlation))
    }

    fn called(&self, word: &str) -> String {
        (self.diagram.name)(word).unwrap_or_else(|| words::shortened(word))
    }

    /// A line from one party to another, after the time that has passed.
    fn arrow(
        &mut self,
        record: &Record,
        from: &Party,
        arrow: &'static str,
        to: &Party,
        text: &str,
    ) {
        self.time(record.at);
        self.paper.arrow(from, arrow, to, text);
    }

    fn note(&mut self, record: &Record, text: Vec<String>) {
        let Some(who) = record.who else { return };
        self.time(record.at);
        let correlation = self.correlation(record).map(str::to_owned);
        let origin = correlation.as_deref().and_then(|origin| (self.diagram.name)(origin));
        let heading = origin.map(|origin| format!("for {origin}:"));
        self.paper.note(&Party::Instance(who), correlation, heading, text);
    }

    fn time(&mut self, now: Timestamp) {
        let before = self.shown.replace(now).unwrap_or(now);
        let passed = Duration::try_from(now.duration_since(before)).unwrap_or_default();
        if passed >= PAUSE {
            self.paper.chapter(format!("{} later", span(passed)));
        }
    }

    fn draw(&mut self, record: &Record) {
        let here = record.who.map(Party::Instance);
        match (&record.what, &here) {
            (RecordKind::Request { number, line, .. }, _) => {
                let Some((from, to)) = self.requests.get(number).cloned() else { return };
                let text = self.said(line);
                match to {
                    Some(to) => self.arrow(record, &from, "->>", &to, &text),
                    None => self.arrow(record, &from, "-x", &from, &text),
                }
            }
            (RecordKind::Answer { number, status, .. }, _) => {
                let Some((to, Some(from))) = self.requests.get(number).cloned() else { return };
                match status {
                    Some(status) => self.arrow(record, &from, "-->>", &to, &status.to_string()),
                    None => self.arrow(record, &from, "--x", &to, "no answer"),
                }
            }
            (RecordKind::Publish { stream, message, outcome }, Some(here)) => {
                let mut text = self.called(&message.subject);
                if *stream == Stream::DeadLetters {
                    text += ", given up";
                }
                match outcome {
                    Ok(published) if published.duplicate => text += ", known already",
                    Ok(_) => {}
                    Err(why) => text += &format!(": {why}"),
                }
                let arrow = if outcome.is_ok() { "->>" } else { "-x" };
                self.arrow(record, here, arrow, &Party::Bus, &text);
            }
            (RecordKind::Deliver { subject, attempt, .. }, Some(here)) => {
                let again =
                    if *attempt > 1 { format!(", delivery {attempt}") } else { String::new() };
                let text = self.called(subject) + &again;
                self.arrow(record, &Party::Bus, "->>", here, &text);
            }
            (RecordKind::Reply { operation: "nak", id, .. }, Some(here)) => {
                let name = self.messages.get(id).map_or("", |(name, _)| name.as_str());
                let text = format!("{name}, once more please");
                self.arrow(record, here, "-->>", &Party::Bus, &text);
            }
            (RecordKind::ExternalService { line, outcome }, Some(here)) => {
                self.arrow(record, here, "->>", &Party::ExternalService, line);
                match outcome {
                    Ok(status) => {
                        self.arrow(
                            record,
                            &Party::ExternalService,
                            "-->>",
                            here,
                            &status.to_string(),
                        );
                    }
                    Err(why) => self.arrow(record, &Party::ExternalService, "--x", here, why),
                }
            }
            (RecordKind::Write { .. } | RecordKind::Read { .. }, Some(_)) => {
                if let Some(text) = self.stored(record) {
                    self.note(record, text);
                }
            }
            (RecordKind::Fault { operation: at, target, effect: what }, Some(_)) => {
                let target = self.called(target);
                let text = format!("⚡ {} {target}: {}", operation(*at), effect(*what));
                self.note(record, vec![text]);
            }
            (RecordKind::Start, Some(_)) => self.note(record, vec!["starts".to_owned()]),
            (RecordKind::Crash, Some(_)) => self.note(record, vec!["✗ crashes".to_owned()]),
            (RecordKind::Panic { message }, Some(_)) => {
                self.note(record, vec![format!("✗ panics: {message}")]);
            }
            _ => {}
        }
    }

    /// What a read or a write was; `None` where it is not worth a line.
    fn stored(&self, record: &Record) -> Option<Vec<String>> {
        let name = |id: &str| self.called(id);
        match &record.what {
            RecordKind::Read { operation, collection, input, outcome } => {
                record.origin.as_ref()?;
                let what = match input.get_str("_id") {
                    Ok(id) => format!("{operation} {collection} ({})", name(id)),
                    Err(_) => format!("{operation} {collection}"),
                };
                Some(vec![match outcome {
                    Ok(0) => format!("{what}: none"),
                    Ok(found) => format!("{what}: {found} found"),
                    Err(why) => format!("{what}: {why}"),
                }])
            }
            RecordKind::Write { operation, collection, outcome, .. } => {
                let what = format!("{operation} {collection}");
                let document = match outcome {
                    Ok(Some(document)) => document,
                    Ok(None) => {
                        record.origin.as_ref()?;
                        return Some(vec![format!("{what}: no match")]);
                    }
                    Err(why) => return Some(vec![format!("{what}: {why}")]),
                };
                let id = document.get_str("_id").unwrap_or_default();
                let key = (record.who?.service, collection.clone(), id.to_owned());
                let changes = changed(self.documents.get(&key), document, &name);
                if changes.is_empty() {
                    return None;
                }
                let mut lines = vec![format!("{what} ({})", name(id))];
                lines.extend(changes);
                Some(lines)
            }
            _ => None,
        }
    }

    /// A request's line, with names for ids.
    fn said(&self, line: &str) -> String {
        let parts = line.split('/').map(|part| match (self.diagram.name)(part) {
            Some(name) => format!("({name})"),
            None => words::shortened(part),
        });
        parts.collect::<Vec<_>>().join("/")
    }
}

#[cfg(test)]
mod tests;
