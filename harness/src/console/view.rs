//! A record as the console shows it: a sentence, the way that something moves on the map, and all
//! fields.

use std::collections::BTreeMap;

use ports::bus::Stream;
use serde_json::{Value, json};

use crate::faults::FaultRule;
use crate::report::trace::{extended, line};
use crate::subject::{AnySubject, Names};
use crate::trace::{Record, RecordKind, UPDATE_MANY};

/// Turns the records of one run into views, in order.
pub(crate) struct Viewer {
    subject: AnySubject,
    names: Names,
    /// The line of each request that has no reply yet, and the service that received it.
    requests: BTreeMap<u64, (String, Option<&'static str>)>,
}

/// The parts of a view that depend on the kind of the record.
struct View {
    kind: &'static str,
    text: String,
    /// The two ends of a movement on the map.
    way: Option<(String, String)>,
    event: Option<String>,
    /// The document after a write, with its collection.
    document: Option<(String, Value)>,
    /// Whether something failed.
    is_bad: bool,
}

const CLIENTS: &str = "clients";
const BUS: &str = "bus";
const EXTERNAL: &str = "external";

fn service(name: &str) -> String {
    format!("service:{name}")
}

fn store(name: &str) -> String {
    format!("store:{name}")
}

impl View {
    fn new(kind: &'static str, text: String) -> Self {
        Self { kind, text, way: None, event: None, document: None, is_bad: false }
    }

    fn from(self, from: String, to: String) -> Self {
        Self { way: Some((from, to)), ..self }
    }

    fn about(self, event: String) -> Self {
        Self { event: Some(event), ..self }
    }

    fn bad(self, is_bad: bool) -> Self {
        Self { is_bad, ..self }
    }
}

impl Viewer {
    /// For the records of a run of this subject.
    pub(crate) fn new(subject: &AnySubject) -> Self {
        let (names, requests) = (Names::default(), BTreeMap::new());
        Self { subject: subject.clone(), names, requests }
    }

    /// The text with names in the place of ids.
    pub(crate) fn named(&self, text: &str) -> String {
        self.names.replace_ids(text)
    }

    /// The view of the next record, with its number.
    pub(crate) fn view(&mut self, number: usize, record: &Record) -> (usize, Value) {
        self.subject.learn_names(record, &mut self.names);
        let at = record.instance.map_or("", |instance| instance.service);
        let View { kind, text, way, event, document, is_bad } = self.parts(at, record);
        let is_idle = matches!(record.kind, RecordKind::Read { .. }) && record.origin.is_none();
        let (from, to) = way.unzip();
        let document = document.map(|(collection, document)| {
            let name = document["_id"].as_str().and_then(|id| self.names.of_id(id));
            json!({ "service": at, "collection": collection, "name": name, "document": document })
        });
        let view = json!({
            "n": number,
            "at": record.at.to_string(),
            "kind": kind,
            "service": record.instance.map(|instance| instance.service),
            "instance": record.instance.map(|instance| instance.to_string()),
            "text": self.named(&text),
            "from": from,
            "to": to,
            "event": event,
            "written": document,
            "bad": is_bad,
            "idle": is_idle,
            "fields": line(number, record),
        });
        (number, view)
    }

