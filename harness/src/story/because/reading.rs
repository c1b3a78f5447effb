//! From the records of a run to its facts, in one pass.

use std::collections::{BTreeMap, BTreeSet};

use bson::{Bson, Document};
use ports::bus::Stream;
use ports::causality::Causality;

use super::facts::{EventFact, Fact, Facts, Place, pulled, request_id};
use super::values::{self, Fields};
use crate::story::fault::Sentences;
use crate::subject::Names;
use crate::trace::{InstanceId, Record, RecordKind};

/// The most records of a background task that count as one step.
const STEP: usize = 4;

/// The work on one request or event by one instance: instance, correlation, cause.
type Handling = (Option<u32>, String, String);

/// A document as it was last written.
struct Last {
    fields: Fields,
    /// The strings in it.
    ids: Vec<String>,
    /// The events in its outbox.
    outbox: Vec<String>,
    /// The index of the write; removals from the outbox do not count.
    at: usize,
}

/// The knowledge at some point of a run.
#[derive(Default)]
struct Known {
    /// By service, collection and id.
    documents: BTreeMap<(&'static str, String, String), Last>,
    handlings: BTreeMap<Handling, Vec<usize>>,
    /// The last delivery of a message to an instance, and to a consumer.
    delivered: BTreeMap<(u32, String), usize>,
    by_consumer: BTreeMap<(String, String), usize>,
    /// The request of each correlation.
    requests: BTreeMap<String, usize>,
    numbers: BTreeMap<u64, usize>,
    /// The last records without an origin, by instance.
    background: BTreeMap<u32, Vec<usize>>,
    crashes: BTreeMap<&'static str, usize>,
    faults: BTreeMap<u32, usize>,
}

impl<'a> Facts<'a> {
    pub(super) fn of(records: &'a [Record], names: &'a Names, sentences: &Sentences) -> Self {
        let mut facts = Self {
            records,
            names,
            facts: Vec::with_capacity(records.len()),
            events: BTreeMap::new(),
            clients: BTreeMap::new(),
            correlations: BTreeMap::new(),
        };
        let mut known = Known::default();
        for (at, record) in records.iter().enumerate() {
            let fact = facts.fact(at, record, &mut known, sentences);
            facts.facts.push(fact);
        }
        facts
    }

    fn learn_event(&mut self, id: &str, name: &str, aggregate: &str) -> &mut EventFact {
        let about = self.names.with_article(aggregate).unwrap_or_default();
        self.events.entry(id.to_owned()).or_insert_with(|| EventFact {
            name: name.to_owned(),
            about,
            aggregate: aggregate.to_owned(),
            ..EventFact::default()
        })
    }

