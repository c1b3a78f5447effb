//! Every promise is shown to be checked: true evidence breaks none, and evidence with one
//! fault in it breaks exactly the one that the fault is against.

mod spoil;

use std::sync::Arc;

use bson::{Bson, doc};
use contracts::Cents;
use harness::trace::{Record, RecordKind};
use platform::deadletter::DeadLetter;
use ports::Timestamp;
use ports::causality::Causality;
use serde_json::{Value, json};

use super::evidence::{id, text};
use super::{ALL, Evidence, violations};
use crate::case::Case;
use crate::provider::LedgerCharge;
use crate::script::{Act, Round, Script, Then};
use crate::simulate;
use spoil::*;

/// Spoils true evidence.
type Spoil = fn(&mut Evidence);

/// Against which promise, what is wrong, and how the evidence comes to show it.
const FAULTS: &[(&str, &str, Spoil)] = &[
    ("one-holder", "two orders hold a ticket in the end", |e| {
        let order = id(find(&mut e.orders, OPEN)).to_owned();
        for documents in [&mut e.orders, &mut e.order_copies, &mut e.timers] {
            let mut second = find_id(documents, &order).clone();
            second.insert("_id", "second");
            documents.push(second);
        }
    }),
    ("one-holder", "two orders held a ticket for a while", |e| {
        let order = doc! { "_id": "second", "ticketId": ticket_of(e, OPEN), "holding": true };
        wrote(e, "orders", order);
    }),
    ("linearizable", "a buyer is refused a ticket that nobody has", |e| {
        let ticket = ticket_of(e, CANCELLED);
        let told = json!({ "errors": [{ "message": "Ticket is already reserved" }] });
        told_of(e, "POST /api/orders", &json!({ "ticketId": ticket }), 400, &told);
    }),
    ("linearizable", "a buyer is promised a ticket that another has", |e| {
        let ticket = ticket_of(e, OPEN);
        let told = json!({ "id": "second" });
        told_of(e, "POST /api/orders", &json!({ "ticketId": ticket }), 201, &told);
    }),
    ("linearizable", "a buyer is told that an order is over that has the ticket", |e| {
        let line = format!("DELETE /api/orders/{}", id(find(&mut e.orders, OPEN)));
        told_of(e, &line, &Value::Null, 204, &Value::Null);
    }),
    ("linearizable", "a completed order lets its ticket go", |e| {
        let mut order = find(&mut e.orders, COMPLETE).clone();
        order.insert("holding", false);
        wrote(e, "orders", order);
    }),
    ("paid-once", "the amount is not the price", |e| {
        e.ledger[0].amount = 1999;
        charge(e, COMPLETE).insert("amount", 1999_i64);
    }),
    ("paid-once", "the buyer was shown another price", |e| {
        let order = id(find(&mut e.orders, COMPLETE)).to_owned();
        e.shown.insert(order, Cents(1999));
    }),
    ("paid-once", "a completed order is refunded", |e| {
        e.ledger[0].refunded = true;
        charge(e, COMPLETE).insert("status", "refunded");
    }),
    ("no-money-kept", "a cancelled order keeps the money", |e| {
        let entry = charged_cancelled(e);
        e.ledger.push(entry);
    }),
    ("ledgers-agree", "the provider has another name for a charge", |e| {
        charge(e, COMPLETE).insert("stripeId", "ch_other");
    }),
    ("ledgers-agree", "a refund is known to the provider only", |e| {
        let entry = charged_cancelled(e);
        e.ledger.push(LedgerCharge { refunded: true, ..entry });
    }),
    ("ledgers-agree", "a charge is known to us only", |e| {
        charged_cancelled(e);
    }),
    ("frozen-while-held", "a held ticket got another price", |e| {
        let mut held = ticket(e, OPEN);
        held.insert("version", held.get_i64("version").expect("it has one") + 1);
        held.insert("price", 1_i64);
        wrote(e, "tickets", held);
    }),
    ("frozen-while-held", "a held ticket got another title", |e| {
        let mut held = ticket(e, OPEN);
        held.insert("version", held.get_i64("version").expect("it has one") + 1);
        held.insert("title", "Oper");
        wrote(e, "tickets", held);
    }),
    ("expiry", "an order holds its ticket past its time", |e| {
        let order = find(&mut e.orders, OPEN);
        order.insert("expiresAt", bson::DateTime::from_millis(0));
    }),
    ("expires-once", "the time of an order is up twice", |e| {
        let order = id(find(&mut e.orders, CANCELLED)).to_owned();
        for number in 1..=2 {
            expired(e, &order, format!("expired-{number}"));
        }
    }),
    ("rest", "an event waits in an outbox", |e| {
        e.users[0].insert("outbox", vec![doc! { "id": "waiting" }]);
    }),
    ("rest", "a timer is overdue", |e| {
        let order = id(find(&mut e.orders, OPEN)).to_owned();
        find_id(&mut e.timers, &order).insert("due", bson::DateTime::from_millis(0));
        e.given_up.insert(order);
    }),
    ("copies", "a copy of a ticket has another price", |e| {
        e.ticket_copies[0].insert("price", 1_i64);
    }),
    ("copies", "a copy of a ticket is behind", |e| {
        e.ticket_copies[0].insert("version", 0_i64);
    }),
    ("copies", "a ticket has no copy", |e| {
        e.ticket_copies.pop();
    }),
    ("copies", "a copy of an order has another state", |e| {
        find(&mut e.order_copies, OPEN).insert("status", "awaiting:payment");
    }),
    ("copies", "an order has no timer", |e| {
        e.timers.pop();
    }),
    ("copies", "a copy has no origin", |e| {
        e.timers.push(doc! { "_id": "stray" });
    }),
    ("copies", "a held ticket seems free", |e| {
        let order = id(find(&mut e.orders, OPEN)).to_owned();
        let held = e.tickets.iter_mut().find(|ticket| text(ticket, "orderId") == order);
        held.expect("it is held").insert("orderId", Bson::Null);
    }),
    ("copies", "the timer of a completed order is armed", |e| {
        let order = id(find(&mut e.orders, COMPLETE)).to_owned();
        let later = bson::DateTime::from_millis(i64::MAX / 2);
        find_id(&mut e.timers, &order).insert("due", later);
    }),
    ("schema", "a payload lacks a field", |e| {
        spoil_message(e, |message| message.payload = "{}".into());
    }),
    ("schema", "a payload is not JSON", |e| {
        spoil_message(e, |message| message.payload = "no".into());
    }),
    ("schema", "an event is not in the catalogue", |e| {
        spoil_message(e, |message| message.subject = "ticket.eaten".to_owned());
    }),
    ("schema", "an event says it is another", |e| {
        spoil_message(e, |message| {
            message.headers.insert("ce-type".to_owned(), "TicketUpdated".to_owned());
        });
    }),
    ("schema", "an attribute is missing", |e| {
        spoil_message(e, |message| {
            message.headers.remove("ce-time");
        });
    }),
    ("schema", "a message has an id of its own", |e| {
        spoil_message(e, |message| message.id.push('2'));
    }),
    ("bans", "an instance that heard of the ban carries a request out", |e| {
        let refused = |status: &Option<u16>| *status == Some(401);
        let status = edit(e).iter_mut().find_map(|record| match &mut record.kind {
            RecordKind::Answer { status, .. } if refused(status) => Some(status),
            _ => None,
        });
        *status.expect("a banned buyer was refused") = Some(201);
    }),
    ("bans", "an instance that started after the ban carries a request out", |e| {
        subscribed(e, FRESH);
        started(e, FRESH);
        asked(e, FRESH);
    }),
    ("refunds", "money of an order that stands has moved back", |e| {
        let order = find(&mut e.order_copies, OPEN);
        order.insert(
            "charge",
            doc! { "stripeId": "ch_back", "amount": 2000_i64, "status": "refunded" },
        );
        let order_id = id(order).to_owned();
        let (id, idempotency_key) = ("ch_back".to_owned(), String::new());
        e.ledger.push(LedgerCharge { id, order_id, amount: 2000, refunded: true, idempotency_key });
    }),
    ("never-back", "a copy is overwritten by an older one", |e| {
        let mut stale = find(&mut e.order_copies, CANCELLED).clone();
        stale.insert("version", 0_i64);
        wrote_by(e, "payments", "orders", stale);
    }),
    ("never-back", "an old hold is applied once more", |e| {
        let mut stale = ticket(e, CANCELLED);
        stale.insert("fence", 1_i64);
        wrote(e, "tickets", stale);
    }),
    ("ack-last", "a message is acknowledged before its write", |e| {
        let told = message_of(e, "order.cancelled");
        let ack = edit(e).iter().position(|record| match &record.kind {
            RecordKind::Reply { operation: "ack", consumer, id, .. } => {
                *id == told && consumer == "payments-OrderCancelled"
            }
            _ => false,
        });
        let ack = edit(e).remove(ack.expect("it was acknowledged"));
        let published = edit(e).iter().position(|record| match &record.kind {
            RecordKind::Publish { message, .. } => message.id == told,
            _ => false,
        });
        edit(e).insert(published.expect("it was published") + 1, ack);
    }),
    ("applied-once", "a message that comes twice is applied twice", |e| {
        let cause = message_of(e, "order.cancelled");
        let again = find(&mut e.order_copies, CANCELLED).clone();
        wrote_by(e, "payments", "orders", again);
        let origin = Causality { correlation: String::new(), cause };
        let last = edit(e).last_mut().expect("it was just written");
        last.origin = Some(Arc::new(origin));
    }),
    ("changes-told", "nobody was told of a change", |e| {
        let told = message_of(e, "user.created");
        edit(e).retain(|record| match &record.kind {
            RecordKind::Publish { message, .. } => message.id != told,
            _ => true,
        });
    }),
    ("changes-told", "something was told that did not happen", |e| {
        spoil_message(e, |message| {
            let text =
                String::from_utf8_lossy(&message.payload).replace("\"version\":0", "\"version\":9");
            message.payload = text.into_bytes().into();
        });
    }),
    ("told-in-order", "a change is told of after the next one", |e| {
        let told = message_of(e, "order.created");
        let published = |record: &Record| match &record.kind {
            RecordKind::Publish { message, .. } => message.id == told,
            _ => false,
        };
        let first = edit(e).iter().position(published).expect("it was published");
        let late = edit(e)[first].clone();
        edit(e).push(late);
        edit(e).remove(first);
    }),
    ("dead-letters", "a message was given up on at once", |e| {
        let mut message = e.trace.iter().find_map(|record| match &record.kind {
            RecordKind::Publish { message, .. } => Some(message.clone()),
            _ => None,
        });
        let mut message = message.take().expect("something was published");
        message.id = format!("nobody/{}", message.id);
        let [consumer, reason, attempts] = ["nobody", "no time", "1"].map(str::to_owned);
        e.letters.push(DeadLetter { consumer, reason, attempts, message });
    }),
    ("answers", "a status that the contract does not know", |e| {
        told(e, Some(400)).status = Some(409);
    }),
    ("answers", "an internal error", |e| told(e, Some(401)).status = Some(500)),
    ("answers", "no answer although nothing went wrong", |e| told(e, Some(401)).status = None),
    ("answers", "out of order although nothing went wrong", |e| {
        told(e, Some(401)).status = Some(503);
    }),
    ("answers", "an error in another shape", |e| {
        told(e, Some(400)).body = serde_json::json!({ "error": "no" });
    }),
    ("answers", "what is nobody's business is shown", |e| {
        told(e, Some(201)).body["outbox"] = serde_json::json!([]);
    }),
    ("kept-word", "an order of which its buyer was told is not there", |e| {
        reserved(e).body["id"] = "000000000000000000000000".into();
    }),
    ("kept-word", "an order lasts for less long than it must", |e| {
        e.window = e.window.map(|window| window * 2);
    }),
    ("kept-word", "an order was not cancelled", |e| {
        let open = id(find(&mut e.orders, OPEN)).to_owned();
        told(e, Some(204)).about = open;
    }),
    ("kept-word", "another charge", |e| {
        let paid = e.told.iter_mut().find(|t| matches!(t.act, Act::Pay { .. }));
        paid.expect("somebody paid").body["id"] = "000000000000000000000000".into();
    }),
    ("kept-word", "a ticket has another price than was said", |e| {
        told(e, Some(201)).body["price"] = 1.into();
    }),
    ("fair-refusals", "nobody else had the ticket", |e| {
        let late = e.told.iter_mut().find(|t| t.status == Some(400)).expect("somebody was late");
        late.about = "free".to_owned();
    }),
    ("for-sale", "a reserved ticket is listed", |e| {
        let held = ticket_of(e, OPEN);
        e.sale.as_mut().expect("somebody looked").listed.insert(held);
    }),
    ("for-sale", "a free ticket is not listed", |e| {
        let free = ticket_of(e, CANCELLED);
        e.sale.as_mut().expect("somebody looked").listed.remove(&free);
    }),
    ("for-sale", "a free ticket cannot be reserved", |e| {
        let free = ticket_of(e, CANCELLED);
        e.sale.as_mut().expect("somebody looked").offered.insert(free, Some(400));
    }),
    ("sessions", "a session outlives its time", |e| {
        told(e, Some(204)).signed_in = Some(Timestamp::UNIX_EPOCH);
    }),
    ("one-address", "two users share an address", |e| {
        e.users[0].insert("email", "BEN@example.org");
    }),
    ("no-panic", "an instance panicked", |e| {
        add(e, Some(FRESH), RecordKind::Panic { message: "index out of bounds".to_owned() });
    }),
];

