//! Spans of a trace: requests, deliveries and calls on ports, each with its cause.

use std::collections::BTreeMap;

use bson::Bson;
use ports::Timestamp;
use ports::causality::Causality;
use serde_json::{Value, json};

use crate::instance::InstanceId;
use crate::trace::{Record, RecordKind};

/// The role of a span, with the meanings of OpenTelemetry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SpanKind {
    /// Work inside an instance, such as its whole life.
    Internal,
    /// A request of a client.
    Server,
    /// A call on the store or to an external service.
    Client,
    /// A publish.
    Producer,
    /// A delivery, up to the reply to it.
    Consumer,
}

/// A piece of work of an instance.
#[derive(Debug, Clone, PartialEq)]
pub struct Span {
    /// The position of its record in the trace, from 1; lives of instances count down from the
    /// largest number. Unique in a run.
    pub id: u64,
    /// The trace: 32 hex digits, the correlation of the work.
    pub trace: String,
    /// The span of the same trace that caused this one.
    pub parent: Option<u64>,
    /// Its name: method and path, or operation and target.
    pub name: String,
    /// Its role.
    pub kind: SpanKind,
    /// The instance; `None` for the clients.
    pub instance: Option<InstanceId>,
    /// The time at which it begins.
    pub start: Timestamp,
    /// The time at which it ends.
    pub end: Timestamp,
    /// Its attributes: text or whole numbers.
    pub attributes: Vec<(&'static str, Value)>,
    /// The failure that ended it.
    pub error: Option<String>,
    /// The events during it: faults, crashes, panics.
    pub events: Vec<SpanEvent>,
}

impl Span {
    /// The service that did it; `clients` for the clients.
    pub(super) fn service(&self) -> &'static str {
        self.instance.map_or(CLIENTS, |instance| instance.service)
    }

    /// The instance that did it, by name.
    pub(super) fn worker(&self) -> String {
        worker(self.instance)
    }
}

/// The name of the clients, where an instance has its own.
const CLIENTS: &str = "clients";

fn worker(instance: Option<InstanceId>) -> String {
    instance.map_or(CLIENTS.to_owned(), |instance| instance.to_string())
}

/// Something that happened at one point of a span.
#[derive(Debug, Clone, PartialEq)]
pub struct SpanEvent {
    /// The time.
    pub at: Timestamp,
    /// Its name: `fault`, `crash`, `panic`, `step`.
    pub name: &'static str,
    /// It in words.
    pub text: String,
}

/// The spans of a trace, in the order in which they begin.
pub fn of(records: &[Record]) -> Vec<Span> {
    let Some(last) = records.last() else { return Vec::new() };
    let mut reading = Reading::new(records, last.at);
    for (number, record) in records.iter().enumerate() {
        reading.read(number, record);
    }
    let mut spans = reading.spans;
    spans.sort_by_key(|span| (span.start, span.id));
    spans
}

/// Where a span belongs: its trace and its parent.
type Place = (String, Option<u64>);

struct Reading<'a> {
    records: &'a [Record],
    end: Timestamp,
    spans: Vec<Span>,
    /// The span of the life of each instance, and of the clients.
    lives: BTreeMap<Option<InstanceId>, usize>,
    requests: BTreeMap<u64, usize>,
    /// The request of each correlation.
    origins: BTreeMap<String, usize>,
    /// The open deliveries, by instance, consumer and message.
    open: BTreeMap<(Option<InstanceId>, &'a str, &'a str), usize>,
    /// The last delivery of each message to each instance.
    delivered: BTreeMap<(Option<InstanceId>, &'a str), usize>,
    /// The write that emitted each event.
    emitted: BTreeMap<String, usize>,
    published: BTreeMap<&'a str, usize>,
}

impl<'a> Reading<'a> {
    fn new(records: &'a [Record], end: Timestamp) -> Self {
        let mut reading = Self {
            records,
            end,
            spans: Vec::new(),
            lives: BTreeMap::new(),
            requests: BTreeMap::new(),
            origins: BTreeMap::new(),
            open: BTreeMap::new(),
            delivered: BTreeMap::new(),
            emitted: BTreeMap::new(),
            published: BTreeMap::new(),
        };
        reading.live(None, records[0].at);
        reading
    }