    fn fact(
        &mut self,
        at: usize,
        record: &Record,
        known: &mut Known,
        sentences: &Sentences,
    ) -> Fact {
        let mut fact = Fact {
            place: None,
            key: String::new(),
            outcome: String::new(),
            ids: BTreeSet::new(),
            written: None,
            document: None,
            found: Vec::new(),
            trigger: None,
            work: Vec::new(),
            data: Vec::new(),
        };
        let service = record.instance.map_or("", |instance| instance.service);
        let event_name = |word: &str| sentences.event_name(word).unwrap_or(word).to_owned();
        let place = |operation: &'static str, target: &str| {
            Some(Place { service: service.to_owned(), operation, target: target.to_owned() })
        };
        let mut subject = String::new();
        match &record.kind {
            RecordKind::Request { number, line, by, headers, .. } => {
                let name = by.as_deref().and_then(|by| self.names.of_id(by));
                let header = headers.get("traceparent").and_then(|header| header.to_str().ok());
                if let Some(origin) = header.and_then(|header| Causality::parse(header, "")) {
                    if let Some(name) = &name {
                        self.correlations.insert(origin.correlation.clone(), name.clone());
                    }
                    known.requests.insert(origin.correlation, at);
                }
                subject = name.unwrap_or_else(|| "a client".to_owned());
                self.clients.insert(*number, subject.clone());
                fact.place = place("request", &self.line(line));
                fact.ids.extend(by.clone());
                fact.ids.extend(line.split(['/', ' ']).map(str::to_owned));
                fact.ids.insert(request_id(*number));
                known.numbers.insert(*number, at);
            }
            RecordKind::Answer { number, status, .. } => {
                subject = self.clients.get(number).cloned().unwrap_or_default();
                fact.outcome = status.map_or("no response".to_owned(), |status| status.to_string());
                let request = known.numbers.get(number).copied();
                let asked = request.and_then(|at| self.facts[at].place.clone());
                let asked = asked.map(|place| place.target).unwrap_or_default();
                fact.place = place("answer", &asked);
                fact.ids.insert(request_id(*number));
                fact.trigger = request;
                if let Some(origin) = &record.origin {
                    let of = |(handling, _): &(&Handling, &Vec<usize>)| {
                        handling.1 == origin.correlation && !self.events.contains_key(&handling.2)
                    };
                    let work = known.handlings.iter().filter(of);
                    fact.work.extend(work.flat_map(|(_, work)| work));
                }
                if let Some(request) = request {
                    let ids = self.facts[request].ids.clone();
                    fact.ids.extend(ids);
                }
            }
            RecordKind::Write { operation, collection, input, outcome, .. } => {
                let document = match outcome {
                    Ok(Some(document)) => Some(document),
                    Err(_) if *operation == "insert" => Some(input),
                    _ => None,
                };
                let id = document.map_or_else(|| id_in_filter(input), id_of);
                subject = self.document(collection, &id);
                fact.place = place(operation, collection);
                fact.ids.insert(id.clone());
                fact.document = Some((collection.clone(), id.clone()));
                let key = (service, collection.clone(), id.clone());
                fact.data.extend(known.documents.get(&key).map(|last| last.at));
                match (document, outcome) {
                    (Some(document), Ok(_)) => {
                        let after = values::fields(document, &|id| self.the(id));
                        let last = known.documents.get(&key);
                        let ids = values::strings(document);
                        let is_new = |id: &&String| last.is_none_or(|last| !last.ids.contains(*id));
                        fact.ids.extend(ids.iter().filter(is_new).cloned());
                        let before = last.map(|last| last.fields.clone()).unwrap_or_default();
                        let changed = values::changed(&before, &after);
                        fact.outcome = values::listed(changed.iter().map(|(f, v)| (f, v)));
                        fact.written = Some((before, after.clone()));
                        let outbox = self.outbox(document, at, sentences);
                        let before = last.into_iter().flat_map(|last| &last.outbox);
                        for gone in before.filter(|id| !outbox.contains(id)) {
                            self.events.entry(gone.clone()).or_default().removed = true;
                        }
                        let is_pull = !pulled(input).is_empty();
                        let at = last.filter(|_| is_pull).map_or(at, |last| last.at);
                        known.documents.insert(key, Last { fields: after, ids, outbox, at });
                    }
                    (_, Ok(_)) => "no match".clone_into(&mut fact.outcome),
                    (_, Err(error)) => fact.outcome = error.to_string(),
                }
                let pulled = pulled(input);
                for event in pulled.iter().filter_map(|id| self.events.get(id)) {
                    fact.trigger = event.published.or(fact.trigger);
                    subject += &event.name;
                }
            }
            RecordKind::Read { operation, collection, input, outcome, found } => {
                fact.place = place(operation, collection);
                let asked = values::fields(input, &|id| self.the(id));
                subject = values::listed(&asked);
                fact.ids.extend(values::strings(input));
                for id in found {
                    fact.ids.insert(id.clone());
                    let key = (service, collection.clone(), id.clone());
                    let name = self.document(collection, id);
                    match known.documents.get(&key) {
                        Some(last) => {
                            fact.data.push(last.at);
                            fact.found.push((name, last.fields.clone()));
                        }
                        None => fact.found.push((name, Fields::new())),
                    }
                }
                fact.found.sort();
                let found = |(name, fields): &(String, Fields)| {
                    format!("{name} {}", values::listed(fields))
                };
                fact.outcome = match outcome {
                    Ok(_) => fact.found.iter().map(found).collect::<Vec<_>>().join("; "),
                    Err(error) => error.clone(),
                };
            }
            RecordKind::Publish { stream, message, outcome } => {
                let name = event_name(&message.subject);
                let about = message.headers.get("ce-subject").cloned().unwrap_or_default();
                let payload = serde_json::from_slice::<Document>(&message.payload);
                let content = payload.map(|payload| values::fields(&payload, &|id| self.the(id)));
                let content = content.unwrap_or_default();
                let event = self.learn_event(&message.id, &name, &about);
                event.content.clone_from(&content);
                fact.trigger = event.outboxed;
                if outcome.is_ok() {
                    event.published = Some(at);
                }
                fact.ids.extend([message.id.clone(), event.aggregate.clone()]);
                subject = event.about.clone();
                if *stream == Stream::DeadLetters {
                    subject += " dead letter";
                    let of = message
                        .id
                        .split_once('/')
                        .map(|(consumer, id)| (consumer.to_owned(), id.to_owned()));
                    fact.trigger = of.and_then(|of| known.by_consumer.get(&of).copied());
                }
                fact.place = place("publish", &name);
                fact.outcome = values::listed(&content);
                fact.found = vec![(name, content)];
                fact.outcome += &match outcome {
                    Ok(published) if published.duplicate => "duplicate".to_owned(),
                    Ok(_) => String::new(),
                    Err(error) => error.to_string(),
                };
            }
            RecordKind::Deliver { consumer, id, subject: of, attempt } => {
                let name = event_name(of);
                let event = self.events.get(id).cloned().unwrap_or_default();
                subject = format!("{} {attempt}", event.about);
                fact.place = place("deliver", &name);
                fact.ids.extend([id.clone(), event.aggregate]);
                fact.outcome = values::listed(&event.content);
                fact.found = vec![(name, event.content)];
                fact.trigger = event.published;
                let of = (consumer.clone(), id.clone());
                if let Some(before) = known.by_consumer.insert(of, at) {
                    fact.data.push(before);
                    // A fault, a nak or a crash since then caused the redelivery.
                    let since = before + 1..at;
                    fact.data.extend(since.filter(|&at| self.redelivers(at, before, id)));
                }
                if let Some(instance) = record.instance {
                    known.delivered.insert((instance.instance, id.clone()), at);
                }
            }
            RecordKind::Reply { operation, consumer, id, heard } => {
                let event = self.events.get(id).cloned().unwrap_or_default();
                let name = if event.name.is_empty() { consumer.clone() } else { event.name };
                subject = event.about;
                fact.place = place(operation, &name);
                fact.ids.extend([id.clone(), event.aggregate]);
                fact.outcome = if *heard { String::new() } else { "not heard".to_owned() };
            }
            RecordKind::External { line, outcome } => {
                fact.place = place("send", &self.line(line));
                fact.outcome = match outcome {
                    Ok(status) => status.to_string(),
                    Err(error) => error.clone(),
                };
            }
            RecordKind::Fault { operation, target, .. } => {
                fact.place = place(operation.name(), &event_name(target));
                "fault".clone_into(&mut subject);
                if let Some(instance) = record.instance {
                    known.faults.insert(instance.instance, at);
                }
            }
            RecordKind::Start => {
                fact.place = place("start", "");
                fact.data.extend(known.crashes.get(service));
            }
            RecordKind::Crash => {
                fact.place = place("crash", "");
                let instance = record.instance.map(|instance| instance.instance);
                fact.data.extend(instance.and_then(|instance| known.faults.get(&instance)));
                known.crashes.insert(service, at);
            }
            RecordKind::Panic { message } => {
                fact.place = place("panic", "");
                fact.outcome.clone_from(message);
            }
            RecordKind::Subscribe { .. }
            | RecordKind::Remove { .. }
            | RecordKind::Forget { .. }
            | RecordKind::Expire { .. }
            | RecordKind::Step { .. } => {}
        }
        self.handle(at, record, known, &mut fact);
        if let Some(Place { service, operation, target }) = &fact.place {
            let cause = self.cause(record);
            fact.key = format!("{service} {operation} {target} | {subject} | {cause}");
        }
        fact
    }

