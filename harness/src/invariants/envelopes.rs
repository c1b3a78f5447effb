//! The envelope of every event is whole and true: its CloudEvents attributes, its message id, and
//! its `traceparent`, which is unbroken from a request to its last consequence.

use std::collections::{BTreeMap, BTreeSet};

use bson::Bson;
use ports::Timestamp;
use ports::bus::Message;
use ports::causality::Causality;
use ports::entropy::is_id;

use super::Declared;
use crate::evidence::Facts;
use crate::evidence::field::text;
use crate::trace::{Record, RecordKind};

/// The write that caused an event.
struct Origin<'a> {
    /// The entry in the outbox.
    subject: &'a str,
    aggregate: &'a str,
    payload: &'a str,
    /// The correlation of the work that made the write; `None` for work that nothing caused.
    correlation: Option<&'a str>,
    /// The time at which that work began, or the earliest possible one.
    began: Timestamp,
    written: Timestamp,
}

/// The chains of causes in a run.
#[derive(Default)]
struct Chains<'a> {
    /// The correlations that requests and messages from outside began.
    known: BTreeSet<&'a str>,
    /// The correlation of each message, by its id.
    messages: BTreeMap<&'a str, &'a str>,
    /// When each request and each message began to be handled, by correlation or by cause.
    began: BTreeMap<&'a str, Timestamp>,
}

pub(super) fn check(facts: &Facts, declared: &Declared<'_>) -> Vec<String> {
    let mut violations = Vec::new();
    let mut chains = Chains::default();
    let mut origins: BTreeMap<&str, Vec<Origin<'_>>> = BTreeMap::new();
    let mut seen: BTreeMap<&str, &Message> = BTreeMap::new();
    let mut spans = BTreeSet::new();
    for (at, record) in facts.trace.iter().enumerate() {
        match &record.kind {
            RecordKind::Request { headers, .. } => {
                let header = headers.get("traceparent").and_then(|header| header.to_str().ok());
                if let Some(correlation) = header.and_then(correlation) {
                    chains.known.insert(correlation);
                    chains.began.entry(correlation).or_insert(record.at);
                }
            }
            RecordKind::Deliver { id, .. } => {
                chains.began.entry(id).or_insert(record.at);
            }
            RecordKind::Write { outcome: Ok(Some(document)), .. } => {
                let Ok(outbox) = document.get_array("outbox") else { continue };
                for entry in outbox.iter().filter_map(Bson::as_document) {
                    let known = origins.entry(text(entry, "id")).or_default();
                    // The first write has caused the event. On real servers, a later write of
                    // the document can be recorded before it.
                    if facts.exact && !known.is_empty() {
                        continue;
                    }
                    known.push(Origin {
                        subject: text(entry, "subject"),
                        aggregate: text(entry, "aggregate"),
                        payload: text(entry, "payload"),
                        correlation: record.origin.as_ref().map(|o| o.correlation.as_str()),
                        began: chains.began_of(record),
                        written: record.at,
                    });
                }
                violations.extend(chains.broken_at(record));
            }
            RecordKind::Publish { message, stream: ports::bus::Stream::Events, .. } => {
                let Some(instance) = record.instance else { continue };
                if let Some(known) = seen.get(message.id.as_str()) {
                    if *known != message {
                        violations.push(format!("{} is the id of two events", message.id));
                    }
                    continue;
                }
                seen.insert(&message.id, message);
                let name = &message.subject;
                let mut wrong =
                    |why: String| violations.push(format!("{name} {}: {why}", message.id));
                attributes(message, instance.service, facts, declared)
                    .into_iter()
                    .for_each(&mut wrong);
                let Some(trace) = traceparent(message) else {
                    wrong("its traceparent is malformed".to_owned());
                    continue;
                };
                if !spans.insert(trace.1) {
                    wrong("its traceparent has the span of another event".to_owned());
                }
                chains.messages.insert(&message.id, trace.0);
                let causes = origins.get(message.id.as_str()).map_or(&[][..], Vec::as_slice);
                let differences = causes.iter().map(|origin| origin.differs(message, trace.0));
                match differences.min_by_key(Vec::len) {
                    Some(differences) => differences.into_iter().for_each(wrong),
                    // Another instance can publish what is written before that is recorded.
                    None if !facts.exact && is_written(&facts.trace[at..], &message.id) => {}
                    None => wrong("no write has caused it".to_owned()),
                }
                if causes.iter().any(|origin| origin.correlation.is_none()) {
                    chains.known.insert(trace.0);
                }
            }
            _ => {}
        }
    }
    violations
}