    /// Begins the life of an instance, in a trace of its own.
    fn live(&mut self, instance: Option<InstanceId>, at: Timestamp) -> usize {
        let name = worker(instance);
        // Other spans count records from 1, so lives count down.
        let id = u64::MAX - self.lives.len() as u64;
        let place = (format!("{:032x}", u128::from(id)), None);
        let at = self.add(id, place, name, SpanKind::Internal, instance, at);
        self.spans[at].end = self.end;
        self.lives.insert(instance, at);
        at
    }

    fn add(
        &mut self,
        id: u64,
        (trace, parent): Place,
        name: String,
        kind: SpanKind,
        instance: Option<InstanceId>,
        at: Timestamp,
    ) -> usize {
        let (attributes, error, events) = (Vec::new(), None, Vec::new());
        let (start, end) = (at, at);
        let span =
            Span { id, trace, parent, name, kind, instance, start, end, attributes, error, events };
        self.spans.push(span);
        self.spans.len() - 1
    }

    fn life(&mut self, instance: Option<InstanceId>, at: Timestamp) -> usize {
        let known = self.lives.get(&instance).copied();
        known.unwrap_or_else(|| self.live(instance, at))
    }

    /// The span of the work that a record is a part of.
    fn enclosing(&mut self, record: &Record) -> usize {
        let origin = record.origin.as_deref();
        let caused = origin.and_then(|origin| {
            let delivery = self.delivered.get(&(record.instance, &*origin.cause));
            delivery.or_else(|| self.origins.get(&origin.correlation)).copied()
        });
        caused.unwrap_or_else(|| self.life(record.instance, record.at))
    }

    /// The place below a span.
    fn below(&self, span: usize) -> Place {
        (self.spans[span].trace.clone(), Some(self.spans[span].id))
    }

    /// A call of an instance that ends with this record.
    fn call(&mut self, number: usize, record: &Record, name: String, kind: SpanKind) -> usize {
        let enclosing = self.enclosing(record);
        let place = self.below(enclosing);
        self.add(number as u64 + 1, place, name, kind, record.instance, record.at)
    }

    fn event(&mut self, span: usize, at: Timestamp, name: &'static str, text: String) {
        self.spans[span].events.push(SpanEvent { at, name, text });
        let end = self.spans[span].end;
        self.spans[span].end = end.max(at);
    }

