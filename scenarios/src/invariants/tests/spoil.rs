//! The ways to put a lie into evidence: change a document, a record or a reply.

use std::sync::Arc;

use bson::{Document, doc};
use bytes::Bytes;
use contracts::{Expiry, OrderExpired};
use harness::trace::{InstanceId, Record, RecordKind};
use http::HeaderMap;
use platform::event::Event;
use ports::bus::{Message, Published, Stream};
use serde_json::Value;

use harness::history::{Amendable, Call};
use harness::world::Reply;

use super::{LedgerCharge, Truth};
use crate::invariants::evidence::{id, text};
use crate::operation::Operation;

pub(super) const COMPLETE: &str = "complete";
pub(super) const CANCELLED: &str = "cancelled";
pub(super) const OPEN: &str = "created";

/// An instance that is not in the true evidence.
pub(super) const FRESH: InstanceId = InstanceId { service: "orders", instance: 99 };

/// The newest document in this state.
pub(super) fn find<'a>(documents: &'a mut [Document], status: &str) -> &'a mut Document {
    let found = documents.iter_mut().rev().find(|document| text(document, "status") == status);
    found.expect("the evening has an order in each state")
}

pub(super) fn find_id<'a>(documents: &'a mut [Document], wanted: &str) -> &'a mut Document {
    documents.iter_mut().find(|document| id(document) == wanted).expect("it is there")
}

pub(super) fn ticket_of(truth: &mut Truth, status: &str) -> String {
    text(find(truth.orders(), status), "ticketId").to_owned()
}

pub(super) fn ticket(truth: &mut Truth, status: &str) -> Document {
    let ticket = ticket_of(truth, status);
    find_id(truth.tickets(), &ticket).clone()
}

pub(super) fn charge<'a>(truth: &'a mut Truth, status: &str) -> &'a mut Document {
    let order = find(truth.order_copies(), status);
    order.get_document_mut("charge").expect("it is charged")
}

/// Adds a charge to the cancelled order in payments and returns the one for the ledger.
pub(super) fn charged_cancelled(truth: &mut Truth) -> LedgerCharge {
    let order = find(truth.order_copies(), CANCELLED);
    let charge = doc! { "stripeId": "ch_kept", "amount": 2000_i64, "status": "completed" };
    order.insert("charge", charge);
    LedgerCharge::succeeded("ch_kept", id(order), 2000)
}

pub(super) fn edit(truth: &mut Truth) -> &mut Vec<Record> {
    Arc::make_mut(&mut truth.facts.trace)
}

pub(super) fn add(truth: &mut Truth, who: Option<InstanceId>, what: RecordKind) {
    let at = truth.facts.now;
    edit(truth).push(Record { at, instance: who, origin: None, kind: what });
}

/// Changes the first operation that matches.
pub(super) fn amend_first(
    truth: &mut Truth,
    matches: impl Fn(&Call) -> bool,
    change: impl FnOnce(&mut Amendable<'_>),
) {
    let found = truth.history.calls().iter().position(matches);
    truth.history.amend(found.expect("there is such an operation"), change);
}

/// Replaces the status of a reply.
pub(super) fn restatus(call: &mut Amendable<'_>, status: u16) {
    if let Some(Reply::Answer(answer)) = call.reply {
        *answer.status_mut() = status.try_into().expect("it is a status");
    }
}

/// An answer in the trace.
pub(super) struct Answered<'a> {
    pub(super) status: &'a mut Option<u16>,
    pub(super) headers: &'a mut HeaderMap,
    body: &'a mut Bytes,
}

impl Answered<'_> {
    /// Changes the body.
    pub(super) fn rebody(&mut self, change: impl FnOnce(&mut Value)) {
        let mut body = serde_json::from_slice(self.body).unwrap_or_default();
        change(&mut body);
        *self.body = Bytes::from(body.to_string());
    }
}