/// True if a write of these records has an event of this id in its outbox.
fn is_written(records: &[Record], event: &str) -> bool {
    records.iter().any(|record| match &record.kind {
        RecordKind::Write { outcome: Ok(Some(document)), .. } => {
            let outbox = document.get_array("outbox").into_iter().flatten();
            outbox.filter_map(Bson::as_document).any(|entry| text(entry, "id") == event)
        }
        _ => false,
    })
}

/// The differences of the attributes from those that the event must have.
fn attributes(
    message: &Message,
    service: &str,
    facts: &Facts,
    declared: &Declared<'_>,
) -> Vec<String> {
    let header = |name: &str| message.headers.get(name).map_or("", String::as_str);
    let mut wrong = Vec::new();
    let mut must = |name: &str, expected: &str| {
        if header(name) != expected {
            wrong.push(format!("its {name} is {:?} instead of {expected:?}", header(name)));
        }
    };
    must("ce-specversion", "1.0");
    must("ce-id", &message.id);
    must("ce-source", service);
    must("content-type", "application/json");
    if let Some(entry) = declared.events.iter().find(|entry| entry.subject == message.subject) {
        must("ce-type", entry.name);
    }
    let payload = facts.payloads.parsed(&message.payload).unwrap_or_default();
    if let Some(id) = payload["id"].as_str() {
        must("ce-subject", id);
    }
    wrong
}

impl Origin<'_> {
    /// The differences of a message from the entry in the outbox.
    fn differs(&self, message: &Message, correlation: &str) -> Vec<String> {
        let header = |name: &str| message.headers.get(name).map_or("", String::as_str);
        let mut wrong = Vec::new();
        let same = message.subject == self.subject
            && message.payload == self.payload.as_bytes()
            && header("ce-subject") == self.aggregate;
        if !same {
            wrong.push("it differs from the entry in the outbox".to_owned());
        }
        if self.correlation.is_some_and(|of_write| of_write != correlation) {
            wrong.push("its traceparent is not that of its cause".to_owned());
        }
        match header("ce-time").parse::<Timestamp>() {
            Ok(time) if time > self.written => {
                wrong.push(format!("its ce-time {time} is after its write"));
            }
            // The clocks of real machines have milliseconds in common.
            Ok(time) if time.as_millisecond() + 1 < self.began.as_millisecond() => {
                wrong.push(format!("its ce-time {time} is before its cause"));
            }
            Ok(_) => {}
            Err(_) => wrong.push("its ce-time is no time".to_owned()),
        }
        wrong
    }
}

impl Chains<'_> {
    /// The time at which the work that made this call began.
    fn began_of(&self, record: &Record) -> Timestamp {
        let Some(origin) = &record.origin else { return Timestamp::UNIX_EPOCH };
        let by_cause = self.began.get(origin.cause.as_str());
        let began = by_cause.or_else(|| self.began.get(origin.correlation.as_str()));
        began.copied().unwrap_or(Timestamp::UNIX_EPOCH)
    }

    /// Whether a write is outside every chain of causes, or in another one than the message that
    /// caused it.
    fn broken_at(&self, record: &Record) -> Option<String> {
        let (origin, instance) = (record.origin.as_ref()?, record.instance?);
        let cause = origin.cause.split('-').next().unwrap_or_default();
        let right = match self.messages.get(cause) {
            Some(correlation) => *correlation == origin.correlation,
            // A message from outside the system, or a request.
            None => is_id(cause) || self.known.contains(origin.correlation.as_str()),
        };
        (!right).then(|| format!("{instance} has written outside of the trace of its cause"))
    }
}

/// The correlation and the span of a message, if its `traceparent` is well-formed.
fn traceparent(message: &Message) -> Option<(&str, &str)> {
    let header = message.headers.get("traceparent")?;
    let mut parts = header.split('-').skip(1);
    let correlation = correlation(header)?;
    let span = parts.nth(1)?;
    Causality::parse(header, "").map(|_| (correlation, span))
}

/// The correlation in a `traceparent`.
fn correlation(header: &str) -> Option<&str> {
    header.split('-').nth(1)
}
