//! A trace as a sequence diagram: clients, instances, the bus and external services, with the
//! messages between them, the changes of documents, and the injected faults.
//!
//! It names no service and no event by itself: the caller gives names for ids and subjects.
//! Acknowledgements are left out unless they are among the records to keep, and so are reads that
//! no request or event caused and writes that change only a collection's bookkeeping. A hold is a
//! bar on the lane of the instance that took it; a second one of the same thing stands beside it.
//!
//! Next: `sequence` for the parts of a diagram, `bars` for holds, `labels` for texts, `mermaid` and
//! `svg` for the notation.

mod bars;
mod labels;
mod mermaid;
mod sequence;
mod svg;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use bson::Document;
use ports::Timestamp;
use ports::bus::Stream;
use ports::causality::Causality;

use crate::faults::{Effect, Operation};
use crate::subject::{Hold, Written};
use crate::trace::{Record, RecordKind};
use bars::{Bars, Key, written};
use labels::{changes, effect, shortened, span};
pub use sequence::Sequence;
use sequence::{Arrow, Builder, Participant, Tone};

/// The selection of records for a diagram, and their names.
pub struct Diagram<'a> {
    /// Index of the first record to draw. Earlier ones only show which fields a write changed.
    pub from: usize,
    /// Indices of the records to draw; `None` for all. A line stands for those in between.
    pub keep: Option<&'a BTreeSet<usize>>,
    /// The violation in words, and the index of the record at which it comes about; the last line
    /// where that is not known.
    pub violation: Option<(&'a str, Option<usize>)>,
    /// The injected faults in words, in the order of their records; those without words are named
    /// by their call and effect.
    pub faults: &'a [String],
    /// The name of the external services.
    pub external: &'a str,
    /// Maximum number of lines; the middle of a longer diagram is left out.
    pub limit: usize,
    /// The reader's name for an id, a subject, a consumer, or the cause of a correlation.
    pub name: &'a dyn Fn(&str) -> Option<String>,
    /// The hold that a written document stands for.
    pub hold: &'a dyn Fn(&Written<'_>) -> Option<Hold>,
}

/// The shortest pause that gets a line.
const SHOWN_PAUSE: Duration = Duration::from_secs(1);

/// The sequence diagram of these records.
pub fn draw(records: &[Record], diagram: &Diagram<'_>) -> Sequence {
    let mut drawing = Drawing {
        diagram,
        builder: Builder::new(diagram.external),
        faults: diagram.faults.iter(),
        fault: None,
        documents: BTreeMap::new(),
        bars: Bars::default(),
        requests: BTreeMap::new(),
        messages: BTreeMap::new(),
        last: records.get(diagram.from).map(|record| record.at),
    };
    let moment = diagram.violation.and_then(|(_, moment)| moment);
    for (at, record) in records.iter().enumerate() {
        drawing.learn(record);
        if at >= diagram.from {
            drawing.builder.is_muted = diagram.keep.is_some_and(|keep| !keep.contains(&at));
            drawing.release(record);
            drawing.draw(record);
            drawing.take(record);
        }
        if moment == Some(at) {
            drawing.violation();
        }
        drawing.remember(record);
    }
    if moment.is_none_or(|moment| moment >= records.len()) {
        drawing.violation();
    }
    drawing.builder.finish(diagram.limit)
}

struct Drawing<'a> {
    diagram: &'a Diagram<'a>,
    builder: Builder,
    /// Documents as last written, by service, collection and id.
    documents: BTreeMap<Key, Document>,
    bars: Bars,
    /// The client of each request, and the instance that it was routed to.
    requests: BTreeMap<u64, (Participant, Option<Participant>)>,
    /// The name of each message, and its correlation.
    messages: BTreeMap<String, (String, Option<String>)>,
    /// The words of the faults to come, and those of the current record.
    faults: std::slice::Iter<'a, String>,
    fault: Option<String>,
    /// Time of the last line.
    last: Option<Timestamp>,
}