/// Changes the first answer of this status to a request of this line.
pub(super) fn answered(
    truth: &mut Truth,
    wanted: &str,
    status: u16,
    change: impl FnOnce(&mut Answered<'_>),
) {
    let requests = edit(truth).iter().filter_map(|record| match &record.kind {
        RecordKind::Request { number, line, .. } if line == wanted => Some(*number),
        _ => None,
    });
    let requests: Vec<u64> = requests.collect();
    let found = edit(truth).iter_mut().find_map(|record| match &mut record.kind {
        RecordKind::Answer { number, status: shown, headers, body }
            if requests.contains(number) && *shown == Some(status) =>
        {
            Some(Answered { status: shown, headers, body })
        }
        _ => None,
    });
    change(&mut found.expect("there is such an answer"));
}

/// Changes an attribute of the first event about an order.
pub(super) fn reheaded(truth: &mut Truth, name: &str, value: &str) {
    let message = edit(truth).iter_mut().find_map(|record| match &mut record.kind {
        RecordKind::Publish { message, .. } if message.subject == "order.created" => Some(message),
        _ => None,
    });
    let headers = &mut message.expect("a ticket was reserved").headers;
    headers.insert(name.to_owned(), value.to_owned());
}

/// Whether the operation of a call matches.
pub(super) fn is(call: &Call, matches: fn(&Operation) -> bool) -> bool {
    let operation = call.operation().and_then(|operation| operation.downcast());
    operation.is_some_and(matches)
}

/// Changes Ben's address in the events of a document.
pub(super) fn misquote(document: &mut Document) {
    amend_events(document, |payload| payload.replace("ben@", "den@"));
}

/// Changes the payloads of the events of a document.
pub(super) fn amend_events(document: &mut Document, amend: fn(&str) -> String) {
    let outbox = document.get_array_mut("outbox").into_iter().flatten();
    for entry in outbox.filter_map(bson::Bson::as_document_mut) {
        let payload = amend(text(entry, "payload"));
        entry.insert("payload", payload);
    }
}

/// The first message of this subject.
pub(super) fn message_of(truth: &Truth, subject: &str) -> String {
    message_about(truth, subject, "")
}

/// The first message of this subject about this aggregate; about any for an empty id.
pub(super) fn message_about(truth: &Truth, subject: &str, aggregate: &str) -> String {
    let is_about = |message: &Message| {
        let about = message.headers.get("ce-subject");
        aggregate.is_empty() || about.is_some_and(|about| about == aggregate)
    };
    let found = truth.facts.trace.iter().find_map(|record| match &record.kind {
        RecordKind::Publish { message, .. } if message.subject == subject && is_about(message) => {
            Some(message.id.clone())
        }
        _ => None,
    });
    found.expect("it was published")
}

/// A write of the service that owns this collection.
pub(super) fn wrote(truth: &mut Truth, collection: &'static str, document: Document) {
    wrote_by(truth, collection, collection, document);
}

pub(super) fn wrote_by(
    truth: &mut Truth,
    service: &'static str,
    collection: &str,
    document: Document,
) {
    let what = RecordKind::Write {
        operation: "update",
        collection: collection.to_owned(),
        began: truth.facts.trace.len(),
        input: Document::new(),
        outcome: Ok(Some(document)),
    };
    add(truth, Some(InstanceId { service, instance: 98 }), what);
}

/// Publishes a spoiled copy of the first event about a ticket.
pub(super) fn spoil_message(truth: &mut Truth, spoil: fn(&mut Message)) {
    let message = truth.facts.trace.iter().find_map(|record| match &record.kind {
        RecordKind::Publish { message, .. } if message.subject == "ticket.created" => Some(message),
        _ => None,
    });
    let mut message = message.expect("a ticket was listed").clone();
    spoil(&mut message);
    let outcome = Ok(Published { sequence: 99, duplicate: false });
    let who = InstanceId { service: "tickets", instance: 98 };
    add(truth, Some(who), RecordKind::Publish { stream: Stream::Events, message, outcome });
}

/// Publishes the expiry of an order.
pub(super) fn expired(truth: &mut Truth, order: &str, id: String) {
    let event = OrderExpired(Expiry { id: order.to_owned() });
    let headers = [
        ("ce-id", id.as_str()),
        ("ce-source", "expiration"),
        ("ce-type", OrderExpired::NAME),
        ("ce-specversion", "1.0"),
        ("ce-time", "2026-01-01T00:00:00Z"),
        ("ce-subject", order),
    ];
    let message = Message {
        subject: OrderExpired::SUBJECT.to_owned(),
        headers: headers.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
        payload: serde_json::to_vec(&event).expect("an event is plain data").into(),
        id,
    };
    let outcome = Ok(Published { sequence: 99, duplicate: false });
    let who = InstanceId { service: "expiration", instance: 98 };
    add(truth, Some(who), RecordKind::Publish { stream: Stream::Events, message, outcome });
}

pub(super) fn subscribed(truth: &mut Truth, who: InstanceId) {
    add(truth, Some(who), RecordKind::Subscribe { consumer: "orders-UserAccess".to_owned() });
}

pub(super) fn started(truth: &mut Truth, who: InstanceId) {
    add(truth, Some(who), RecordKind::Start);
}

/// A request of the banned buyer that this instance accepts.
pub(super) fn asked(truth: &mut Truth, who: InstanceId) {
    let banned = truth.users().iter().find(|user| text(user, "email").starts_with("cleo"));
    let by = Some(id(banned.expect("Cleo has signed up")).to_owned());
    let line = "POST /api/orders".to_owned();
    add(
        truth,
        None,
        RecordKind::Request {
            number: 99,
            line,
            by,
            to: Some(who),
            headers: HeaderMap::new(),
            body: Bytes::new(),
        },
    );
    add(
        truth,
        None,
        RecordKind::Answer {
            number: 99,
            status: Some(201),
            headers: HeaderMap::new(),
            body: Bytes::new(),
        },
    );
}

/// A request and its reply.
pub(super) fn exchanged(
    truth: &mut Truth,
    line: &str,
    request: &Value,
    status: u16,
    reply: &Value,
) {
    let (line, to) = (line.to_owned(), Some(FRESH));
    let body = |json: &Value| Bytes::from(json.to_string());
    add(
        truth,
        None,
        RecordKind::Request {
            number: 98,
            line,
            by: None,
            to,
            headers: HeaderMap::new(),
            body: body(request),
        },
    );
    add(
        truth,
        None,
        RecordKind::Answer {
            number: 98,
            status: Some(status),
            headers: HeaderMap::new(),
            body: body(reply),
        },
    );
}
