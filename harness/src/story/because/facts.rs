//! The records of one run, prepared for comparison: each with the key by which its counterpart in
//! another run is found, its outcome, the ids that it touches, and the records that caused it.
//!
//! Two runs name the same thing by different ids, so keys and outcomes consist of readable names.

use std::collections::{BTreeMap, BTreeSet};

use bson::{Bson, Document};

use super::values::Fields;
use crate::subject::Names;
use crate::trace::{Record, RecordKind};

/// The place of a record in the system.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The service; empty for a client.
    pub service: String,
    /// The operation: `insert`, `update`, `get`, `find`, `publish`, `deliver`, `ack`, `nak`,
    /// `send`, `request`, `answer`, `crash`, or that of a fault.
    pub operation: &'static str,
    /// The collection, the name of the event, or the path.
    pub target: String,
}

/// One record, prepared.
#[derive(Debug)]
pub(super) struct Fact {
    pub(super) place: Option<Place>,
    /// Equal for the counterpart in another run; empty for records that are not compared.
    pub(super) key: String,
    /// The outcome in readable names, to compare.
    pub(super) outcome: String,
    /// The ids that the record touches; of a write, those that it brings into the document.
    pub(super) ids: BTreeSet<String>,
    /// The fields of the written document before and after, if any.
    pub(super) written: Option<(Fields, Fields)>,
    /// The written document: collection, and id.
    pub(super) document: Option<(String, String)>,
    /// The documents found by a read, or the payload of an event: readable name, and fields.
    pub(super) found: Vec<(String, Fields)>,
    /// The request or delivery that its work began with; of a delivery its publish, of a publish
    /// the write that put the event into an outbox.
    pub(super) trigger: Option<usize>,
    /// The earlier records of the same work.
    pub(super) work: Vec<usize>,
    /// The writes of what it read or overwrote, and the faults that it follows from.
    pub(super) data: Vec<usize>,
}

impl Fact {
    /// The records that caused it, all of them earlier.
    pub(super) fn parents(&self) -> impl Iterator<Item = usize> {
        self.trigger.iter().chain(&self.data).chain(&self.work).copied()
    }
}

/// An event, as its outbox and its message describe it.
#[derive(Debug, Clone, Default)]
pub(super) struct EventFact {
    /// Its name.
    pub(super) name: String,
    /// The readable name of the document that it is about.
    pub(super) about: String,
    /// The id of that document.
    pub(super) aggregate: String,
    /// The index of the write that put it into an outbox.
    pub(super) outboxed: Option<usize>,
    /// The index of its last publish that the bus accepted.
    pub(super) published: Option<usize>,
    /// Whether it has left the outbox.
    pub(super) removed: bool,
    /// The fields of its payload.
    pub(super) content: Fields,
}

/// All records of one run, prepared.
pub(super) struct Facts<'a> {
    pub(super) records: &'a [Record],
    pub(super) names: &'a Names,
    pub(super) facts: Vec<Fact>,
    pub(super) events: BTreeMap<String, EventFact>,
    /// The clients of requests, by number and by correlation.
    pub(super) clients: BTreeMap<u64, String>,
    pub(super) correlations: BTreeMap<String, String>,
}

impl Facts<'_> {
    /// The service at which a record was made; of an answer, the one that was asked.
    pub(super) fn service_of(&self, at: usize) -> Option<&'static str> {
        let record = &self.records[at];
        let asked = || match self.facts[at].trigger.map(|at| &self.records[at].kind) {
            Some(RecordKind::Request { to, .. }) => *to,
            _ => None,
        };
        Some(record.instance.or_else(asked)?.service)
    }

    /// The readable name of an id.
    pub(super) fn the(&self, id: &str) -> Option<String> {
        self.names.with_article(id)
    }

    /// The client in whose request this record's work began.
    pub(super) fn client(&self, record: &Record) -> Option<&str> {
        let correlation = &record.origin.as_ref()?.correlation;
        let asked = self.correlations.get(correlation).map(String::as_str);
        asked.or_else(|| self.names.cause(correlation))
    }

    /// A document in a collection, as a noun.
    pub(super) fn document(&self, collection: &str, id: &str) -> String {
        let one = collection.strip_suffix('s').unwrap_or(collection);
        match self.the(id) {
            Some(name) if name.starts_with(&format!("the {one} of ")) => name,
            Some(name) if self.names.plain(id).is_some() => name,
            Some(name) => format!("the {one} of {name}"),
            None if one.starts_with(['a', 'e', 'i', 'o', 'u']) => format!("an {one}"),
            None => format!("a {one}"),
        }
    }

    /// The name of an event and of the document that it is about: `LoanMade of the loan of Ben`.
    pub(super) fn event(&self, id: &str, subject: &str) -> String {
        match self.events.get(id) {
            Some(event) if event.about.is_empty() => event.name.clone(),
            Some(event) => format!("{} of {}", event.name, event.about),
            None => subject.to_owned(),
        }
    }

    /// The work that a record belongs to, in readable names.
    pub(super) fn cause(&self, record: &Record) -> String {
        let client = self.client(record).unwrap_or_default();
        let event = record.origin.as_ref().and_then(|origin| self.events.get(&origin.cause));
        match event {
            Some(event) => format!("{client} {} {}", event.name, event.about),
            None => client.to_owned(),
        }
    }

    /// A request line with names for ids.
    pub(super) fn line(&self, line: &str) -> String {
        let parts = line.split('/').map(|part| {
            let name = (part.len() >= 16).then(|| self.the(part)).flatten();
            name.map_or_else(|| part.to_owned(), |name| format!("({name})"))
        });
        parts.collect::<Vec<_>>().join("/")
    }
}

/// The word by which violations name a request.
pub(super) fn request_id(number: u64) -> String {
    format!("request {number}")
}

/// The events that an update removes from an outbox.
pub(super) fn pulled(input: &Document) -> Vec<String> {
    let change = input.get_document("change").and_then(|change| change.get_document("$pull"));
    let ids = change.and_then(|pull| pull.get_document("outbox"));
    let ids = ids.and_then(|event| event.get_document("id")).and_then(|id| id.get_array("$in"));
    ids.into_iter().flatten().filter_map(Bson::as_str).map(str::to_owned).collect()
}
