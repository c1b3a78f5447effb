//! Records as sentences, with the readable names of their run.

use ports::bus::Stream;

use super::facts::{Fact, Facts, pulled};
use super::values::{changed, quoted};
use crate::story::fault::Sentences;
use crate::trace::{Record, RecordKind};

/// The words for the records of one run.
pub(super) struct Words<'a> {
    pub(super) facts: &'a Facts<'a>,
    /// The external service.
    pub(super) external: &'static str,
    /// The sentences of the injected faults, by the index of their record.
    pub(super) faults: Vec<(usize, String)>,
}

impl Words<'_> {
    fn at(&self, at: usize) -> (&Record, &Fact) {
        (&self.facts.records[at], &self.facts.facts[at])
    }

    /// A record as a sentence: what happens, without its outcome.
    pub(super) fn action(&self, at: usize) -> String {
        let (record, fact) = self.at(at);
        let service = record.instance.map_or("", |instance| instance.service);
        let target = fact.place.as_ref().map_or("", |place| place.target.as_str());
        match &record.kind {
            RecordKind::Request { number, .. } => {
                let client = self.facts.clients.get(number).map_or("a client", String::as_str);
                format!("{client} sends {target}")
            }
            RecordKind::Answer { number, .. } => {
                let client = self.facts.clients.get(number).map_or("a client", String::as_str);
                format!("the answer to {target} of {client}")
            }
            RecordKind::Read { collection, input, .. } => {
                let whose = self.whose(record);
                match input.get_str("_id") {
                    Ok(id) => {
                        let document = self.facts.document(collection, id);
                        format!("{service} reads {document} in {collection}{whose}")
                    }
                    Err(_) => format!("{service} searches {collection}{whose}"),
                }
            }
            RecordKind::Write { operation: "insert", collection, input, .. } => {
                let id = input.get_str("_id").unwrap_or_default();
                let document = self.facts.document(collection, id);
                format!("{service} inserts {document} into {collection}")
            }
            RecordKind::Write { collection, input, outcome, .. } => {
                let id = match outcome {
                    Ok(Some(document)) => document.get_str("_id").ok(),
                    _ => input.get_document("filter").and_then(|f| f.get_str("_id")).ok(),
                };
                let document = self.facts.document(collection, id.unwrap_or_default());
                if !pulled(input).is_empty() {
                    return format!("{service} removes the event from the outbox of {document}");
                }
                let event = self.handled(record).map(|event| format!(" on {event}"));
                let event = event.unwrap_or_default();
                format!("{service} updates {document} in {collection}{event}")
            }
            RecordKind::Publish { stream: Stream::DeadLetters, message, .. } => {
                let of = message.id.split_once('/').map_or(message.id.as_str(), |(_, id)| id);
                format!("{service} gives up on {}, a dead letter", self.facts.event(of, target))
            }
            RecordKind::Publish { message, .. } => {
                format!("{service} publishes {}", self.facts.event(&message.id, target))
            }
            RecordKind::Deliver { id, subject, attempt, .. } => {
                let event = self.facts.event(id, subject);
                let again = match attempt {
                    1 => String::new(),
                    2 => " a second time".to_owned(),
                    attempt => format!(", delivery {attempt}"),
                };
                format!("{event} is delivered to {service}{again}")
            }
            RecordKind::Reply { operation, id, .. } => {
                let event = self.facts.event(id, target);
                match *operation {
                    "ack" => format!("{service} acknowledges {event}"),
                    "nak" => format!("{service} rejects {event} for redelivery"),
                    _ => format!("{service} asks for more time for {event}"),
                }
            }
            RecordKind::External { .. } => {
                format!("{service} sends {target} to {}", self.external)
            }
            RecordKind::Fault { .. } => {
                let fault = self.faults.iter().find(|(fault, _)| *fault == at);
                fault.map_or_else(|| format!("a fault at {target}"), |(_, words)| words.clone())
            }
            RecordKind::Start => format!("{service} starts"),
            RecordKind::Crash => format!("{service} crashes"),
            RecordKind::Panic { .. } => format!("{service} panics"),
            RecordKind::Subscribe { .. } => format!("{service} opens a consumer"),
            RecordKind::Remove { .. } => format!("{service} removes a message"),
            RecordKind::Forget { service } => format!("{service} loses its data"),
            RecordKind::Expire { service, collection, .. } => {
                format!("a document leaves {service}.{collection}")
            }
            RecordKind::Step { text } => text.clone(),
        }
    }

    /// The outcome of a record in words; empty where the action says enough.
    pub(super) fn outcome(&self, at: usize) -> String {
        let (record, fact) = self.at(at);
        match &record.kind {
            RecordKind::Answer { status: None, .. } => "no response".to_owned(),
            RecordKind::Answer { status: Some(status), .. } => status.to_string(),
            RecordKind::Read { outcome: Ok(_), .. } if fact.found.is_empty() => {
                "finds nothing".to_owned()
            }
            RecordKind::Read { input, outcome: Ok(found), .. } => {
                let mut all: Vec<String> = Vec::new();
                for (name, fields) in &fact.found {
                    let all_fields: Vec<_> = fields
                        .iter()
                        .filter(|(field, _)| !input.contains_key(field.as_str()))
                        .map(|(field, value)| (field.clone(), value.clone()))
                        .collect();
                    all.push(match input.get_str("_id") {
                        Ok(_) => quoted(&all_fields),
                        Err(_) => name.clone(),
                    });
                }
                match all.len() {
                    0 => format!("finds {found}"),
                    1..=3 => format!("finds {}", all.join(" and ")),
                    more => format!("finds {more}"),
                }
            }
            RecordKind::Write { outcome: Ok(Some(_)), .. } => {
                let changes = fact.written.as_ref().map(|(before, after)| changed(before, after));
                let text = quoted(&changes.unwrap_or_default());
                if text.is_empty() { "nothing changes".to_owned() } else { text }
            }
            RecordKind::Write { outcome: Ok(None), .. } => "no document matches".to_owned(),
            RecordKind::Publish { outcome: Err(error), .. } => error.to_string(),
            RecordKind::Fault { .. } | RecordKind::Publish { .. } | RecordKind::Deliver { .. } => {
                String::new()
            }
            _ => fact.outcome.clone(),
        }
    }

    /// A record with its outcome.
    pub(super) fn sentence(&self, at: usize) -> String {
        let (action, outcome) = (self.action(at), self.outcome(at));
        let joint = match self.facts.records[at].kind {
            RecordKind::Read { .. } => " and ",
            RecordKind::Answer { .. } => " is ",
            _ => ": ",
        };
        if outcome.is_empty() { action } else { format!("{action}{joint}{outcome}") }
    }

    /// A record of this run, with its outcome and that of its counterpart in another run. Where
    /// both are documents, only the fields are quoted that tell them apart.
    pub(super) fn contrast(&self, at: usize, other: &Self, there: usize) -> String {
        let (here, that) = (&self.facts.facts[at], &other.facts.facts[there]);
        let fields = |fact: &Fact| match (&fact.written, &fact.found[..]) {
            (Some((_, after)), _) => Some(after.clone()),
            (None, [(_, fields)]) => Some(fields.clone()),
            _ => None,
        };
        let (mut ours, mut theirs) = (self.outcome(at), other.outcome(there));
        if let (Some(here), Some(that)) = (fields(here), fields(that)) {
            let (here, that) = (quoted(&changed(&that, &here)), quoted(&changed(&here, &that)));
            if !here.is_empty() && !that.is_empty() {
                (ours, theirs) = (here, that);
            }
        }
        let quoted = |text: String| if text.is_empty() { "it succeeds".to_owned() } else { text };
        let (action, ours, theirs) = (self.action(at), quoted(ours), quoted(theirs));
        format!("{action}: {ours}; in the passing run: {theirs}")
    }

    /// Whether a record is a fault.
    pub(super) fn is_fault(&self, at: usize) -> bool {
        matches!(self.facts.records[at].kind, RecordKind::Fault { .. })
    }

    /// For whom the work of a record is done.
    fn whose(&self, record: &Record) -> String {
        match (self.handled(record), self.facts.client(record)) {
            (Some(event), _) => format!(" on {event}"),
            (None, Some(client)) => format!(" for {client}"),
            (None, None) => String::new(),
        }
    }

    /// The event that a record's work handles.
    fn handled(&self, record: &Record) -> Option<String> {
        let cause = &record.origin.as_ref()?.cause;
        self.facts.events.contains_key(cause).then(|| self.facts.event(cause, "an event"))
    }

    /// The index of the record of each injected fault, with its sentence.
    pub(super) fn faults(
        records: &[Record],
        rules: &[crate::faults::FaultRule],
        sentences: &Sentences,
    ) -> Vec<(usize, String)> {
        let faults = records.iter().enumerate();
        let faults = faults.filter(|(_, record)| matches!(record.kind, RecordKind::Fault { .. }));
        faults.zip(rules).map(|((at, _), rule)| (at, sentences.of(rule))).collect()
    }
}