/// What a broken promise may bring down with it: there is no order in which two hold a ticket,
/// nobody was told of an order that came from nowhere,
/// and a hold that ends elsewhere than it was said to is no hold that was promised.
const ENTAILED: &[(&str, &str)] = &[
    ("one-holder", "linearizable"),
    ("one-holder", "changes-told"),
    ("expiry", "copies"),
    ("expiry", "kept-word"),
    ("schema", "changes-told"),
    ("schema", "told-in-order"),
];

/// One order of each fate, and a buyer who is banned.
fn truth() -> Evidence {
    let list = |ticket| Act::List { who: 0, ticket, price: Cents(2000) };
    let reserve = |who, ticket| Act::Reserve { who, ticket };
    let rounds = [
        vec![list(0), list(1), list(2)],
        vec![reserve(1, 0), reserve(2, 1), reserve(3, 2)],
        vec![reserve(3, 0)],
        vec![Act::Pay { who: 1, ticket: 0, good: true }, Act::Cancel { who: 2, ticket: 1 }],
        vec![Act::Ban { who: 2 }],
        vec![reserve(2, 1)],
    ];
    let rounds = rounds.map(|acts| Round { acts, then: Then::Settle }).to_vec();
    let run = simulate::run(&Case::of(Script { people: 4, rounds }, 1));
    let evidence = run.expect("the harness works").evidence;
    Arc::unwrap_or_clone(evidence.expect("a polite evening comes to rest"))
}