    fn parts(&mut self, at: &'static str, record: &Record) -> View {
        match &record.kind {
            RecordKind::Request { number, line, to, .. } => {
                let to = to.map(|instance| instance.service);
                self.requests.insert(*number, (line.clone(), to));
                let view = View::new("request", line.clone());
                let ends = to.map(|to| (CLIENTS.to_owned(), service(to)));
                View { way: ends, is_bad: to.is_none(), ..view }
            }
            RecordKind::Answer { number, status, .. } => {
                let (line, from) = self.requests.remove(number).unwrap_or_default();
                let is_bad = status.is_none_or(|status| status >= 500);
                let status = status.map_or("no reply".to_owned(), |status| status.to_string());
                let view = View::new("reply", format!("{status} to {line}")).bad(is_bad);
                View { way: from.map(|from| (service(from), CLIENTS.to_owned())), ..view }
            }
            RecordKind::Write { operation, collection, outcome, .. } => {
                let text = match outcome {
                    Ok(Some(document)) => {
                        let id = document.get_str("_id").unwrap_or("a document");
                        format!("{operation} in {collection}: {id}")
                    }
                    Ok(None) if *operation == UPDATE_MANY => format!("{operation} in {collection}"),
                    Ok(None) => format!("{operation} in {collection}: no document matches"),
                    Err(error) => format!("{operation} in {collection}: {error}"),
                };
                let document = outcome.as_ref().ok().and_then(Option::as_ref);
                let document = document.map(|d| (collection.clone(), extended(d)));
                let view = View::new("write", text).bad(outcome.is_err());
                View { document, ..view }.from(service(at), store(at))
            }
            RecordKind::Read { operation, collection, outcome, .. } => {
                let found = match outcome {
                    Ok(found) => format!("{found} found"),
                    Err(error) => error.clone(),
                };
                View::new("read", format!("{operation} in {collection}: {found}"))
                    .bad(outcome.is_err())
                    .from(store(at), service(at))
            }
            RecordKind::Publish { stream, message, outcome } => {
                let event = self.event(&message.subject);
                let text = match (stream, outcome) {
                    (_, Err(error)) => format!("{event} is not published: {error}"),
                    (Stream::DeadLetters, Ok(_)) => format!("{event} becomes a dead letter"),
                    (Stream::Events, Ok(published)) if published.duplicate => {
                        format!("{event} again, which the bus ignores")
                    }
                    (Stream::Events, Ok(_)) => event.clone(),
                };
                let is_bad = outcome.is_err() || *stream == Stream::DeadLetters;
                View::new("publish", text).bad(is_bad).from(service(at), BUS.into()).about(event)
            }
            RecordKind::Remove { removed, .. } => {
                let text = if *removed { "a message is removed" } else { "no message to remove" };
                View::new("publish", text.to_owned())
            }
            RecordKind::Subscribe { consumer } => {
                View::new("life", format!("{consumer} receives messages"))
            }
            RecordKind::Deliver { subject, attempt, .. } => {
                let event = self.event(subject);
                let again =
                    if *attempt > 1 { format!(", attempt {attempt}") } else { String::new() };
                let view = View::new("delivery", format!("{event}{again}")).bad(*attempt > 1);
                view.from(BUS.into(), service(at)).about(event)
            }
            RecordKind::Reply { operation, consumer, heard, .. } => {
                let event = self.subject.sentences().event_of_consumer(consumer);
                let event = event.unwrap_or(consumer).to_owned();
                let lost = if *heard { "" } else { ", which the bus does not hear" };
                let view = View::new("ack", format!("{operation} of {event}{lost}"));
                let view = view.bad(*operation == "nak" || !heard);
                view.from(service(at), BUS.into()).about(event)
            }
            RecordKind::External { line, outcome } => {
                let answer = match outcome {
                    Ok(status) => status.to_string(),
                    Err(error) => error.clone(),
                };
                View::new("external", format!("{line}: {answer}"))
                    .bad(outcome.is_err())
                    .from(service(at), EXTERNAL.to_owned())
            }
            RecordKind::Fault { operation, target, effect } => {
                let rule = FaultRule {
                    service: Some(at.to_owned()),
                    operation: *operation,
                    target: Some(target.clone()),
                    skip: 0,
                    times: 1,
                    effect: *effect,
                };
                View::new("fault", self.subject.sentences().at_the("", &rule)).bad(true)
            }
            RecordKind::Start => View::new("life", format!("{at} starts")),
            RecordKind::Crash => View::new("life", format!("{at} crashes")).bad(true),
            RecordKind::Panic { message } => {
                View::new("life", format!("{at} panics: {message}")).bad(true)
            }
            RecordKind::Forget { service } => {
                View::new("life", format!("{service} loses its data")).bad(true)
            }
            RecordKind::Expire { service, collection, document } => {
                let id = document.get_str("_id").unwrap_or_default();
                View::new("life", format!("{id} leaves {service}.{collection}"))
            }
            RecordKind::Step { text } => View::new("step", text.clone()),
        }
    }

    /// The name of the event with this subject; the subject itself, where it has none.
    fn event(&self, subject: &str) -> String {
        self.subject.sentences().event_name(subject).unwrap_or(subject).to_owned()
    }
}