    /// Links a record with the rest of its handling, or of its instance's background work.
    fn handle(&self, at: usize, record: &Record, known: &mut Known, fact: &mut Fact) {
        let is_work = matches!(
            record.kind,
            RecordKind::Read { .. }
                | RecordKind::Write { .. }
                | RecordKind::Publish { .. }
                | RecordKind::Reply { .. }
                | RecordKind::External { .. }
                | RecordKind::Fault { .. }
                | RecordKind::Crash
                | RecordKind::Panic { .. }
        );
        let Some(InstanceId { instance, .. }) = record.instance.filter(|_| is_work) else {
            return;
        };
        let Some(origin) = &record.origin else {
            // A step of a background task ends with its write.
            let before = known.background.entry(instance).or_default();
            if fact.trigger.is_none() {
                fact.work.extend(before.iter().rev().take(STEP));
            }
            if let RecordKind::External { .. } = record.kind {
                let ids = before.iter().rev().take(STEP).map(|&at| self.facts[at].ids.clone());
                fact.ids.extend(ids.flatten());
            }
            match record.kind {
                RecordKind::Write { .. } => before.clear(),
                _ => before.push(at),
            }
            return;
        };
        let key = (Some(instance), origin.correlation.clone(), origin.cause.clone());
        let trigger = known.delivered.get(&(instance, origin.cause.clone())).copied();
        let trigger = trigger.or_else(|| {
            let is_event = self.events.contains_key(&origin.cause);
            known.requests.get(&origin.correlation).copied().filter(|_| !is_event)
        });
        let before = known.handlings.entry(key).or_default();
        let since = before.iter().copied().filter(|&at| trigger.is_none_or(|trigger| at > trigger));
        let since: Vec<usize> = since.collect();
        if let RecordKind::External { .. } = record.kind {
            let ids = since.iter().flat_map(|&at| self.facts[at].ids.clone());
            fact.ids.extend(ids);
        }
        fact.trigger = fact.trigger.or(trigger);
        fact.work.extend(since);
        before.push(at);
    }

