//! The versions of each document, and when each was visible.

use std::collections::BTreeMap;

use bson::Document;
use harness::evidence::field::{id, integer, is_bookkeeping, text};
use harness::trace::RecordKind;

use super::exchange::Exchange;
use crate::invariants::evidence::Evidence;
use crate::model::{auth, input};

/// One version of a document.
#[derive(Debug, Clone, Copy)]
pub(super) struct Version<'a> {
    /// The first record at which it may be visible.
    pub(super) from: usize,
    /// The index of the record of its write.
    pub(super) mark: usize,
    pub(super) document: &'a Document,
}

/// The versions of one document, in order.
#[derive(Debug, Default)]
pub(super) struct Timeline<'a> {
    versions: Vec<Version<'a>>,
    /// The record of its removal.
    left: Option<usize>,
}

/// The collections that answers show.
const SHOWN: [(&str, &str); 5] = [
    ("auth", "users"),
    ("tickets", "tickets"),
    ("orders", "tickets"),
    ("orders", "orders"),
    ("payments", "orders"),
];

/// The timelines of one collection, by id.
pub(super) type Collection<'a> = BTreeMap<&'a str, Timeline<'a>>;

/// The timelines of a run.
#[derive(Debug, Default)]
pub(super) struct Timelines<'a> {
    pub(super) users: Collection<'a>,
    pub(super) tickets: Collection<'a>,
    pub(super) ticket_copies: Collection<'a>,
    pub(super) orders: Collection<'a>,
    pub(super) order_copies: Collection<'a>,
    /// The ids of the orders of each ticket.
    pub(super) orders_of: BTreeMap<&'a str, Vec<&'a str>>,
    /// The ids of the orders of each buyer.
    pub(super) orders_by: BTreeMap<&'a str, Vec<&'a str>>,
    /// The ids of the users of each address.
    pub(super) users_of: BTreeMap<&'a str, Vec<&'a str>>,
}

impl<'a> Timelines<'a> {
    /// Reads the writes of a run. That of a relay leaves the revision as it is.
    pub(super) fn read(evidence: &'a Evidence<'_>) -> Self {
        let mut all = Self::default();
        for (mark, record) in evidence.trace.iter().enumerate() {
            match &record.kind {
                RecordKind::Write { collection, began, outcome: Ok(Some(document)), .. } => {
                    let service = record.instance.map_or("", |instance| instance.service);
                    let from = if evidence.exact { mark } else { *began };
                    all.add((service, collection), Version { from, mark, document });
                }
                RecordKind::Expire { service, collection, document } => {
                    let timelines = all.of(service, collection);
                    let timeline = timelines.and_then(|of| of.get_mut(id(document)));
                    timeline.into_iter().for_each(|known| known.left = Some(mark));
                }
                _ => {}
            }
        }
        if !evidence.exact {
            // The record of a write may be lost with its instance.
            for (service, collection) in SHOWN {
                let version = |document| Version { from: 0, mark: evidence.trace.len(), document };
                let documents = evidence.documents.of(service, collection).iter();
                documents.for_each(|document| all.add((service, collection), version(document)));
            }
        }
        all
    }

    fn add(&mut self, (service, collection): (&str, &str), version: Version<'a>) {
        let document = version.document;
        match (service, collection) {
            ("auth", "users") => {
                let key = text(document, "emailKey");
                let users = self.users_of.entry(key).or_default();
                if !users.contains(&id(document)) {
                    users.push(id(document));
                }
            }
            ("orders", "orders") => {
                let of_ticket = self.orders_of.entry(text(document, "ticketId")).or_default();
                let by_buyer = self.orders_by.entry(text(document, "userId")).or_default();
                if !of_ticket.contains(&id(document)) {
                    of_ticket.push(id(document));
                    by_buyer.push(id(document));
                }
            }
            _ => {}
        }
        let Some(timelines) = self.of(service, collection) else { return };
        timelines.entry(id(document)).or_default().add(version);
    }