    fn read(&mut self, number: usize, record: &'a Record) {
        let (id, at) = (number as u64 + 1, record.at);
        match &record.kind {
            RecordKind::Request { number, line, by, to, headers, .. } => {
                let header = headers.get("traceparent").and_then(|header| header.to_str().ok());
                let origin = header.and_then(|header| Causality::parse(header, ""));
                let place = match &origin {
                    Some(origin) => (origin.correlation.clone(), None),
                    None => self.below(self.lives[&None]),
                };
                let span = self.add(id, place, line.clone(), SpanKind::Server, *to, at);
                let client = by.iter().map(|by| ("rehearsal.client", json!(by)));
                self.spans[span].attributes.extend(client);
                self.requests.insert(*number, span);
                if let Some(origin) = origin {
                    self.origins.insert(origin.correlation, span);
                }
            }
            RecordKind::Answer { number, status, .. } => {
                let Some(&at_span) = self.requests.get(number) else { return };
                let span = &mut self.spans[at_span];
                span.end = at;
                match status {
                    Some(status) => {
                        span.attributes.push(("http.response.status_code", json!(status)));
                        span.error = (*status >= 500).then(|| format!("answered with {status}"));
                    }
                    None => span.error = Some("no answer".to_owned()),
                }
            }
            RecordKind::Write { operation, collection, began, outcome, .. } => {
                let name = format!("{operation} {collection}");
                let span = self.call(number, record, name, SpanKind::Client);
                let began = self.records.get(*began).map_or(at, |record| record.at.min(at));
                self.spans[span].start = began;
                self.spans[span].attributes.push(("db.collection.name", json!(collection)));
                self.spans[span].error = outcome.as_ref().err().map(ToString::to_string);
                let document = outcome.as_ref().ok().and_then(Option::as_ref);
                let outbox = document.and_then(|document| document.get_array("outbox").ok());
                for event in outbox.into_iter().flatten().filter_map(Bson::as_document) {
                    if let Ok(id) = event.get_str("id") {
                        self.emitted.entry(id.to_owned()).or_insert(span);
                    }
                }
            }
            RecordKind::Read { operation, collection, outcome, .. } => {
                let name = format!("{operation} {collection}");
                let span = self.call(number, record, name, SpanKind::Client);
                self.spans[span].attributes.push(("db.collection.name", json!(collection)));
                self.spans[span].error = outcome.as_ref().err().cloned();
            }
            RecordKind::External { line, outcome } => {
                let span = self.call(number, record, line.clone(), SpanKind::Client);
                self.spans[span].error = match outcome {
                    Ok(status) if *status < 500 => None,
                    Ok(status) => Some(format!("answered with {status}")),
                    Err(why) => Some(why.clone()),
                };
            }
            RecordKind::Publish { message, outcome, .. } => {
                let name = format!("publish {}", message.subject);
                let place = match self.emitted.get(&message.id) {
                    Some(&write) => self.below(write),
                    None => {
                        let enclosing = self.enclosing(record);
                        self.below(enclosing)
                    }
                };
                let span = self.add(id, place, name, SpanKind::Producer, record.instance, at);
                self.spans[span].attributes.push(("messaging.message.id", json!(message.id)));
                self.spans[span].error = outcome.as_ref().err().map(ToString::to_string);
                if !outcome.as_ref().is_ok_and(|published| published.duplicate) {
                    self.published.insert(&message.id, span);
                }
            }
            RecordKind::Deliver { consumer, id: message, subject, attempt } => {
                let place = match self.published.get(&**message) {
                    Some(&publish) => self.below(publish),
                    None => {
                        let life = self.life(record.instance, at);
                        self.below(life)
                    }
                };
                let name = format!("deliver {subject}");
                let span = self.add(id, place, name, SpanKind::Consumer, record.instance, at);
                self.spans[span].attributes.extend([
                    ("messaging.message.id", json!(message)),
                    ("messaging.consumer.group.name", json!(consumer)),
                    ("messaging.delivery.attempt", json!(attempt)),
                ]);
                self.open.insert((record.instance, consumer, message), span);
                self.delivered.insert((record.instance, message), span);
            }
            RecordKind::Reply { operation, consumer, id: message, heard } => {
                let key = (record.instance, &**consumer, &**message);
                let Some(&span) = self.open.get(&key) else { return };
                let lost = if *heard { "" } else { ", which the bus did not receive" };
                self.event(span, at, "reply", format!("{operation}{lost}"));
                if *operation != "in_progress" {
                    self.open.remove(&key);
                    let failed = *operation == "nak";
                    self.spans[span].error = failed.then(|| "not acknowledged".to_owned());
                }
            }
            RecordKind::Fault { operation, target, effect } => {
                let span = self.enclosing(record);
                let text = format!("{}: {operation} {target}", effect_text(effect));
                self.event(span, at, "fault", text);
            }
            RecordKind::Start => drop(self.life(record.instance, at)),
            RecordKind::Crash => self.crash(record, "crash", "the instance crashed"),
            RecordKind::Panic { message } => self.crash(record, "panic", message),
            RecordKind::Step { text } => {
                let clients = self.lives[&None];
                self.event(clients, at, "step", text.clone());
            }
            RecordKind::Forget { service } => {
                let clients = self.lives[&None];
                self.event(clients, at, "fault", format!("{service} loses its data"));
            }
            RecordKind::Remove { .. }
            | RecordKind::Subscribe { .. }
            | RecordKind::Expire { .. } => {}
        }
    }

    /// Ends the deliveries and the life of an instance, and marks the requests that it has not
    /// answered.
    fn crash(&mut self, record: &Record, name: &'static str, text: &str) {
        let life = self.life(record.instance, record.at);
        let open: Vec<_> =
            self.open.keys().filter(|(of, ..)| *of == record.instance).copied().collect();
        let mut ended: Vec<usize> = open.iter().filter_map(|key| self.open.remove(key)).collect();
        let unanswered = self.requests.values().copied().filter(|&request| {
            let span = &self.spans[request];
            let answered = span.error.is_some()
                || span.attributes.iter().any(|(name, _)| *name == "http.response.status_code");
            span.instance == record.instance && !answered
        });
        ended.extend(unanswered);
        ended.push(life);
        self.spans[life].end = record.at;
        for span in ended {
            self.event(span, record.at, name, text.to_owned());
            self.spans[span].error = Some(text.to_owned());
        }
    }
}

fn effect_text(effect: &crate::faults::Effect) -> String {
    let value = serde_json::to_value(effect).unwrap_or_default();
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