fn broken(evidence: &Evidence) -> Vec<&'static str> {
    let mut names: Vec<_> = violations(evidence).iter().map(|v| v.invariant).collect();
    names.dedup();
    names
}

#[test]
fn true_evidence_breaks_no_promise() {
    assert_eq!(violations(&truth()), []);
}

#[test]
fn every_fault_breaks_the_one_promise_that_it_is_against() {
    let truth = truth();
    let mut wrong = Vec::new();
    for (promise, fault, spoil) in FAULTS {
        let mut evidence = truth.clone();
        spoil(&mut evidence);
        let broken = broken(&evidence);
        let entailed = |name: &&str| name == promise || ENTAILED.contains(&(promise, name));
        if !broken.contains(promise) || !broken.iter().all(entailed) {
            wrong.push(format!("{promise}, {fault}: {broken:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_promise_has_a_fault_against_it() {
    let without = ALL.iter().filter(|i| !FAULTS.iter().any(|(promise, ..)| *promise == i.name));
    let without: Vec<_> = without.map(|invariant| invariant.name).collect();
    assert!(without.is_empty(), "add a fault to FAULTS for each of {without:?}");
}

#[test]
fn on_real_servers_a_release_counts_from_its_call() {
    let mut evidence = truth();
    let ticket = ticket_of(&mut evidence, OPEN);
    let open = find(&mut evidence.orders, OPEN);
    let (order, version) = (id(open).to_owned(), open.get_i64("version").expect("it has one"));
    let before_the_next = evidence.trace.len();
    wrote(&mut evidence, "orders", doc! { "_id": "next", "ticketId": &ticket, "holding": true });
    let mut release = doc! { "_id": order, "ticketId": &ticket, "holding": false };
    release.insert("version", version + 1);
    wrote(&mut evidence, "orders", release);
    let RecordKind::Write { began, .. } =
        &mut edit(&mut evidence).last_mut().expect("just added").kind
    else {
        panic!("the last record is the release");
    };
    *began = before_the_next;
    let of_holders = |evidence: &Evidence| {
        let names = broken(evidence).into_iter();
        names.filter(|name| ["one-holder", "linearizable"].contains(name)).count()
    };
    assert_eq!(of_holders(&evidence), 2);
    evidence.exact = false;
    assert_eq!(of_holders(&evidence), 0);
}

#[test]
fn a_ban_that_an_instance_could_not_have_heard_of_binds_it_not() {
    let mut evidence = truth();
    let ban = edit(&mut evidence).iter().position(|record| {
        matches!(&record.kind, RecordKind::Publish { message, .. } if message.subject == "user.banned")
    });
    let listens = Record {
        instance: Some(FRESH),
        kind: RecordKind::Subscribe { consumer: "orders-UserBans".to_owned() },
        ..evidence.trace[0].clone()
    };
    edit(&mut evidence).insert(ban.expect("somebody was banned"), listens);
    started(&mut evidence, FRESH);
    asked(&mut evidence, FRESH);
    assert_eq!(broken(&evidence), [""; 0]);
}