    fn of(&mut self, service: &str, collection: &str) -> Option<&mut Collection<'a>> {
        match (service, collection) {
            ("auth", "users") => Some(&mut self.users),
            ("tickets", "tickets") => Some(&mut self.tickets),
            ("orders", "tickets") => Some(&mut self.ticket_copies),
            ("orders", "orders") => Some(&mut self.orders),
            ("payments", "orders") => Some(&mut self.order_copies),
            _ => None,
        }
    }

    /// The password of each hash, from the requests that set it.
    pub(super) fn passwords(&self, exchanges: &[Exchange<'a>]) -> BTreeMap<&'a str, String> {
        let of_users = exchanges.iter().filter(|exchange| exchange.path.starts_with("/api/users"));
        let mut passwords = BTreeMap::new();
        for exchange in of_users.filter(|exchange| !exchange.writes.is_empty()) {
            let body = serde_json::from_slice(exchange.body).unwrap_or_default();
            for write in &exchange.writes {
                let password = auth::password(input::text(&body, "password"));
                let hash = text(write.document, "password");
                passwords.entry(hash).or_insert(password);
            }
        }
        passwords
    }
}

impl<'a> Timeline<'a> {
    /// Adds a version in its place: by revision, since records may be out of order on real servers.
    /// There, that of a relay may precede that of the write whose revision it leaves.
    fn add(&mut self, version: Version<'a>) {
        let all = &mut self.versions;
        let at =
            all.iter().rposition(|known| revision(known.document) <= revision(version.document));
        match at {
            Some(at) if revision(all[at].document) == revision(version.document) => {
                all[at].from = all[at].from.min(version.from);
            }
            Some(at) => all.insert(at + 1, version),
            None => all.insert(0, version),
        }
    }

    /// All versions.
    pub(super) fn versions(&self) -> &[Version<'a>] {
        &self.versions
    }

    /// The newest version; `None` for a document that has left.
    pub(super) fn newest(&self) -> Option<&'a Document> {
        self.versions.last().filter(|_| self.left.is_none()).map(|version| version.document)
    }

    /// The last version of a document that had left before this record.
    pub(super) fn left(&self, before: usize) -> Option<&'a Document> {
        let last = self.versions.last().filter(|_| self.left.is_some_and(|left| left <= before));
        last.map(|version| version.document)
    }

    /// The versions that were visible at some point of this interval of records; `None` stands
    /// for the time before the first one, and after the document has left.
    pub(super) fn visible(
        &self,
        (from, to): (usize, usize),
    ) -> impl Iterator<Item = Option<&'a Document>> {
        let is_new = self.versions.first().is_none_or(|first| first.mark > from);
        let absent = (is_new || self.left.is_some_and(|left| left <= to)).then_some(None);
        let last = self.left.unwrap_or(usize::MAX);
        let ends = self.versions.iter().skip(1).map(|next| next.mark).chain([last]);
        let seen = self
            .versions
            .iter()
            .zip(ends)
            .filter(move |(version, end)| version.from <= to && *end >= from);
        absent.into_iter().chain(seen.map(|(version, _)| Some(version.document)))
    }

    /// The version before a written one; `None` where that is the first.
    pub(super) fn before(&self, written: &Document) -> Option<&'a Document> {
        let is_written = |v: &Version<'_>| revision(v.document) == revision(written);
        let at = self.versions.iter().position(is_written)?;
        at.checked_sub(1).map(|at| self.versions[at].document)
    }
}

fn revision(document: &Document) -> i64 {
    integer(document, "revision")
}

/// Whether a written document has exactly these fields, apart from those of its collection.
pub(super) fn is_left(expected: &Document, written: &Document) -> bool {
    let count = |document: &Document| document.keys().filter(|name| !is_bookkeeping(name)).count();
    count(expected) == count(written)
        && expected
            .iter()
            .filter(|(name, _)| !is_bookkeeping(name))
            .all(|(name, value)| written.get(name).is_some_and(|written| same(value, written)))
}

/// Whether two values are equal; integers are compared by value.
fn same(one: &bson::Bson, other: &bson::Bson) -> bool {
    let integer = |value: &bson::Bson| value.as_i64().or(value.as_i32().map(i64::from));
    match (integer(one), integer(other)) {
        (Some(one), Some(other)) => one == other,
        _ => one == other,
    }
}
