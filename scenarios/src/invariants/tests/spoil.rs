//! How evidence is spoiled: what a document, a record or an answer is changed to, so that one
//! promise is broken.

use std::sync::Arc;

use bson::{Document, doc};
use bytes::Bytes;
use contracts::OrderExpired;
use harness::trace::{InstanceId, Record, RecordKind};
use platform::event::Event;
use ports::bus::{Message, Published, Stream};
use serde_json::Value;

use super::{Evidence, LedgerCharge};
use crate::invariants::evidence::{Told, id, text};
use crate::script::Act;

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

pub(super) fn ticket_of(evidence: &mut Evidence, status: &str) -> String {
    text(find(&mut evidence.orders, status), "ticketId").to_owned()
}

pub(super) fn ticket(evidence: &mut Evidence, status: &str) -> Document {
    let ticket = ticket_of(evidence, status);
    find_id(&mut evidence.tickets, &ticket).clone()
}

pub(super) fn charge<'a>(evidence: &'a mut Evidence, status: &str) -> &'a mut Document {
    let order = find(&mut evidence.order_copies, status);
    order.get_document_mut("charge").expect("it is charged")
}

/// Charges the cancelled order on our side, and returns the provider's.
pub(super) fn charged_cancelled(evidence: &mut Evidence) -> LedgerCharge {
    let order = find(&mut evidence.order_copies, CANCELLED);
    let charge = doc! { "stripeId": "ch_kept", "amount": 2000_i64, "status": "completed" };
    order.insert("charge", charge);
    LedgerCharge {
        id: "ch_kept".to_owned(),
        order_id: id(order).to_owned(),
        amount: 2000,
        refunded: false,
        idempotency_key: String::new(),
    }
}

pub(super) fn edit(evidence: &mut Evidence) -> &mut Vec<Record> {
    Arc::make_mut(&mut evidence.trace)
}

pub(super) fn add(evidence: &mut Evidence, who: Option<InstanceId>, what: RecordKind) {
    let at = evidence.now;
    edit(evidence).push(Record { at, instance: who, origin: None, kind: what });
}

/// What the first was told who was told this.
pub(super) fn told(evidence: &mut Evidence, status: Option<u16>) -> &mut Told {
    evidence.told.iter_mut().find(|told| told.status == status).expect("somebody was told this")
}

/// What the first was told who reserved a ticket.
pub(super) fn reserved(evidence: &mut Evidence) -> &mut Told {
    let reserve = |told: &&mut Told| matches!(told.act, Act::Reserve { .. });
    evidence.told.iter_mut().find(reserve).expect("somebody reserved")
}

/// The first message of this subject.
pub(super) fn message_of(evidence: &Evidence, subject: &str) -> String {
    let found = evidence.trace.iter().find_map(|record| match &record.kind {
        RecordKind::Publish { message, .. } if message.subject == subject => {
            Some(message.id.clone())
        }
        _ => None,
    });
    found.expect("it was published")
}

/// A write of the service that owns this collection.
pub(super) fn wrote(evidence: &mut Evidence, collection: &'static str, document: Document) {
    wrote_by(evidence, collection, collection, document);
}

pub(super) fn wrote_by(
    evidence: &mut Evidence,
    service: &'static str,
    collection: &str,
    document: Document,
) {
    let what = RecordKind::Write {
        operation: "update",
        collection: collection.to_owned(),
        began: evidence.trace.len(),
        input: Document::new(),
        outcome: Ok(Some(document)),
    };
    add(evidence, Some(InstanceId { service, instance: 98 }), what);
}

/// Publishes a spoiled copy of the first event about a ticket.
pub(super) fn spoil_message(evidence: &mut Evidence, spoil: fn(&mut Message)) {
    let message = evidence.trace.iter().find_map(|record| match &record.kind {
        RecordKind::Publish { message, .. } if message.subject == "ticket.created" => Some(message),
        _ => None,
    });
    let mut message = message.expect("a ticket was listed").clone();
    spoil(&mut message);
    let outcome = Ok(Published { sequence: 99, duplicate: false });
    let who = InstanceId { service: "tickets", instance: 98 };
    add(evidence, Some(who), RecordKind::Publish { stream: Stream::Events, message, outcome });
}

/// Tells that the time of an order is up.
pub(super) fn expired(evidence: &mut Evidence, order: &str, id: String) {
    let event = OrderExpired { id: order.to_owned() };
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
    add(evidence, Some(who), RecordKind::Publish { stream: Stream::Events, message, outcome });
}

pub(super) fn subscribed(evidence: &mut Evidence, who: InstanceId) {
    add(evidence, Some(who), RecordKind::Subscribe { consumer: "orders-UserBans".to_owned() });
}

pub(super) fn started(evidence: &mut Evidence, who: InstanceId) {
    add(evidence, Some(who), RecordKind::Start);
}

/// A request of the banned buyer to this instance, carried out.
pub(super) fn asked(evidence: &mut Evidence, who: InstanceId) {
    let banned = evidence.users.iter().find(|user| text(user, "email").starts_with("cleo"));
    let by = Some(id(banned.expect("Cleo has signed up")).to_owned());
    let line = "POST /api/orders".to_owned();
    add(
        evidence,
        None,
        RecordKind::Request { number: 99, line, by, to: Some(who), body: Bytes::new() },
    );
    add(evidence, None, RecordKind::Answer { number: 99, status: Some(201), body: Bytes::new() });
}

/// A request and its answer.
pub(super) fn told_of(
    evidence: &mut Evidence,
    line: &str,
    asks: &Value,
    status: u16,
    told: &Value,
) {
    let (line, to) = (line.to_owned(), Some(FRESH));
    let body = |json: &Value| Bytes::from(json.to_string());
    add(evidence, None, RecordKind::Request { number: 98, line, by: None, to, body: body(asks) });
    add(evidence, None, RecordKind::Answer { number: 98, status: Some(status), body: body(told) });
}