impl Drawing<'_> {
    /// Keeps the parts of a record that later ones refer to.
    fn learn(&mut self, record: &Record) {
        match &record.kind {
            RecordKind::Fault { .. } => self.fault = self.faults.next().cloned(),
            RecordKind::Publish { message, .. } => {
                let header = message.headers.get("traceparent");
                let origin = header.and_then(|header| Causality::parse(header, &message.id));
                let name = self.name(&message.subject);
                let origin = origin.map(|origin| origin.correlation);
                self.messages.insert(message.id.clone(), (name, origin));
            }
            RecordKind::Request { number, by, to, .. } => {
                let name = by.as_deref().map_or_else(|| "client".to_owned(), |by| self.name(by));
                let to = to.map(Participant::Instance);
                self.requests.insert(*number, (Participant::Client(name), to));
            }
            _ => {}
        }
    }

    /// Keeps a written document, to find the changes of the next write.
    fn remember(&mut self, record: &Record) {
        if let Some((key, written)) = written(record) {
            self.documents.insert(key, written.document.clone());
        }
    }

    /// Ends the bar of a hold that this record ends.
    fn release(&mut self, record: &Record) {
        let Some((key, written)) = written(record) else { return };
        let now = (self.diagram.hold)(&written);
        if let Some(number) = self.bars.end(&key, now.as_ref()) {
            self.builder.release(number);
        }
    }

    /// Begins the bar of a hold that this record begins. Another hold of the same thing is drawn
    /// with it.
    fn take(&mut self, record: &Record) {
        let (Some(here), Some((key, written))) = (record.instance, written(record)) else { return };
        let Some(hold) = (self.diagram.hold)(&written).filter(|_| !self.bars.has(&key)) else {
            return;
        };
        let other =
            self.bars.beside(here, &hold.thing).map(|(number, over)| (number, over.clone()));
        let (over, tone) = match &other {
            Some((_, over)) => (over.clone(), Tone::Wrong),
            None => (Participant::Instance(here), Tone::Plain),
        };
        let text = format!("{} holds {}", self.name(&hold.holder), self.name(&hold.thing));
        let number = self.builder.hold(&over, tone, text);
        if let Some((other, _)) = other.filter(|_| !self.builder.is_muted) {
            self.builder.keep(other);
        }
        self.bars.begin(key, hold, number, over);
    }

    fn correlation<'r>(&'r self, record: &'r Record) -> Option<&'r str> {
        let by_message = |id: &String| self.messages.get(id)?.1.as_deref();
        let by_origin = record.origin.as_ref().map(|origin| origin.correlation.as_str());
        by_origin.or_else(|| match &record.kind {
            RecordKind::Publish { message, .. } => by_message(&message.id),
            RecordKind::Deliver { id, .. } | RecordKind::Reply { id, .. } => by_message(id),
            _ => None,
        })
    }

    /// Adds a line for the violation.
    fn violation(&mut self) {
        if let Some((how, _)) = self.diagram.violation {
            self.builder.is_muted = false;
            self.builder.divider(Tone::Wrong, format!("✗ {how}"));
        }
    }

    fn name(&self, word: &str) -> String {
        (self.diagram.name)(word).unwrap_or_else(|| shortened(word))
    }

    fn arrow(
        &mut self,
        record: &Record,
        from: &Participant,
        arrow: Arrow,
        to: &Participant,
        text: impl Into<String>,
    ) {
        self.pause(record.at);
        self.builder.arrow(from, arrow, to, Tone::Plain, text.into());
    }

    fn note(&mut self, record: &Record, text: Vec<String>) {
        self.toned(record, Tone::Plain, text);
    }

    fn toned(&mut self, record: &Record, tone: Tone, text: Vec<String>) {
        let Some(at) = record.instance else { return };
        self.pause(record.at);
        let correlation = self.correlation(record).map(str::to_owned);
        let cause = correlation.as_deref().and_then(|cause| (self.diagram.name)(cause));
        let heading = cause.map(|cause| format!("for {cause}:"));
        self.builder.note(&Participant::Instance(at), correlation, tone, heading, text);
    }

    /// Adds a line for the time since the last one, if it is long.
    fn pause(&mut self, now: Timestamp) {
        if self.builder.is_muted {
            return;
        }
        let before = self.last.replace(now).unwrap_or(now);
        let passed = Duration::try_from(now.duration_since(before)).unwrap_or_default();
        if passed >= SHOWN_PAUSE {
            self.builder.divider(Tone::Plain, format!("{} later", span(passed)));
        }
    }

    fn draw(&mut self, record: &Record) {
        match (&record.kind, record.instance.map(Participant::Instance)) {
            (RecordKind::Request { number, line, .. }, _) => self.request(record, *number, line),
            (RecordKind::Answer { number, status, .. }, _) => {
                let Some((client, Some(server))) = self.requests.get(number).cloned() else {
                    return;
                };
                self.reply(record, &server, &client, status.ok_or("no response"));
            }
            (kind, Some(here)) => self.draw_at(record, kind, &here),
            _ => {}
        }
    }

    /// Draws a record of an instance.
    fn draw_at(&mut self, record: &Record, kind: &RecordKind, here: &Participant) {
        match kind {
            RecordKind::Publish { stream, message, outcome } => {
                let mut text = self.name(&message.subject);
                if *stream == Stream::DeadLetters {
                    text += ", dead letter";
                }
                match outcome {
                    Ok(published) if published.duplicate => text += ", duplicate",
                    Ok(_) => {}
                    Err(error) => text += &format!(": {error}"),
                }
                let arrow = if outcome.is_ok() { Arrow::Message } else { Arrow::LostMessage };
                self.arrow(record, here, arrow, &Participant::Bus, text);
            }
            RecordKind::Deliver { subject, attempt, .. } => {
                let mut text = self.name(subject);
                let mut tone = Tone::Plain;
                if *attempt > 1 {
                    text += &format!(", delivered again ({attempt})");
                    tone = Tone::Fault;
                }
                self.pause(record.at);
                self.builder.arrow(&Participant::Bus, Arrow::Message, here, tone, text);
            }
            RecordKind::Reply { operation: "nak", id, .. } => {
                let name = self.messages.get(id).map_or("message", |(name, _)| name.as_str());
                let text = format!("nak of {name}");
                self.arrow(record, here, Arrow::Reply, &Participant::Bus, text);
            }
            RecordKind::Reply { operation: "ack", id, .. } if self.diagram.keep.is_some() => {
                if self.builder.is_muted {
                    return;
                }
                let name = self.messages.get(id).map_or("message", |(name, _)| name.as_str());
                let text = format!("acknowledges {name}");
                self.arrow(record, here, Arrow::Reply, &Participant::Bus, text);
            }
            RecordKind::External { line, outcome } => {
                let external = Participant::External;
                self.arrow(record, here, Arrow::Message, &external, line.as_str());
                self.reply(record, &external, here, outcome.as_ref().copied());
            }
            RecordKind::Write { .. } | RecordKind::Read { .. } => {
                if let Some(text) = self.stored(record) {
                    self.note(record, text);
                }
            }
            RecordKind::Fault { operation: Operation::Ack, target, effect: Effect::LoseAck } => {
                let text = format!("⚡ acknowledgement of {}, lost", self.name(target));
                self.pause(record.at);
                let bus = Participant::Bus;
                self.builder.arrow(here, Arrow::LostReply, &bus, Tone::Fault, text);
            }
            RecordKind::Fault { operation, target, effect: what } => {
                let words = self.fault.take();
                let words = words.unwrap_or_else(|| {
                    format!("{operation} {}: {}", self.name(target), effect(*what))
                });
                self.toned(record, Tone::Fault, vec![format!("⚡ {words}")]);
            }
            RecordKind::Start => self.note(record, vec!["starts".to_owned()]),
            RecordKind::Crash => self.toned(record, Tone::Crash, vec!["✗ crashes".to_owned()]),
            RecordKind::Panic { message } => {
                self.toned(record, Tone::Fault, vec![format!("✗ panics: {message}")]);
            }
            _ => {}
        }
    }

    fn request(&mut self, record: &Record, number: u64, line: &str) {
        let Some((client, server)) = self.requests.get(&number).cloned() else { return };
        let text = self.line(line);
        match server {
            Some(server) => self.arrow(record, &client, Arrow::Message, &server, text),
            None => self.arrow(record, &client, Arrow::LostMessage, &client, text),
        }
    }

    fn reply(
        &mut self,
        record: &Record,
        from: &Participant,
        to: &Participant,
        status: Result<u16, impl AsRef<str>>,
    ) {
        match status {
            Ok(status) => self.arrow(record, from, Arrow::Reply, to, status.to_string()),
            Err(error) => self.arrow(record, from, Arrow::LostReply, to, error.as_ref()),
        }
    }

    /// The text of a read or a write; `None` where it gets no line.
    fn stored(&self, record: &Record) -> Option<Vec<String>> {
        let name = |id: &str| self.name(id);
        match &record.kind {
            RecordKind::Read { operation, collection, input, outcome, .. } => {
                record.origin.as_ref()?;
                let call = match (*operation, input.get_str("_id")) {
                    ("get", Ok(id)) => format!("reads {collection} ({})", name(id)),
                    (_, Ok(id)) => format!("searches {collection} ({})", name(id)),
                    _ => format!("searches {collection}"),
                };
                Some(vec![match outcome {
                    Ok(0) => format!("{call}: none"),
                    Ok(found) => format!("{call}: {found} found"),
                    Err(error) => format!("{call}: {error}"),
                }])
            }
            RecordKind::Write { operation, collection, outcome, .. } => {
                let verb = if *operation == "insert" { "inserts into" } else { "updates" };
                let call = format!("{verb} {collection}");
                let document = match outcome {
                    Ok(Some(document)) => document,
                    Ok(None) => {
                        record.origin.as_ref()?;
                        return Some(vec![format!("{call}: no match")]);
                    }
                    Err(error) => return Some(vec![format!("{call}: {error}")]),
                };
                let id = document.get_str("_id").unwrap_or_default();
                let key = (record.instance?.service, collection.clone(), id.to_owned());
                let changes = changes(self.documents.get(&key), document, &name);
                if changes.is_empty() {
                    return None;
                }
                let mut lines = vec![format!("{call} ({})", name(id))];
                lines.extend(changes);
                Some(lines)
            }
            _ => None,
        }
    }

    /// A request line, with names for ids.
    fn line(&self, line: &str) -> String {
        let parts = line.split('/').map(|part| match (self.diagram.name)(part) {
            Some(name) => format!("({name})"),
            None => shortened(part),
        });
        parts.collect::<Vec<_>>().join("/")
    }
}

#[cfg(test)]
mod holds;
#[cfg(test)]
mod tests;