    /// Whether a record explains that a message was delivered again: it is not a read or a write.
    fn redelivers(&self, at: usize, delivered: usize, id: &str) -> bool {
        let record = &self.records[at];
        let is_there = record.instance == self.records[delivered].instance;
        let of_message = record.origin.as_ref().is_some_and(|origin| origin.cause == id);
        match &record.kind {
            RecordKind::Fault { .. } => is_there && of_message,
            RecordKind::Reply { operation: "nak", id: of, .. } => of == id,
            RecordKind::Crash => is_there,
            _ => false,
        }
    }

    /// Learns the events in the outbox of a written document, and returns their ids.
    fn outbox(&mut self, document: &Document, at: usize, sentences: &Sentences) -> Vec<String> {
        let mut ids = Vec::new();
        let outbox = document.get_array("outbox").into_iter().flatten();
        for event in outbox.filter_map(Bson::as_document) {
            let text = |field: &str| event.get_str(field).unwrap_or_default();
            let subject = text("subject");
            let name = sentences.event_name(subject).unwrap_or(subject);
            let event = self.learn_event(text("id"), name, text("aggregate"));
            event.outboxed.get_or_insert(at);
            ids.push(text("id").to_owned());
        }
        ids
    }
}

fn id_of(document: &Document) -> String {
    document.get_str("_id").unwrap_or_default().to_owned()
}

fn id_in_filter(input: &Document) -> String {
    let filter = input.get_document("filter").unwrap_or(input);
    filter.get_str("_id").unwrap_or_default().to_owned()
}
