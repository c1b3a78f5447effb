//! Every invariant detects its violation: true evidence violates none, and evidence with one lie
//! violates exactly the invariant that the lie targets.

mod envelopes;
mod outcome;
mod replies;
mod spoil;

use std::sync::Arc;
use std::time::Duration;

use bson::{Bson, doc};
use contracts::Cents;
use harness::case::{Case, FaultPlan, Schedule};
use harness::evidence::Facts;
use harness::history::{Call, History};
use harness::run;
use harness::script::Then;
use harness::subject::AnySubject;
use harness::subject::any::AnyClients;
use harness::trace::{Record, RecordKind};
use platform::deadletter::DeadLetter;
use ports::causality::Causality;
use ports::clock::after;
use serde_json::{Value, json};

use super::evidence::{id, text};
use crate::Ticketing;
use crate::clients::Clients;
use crate::operation::{ADMINISTRATOR, Card, Operation};
use crate::provider::{LedgerCharge, Status};
use crate::workloads::{Round, Script};
use spoil::*;

/// Puts a lie into true evidence.
type Spoil = fn(&mut Truth);

/// The invariant, the lie, and the change that puts it into the evidence.
const FAULTS: &[(&str, &str, Spoil)] = &[
    ("one-holder", "two orders hold a ticket at the end", |e| {
        let order = id(find(e.orders(), OPEN)).to_owned();
        for documents in [Truth::orders, Truth::order_copies, Truth::timers] {
            let mut second = find_id(documents(e), &order).clone();
            second.insert("_id", "second");
            documents(e).push(second);
        }
    }),
    ("one-holder", "two orders held a ticket for a while", |e| {
        let order = doc! { "_id": "second", "ticketId": ticket_of(e, OPEN), "holding": true };
        wrote(e, "orders", order);
    }),
    ("open-orders", "a buyer had more open orders for a while", |e| {
        let buyer = text(find(e.orders(), OPEN), "userId").to_owned();
        for number in 0..e.clients().max_open_orders {
            let (order, ticket) = (format!("more-{number}"), format!("of-{number}"));
            let order = doc! { "_id": order, "ticketId": ticket, "userId": &buyer };
            let open = doc! { "holding": true, "status": "created" };
            wrote(e, "orders", order.into_iter().chain(open).collect());
        }
    }),
    ("linearizable", "a buyer is refused a free ticket", |e| {
        let ticket = ticket_of(e, CANCELLED);
        let refusal = json!({ "errors": [{ "message": "Ticket is already reserved" }] });
        exchanged(e, "POST /api/orders", &json!({ "ticketId": ticket }), 400, &refusal);
    }),
    ("linearizable", "a buyer gets a ticket that another order holds", |e| {
        let ticket = ticket_of(e, OPEN);
        let created = json!({ "id": "second" });
        exchanged(e, "POST /api/orders", &json!({ "ticketId": ticket }), 201, &created);
    }),
    ("linearizable", "the cancellation of an order that holds its ticket is confirmed", |e| {
        let line = format!("DELETE /api/orders/{}", id(find(e.orders(), OPEN)));
        exchanged(e, &line, &Value::Null, 204, &Value::Null);
    }),
    ("linearizable", "a completed order releases its ticket", |e| {
        let mut order = find(e.orders(), COMPLETE).clone();
        order.insert("holding", false);
        wrote(e, "orders", order);
    }),
    ("paid-once", "the amount differs from the price", |e| {
        e.ledger(|ledger| ledger[0].amount = 1999);
        charge(e, COMPLETE).insert("amount", 1999_i64);
    }),
    ("paid-once", "the buyer was shown another price", |e| {
        let order = id(find(e.orders(), COMPLETE)).to_owned();
        e.clients().shown.insert(order, Cents(1999));
    }),
    ("paid-once", "a completed order is refunded", |e| {
        e.ledger(|ledger| ledger[0] = ledger[0].clone().refunded());
        charge(e, COMPLETE).insert("status", "refunded");
    }),
    ("no-money-kept", "a cancelled order keeps the money", |e| {
        let entry = charged_cancelled(e);
        e.ledger(|ledger| ledger.push(entry));
    }),
    ("no-money-kept", "payments does not show that the provider refuses a refund", |e| {
        let entry = charged_cancelled(e);
        e.ledger(|ledger| ledger.push(entry.disputed()));
    }),
    ("no-money-kept", "payments shows another refusal than that of the provider", |e| {
        let entry = charged_cancelled(e);
        charge(e, CANCELLED).insert("failure", "card_declined");
        e.ledger(|ledger| ledger.push(entry.disputed()));
    }),
    ("no-money-kept", "payments gives up a refund that the provider does not refuse", |e| {
        let entry = charged_cancelled(e);
        charge(e, CANCELLED).insert("failure", "charge_disputed");
        e.ledger(|ledger| ledger.push(entry));
    }),
    ("paid-once", "the charge of a completed order has failed", |e| {
        e.ledger(|ledger| ledger[0].status = Status::Failed);
        charge(e, COMPLETE).insert("status", "failed");
    }),
    ("paid-completes", "a paid order stays open", |e| {
        let order = find(e.order_copies(), OPEN);
        let charge = doc! { "stripeId": "ch_open", "amount": 2000_i64, "status": "completed" };
        order.insert("charge", charge);
        let charge = LedgerCharge::succeeded("ch_open", id(order), 2000);
        e.ledger(|ledger| ledger.push(charge));
    }),
    ("ledgers-agree", "the provider has another id for a charge", |e| {
        charge(e, COMPLETE).insert("stripeId", "ch_other");
    }),
    ("ledgers-agree", "a refund is known to the provider only", |e| {
        let entry = charged_cancelled(e);
        e.ledger(|ledger| ledger.push(entry.refunded()));
    }),
    ("ledgers-agree", "a charge is missing from the ledger of the provider", |e| {
        charged_cancelled(e);
    }),
    ("frozen-while-held", "the price of a held ticket was changed", |e| {
        let mut held = ticket(e, OPEN);
        held.insert("version", held.get_i64("version").expect("it has one") + 1);
        held.insert("price", 1_i64);
        wrote(e, "tickets", held);
    }),
    ("frozen-while-held", "the title of a held ticket was changed", |e| {
        let mut held = ticket(e, OPEN);
        held.insert("version", held.get_i64("version").expect("it has one") + 1);
        held.insert("title", "Oper");
        wrote(e, "tickets", held);
    }),
    ("hold-ends", "an order holds its ticket past its deadline", |e| {
        let order = find(e.orders(), OPEN);
        order.insert("expiresAt", bson::DateTime::from_millis(0));
    }),
    ("expires-once", "the expiry of an order is published twice", |e| {
        let order = id(find(e.orders(), CANCELLED)).to_owned();
        for number in 1..=2 {
            expired(e, &order, format!("expired-{number}"));
        }
    }),
    ("outboxes-drain", "an event waits in an outbox", |e| {
        e.users()[0].insert("outbox", vec![doc! { "id": "waiting" }]);
    }),
    ("no-timer-overdue", "a timer is overdue", |e| {
        let order = id(find(e.orders(), OPEN)).to_owned();
        find_id(e.timers(), &order).insert("due", bson::DateTime::from_millis(0));
        e.facts.given_up.insert(order);
    }),
    ("copies-converge", "a copy of a ticket has another price", |e| {
        e.ticket_copies()[0].insert("price", 1_i64);
    }),
    ("copies-converge", "a copy of a ticket is behind", |e| {
        e.ticket_copies()[0].insert("version", 0_i64);
    }),
    ("copies-converge", "a ticket has no copy", |e| {
        e.ticket_copies().pop();
    }),
    ("copies-converge", "a copy of an order has another state", |e| {
        find(e.order_copies(), OPEN).insert("status", "awaiting:payment");
    }),
    ("copies-converge", "an order has no timer", |e| {
        e.timers().pop();
    }),
    ("copies-converge", "a copy has no origin", |e| {
        e.timers().push(doc! { "_id": "stray" });
    }),
    ("holders-agree", "a held ticket has no holder in tickets", |e| {
        let order = id(find(e.orders(), OPEN)).to_owned();
        let held = e.tickets().iter_mut().find(|ticket| text(ticket, "orderId") == order);
        held.expect("it is held").insert("orderId", Bson::Null);
    }),
    ("timers-armed", "the timer of a completed order is armed", |e| {
        let order = id(find(e.orders(), COMPLETE)).to_owned();
        let later = bson::DateTime::from_millis(i64::MAX / 2);
        find_id(e.timers(), &order).insert("due", later);
    }),
    ("schemas", "a payload lacks a field", |e| {
        spoil_message(e, |message| message.payload = "{}".into());
    }),
    ("schemas", "a payload is not JSON", |e| {
        spoil_message(e, |message| message.payload = "no".into());
    }),
    ("schemas", "an event is not in the catalogue", |e| {
        spoil_message(e, |message| message.subject = "ticket.eaten".to_owned());
    }),
    ("bans", "an instance that received the ban accepts a request", |e| {
        let refused = |status: &Option<u16>| *status == Some(401);
        let status = edit(e).iter_mut().find_map(|record| match &mut record.kind {
            RecordKind::Answer { status, .. } if refused(status) => Some(status),
            _ => None,
        });
        *status.expect("a banned buyer was refused") = Some(201);
    }),
    ("bans", "an instance that started after the ban accepts a request", |e| {
        subscribed(e, FRESH);
        started(e, FRESH);
        asked(e, FRESH);
    }),
    ("refunds", "the charge of an open order is refunded", |e| {
        let order = find(e.order_copies(), OPEN);
        order.insert(
            "charge",
            doc! { "stripeId": "ch_back", "amount": 2000_i64, "status": "refunded" },
        );
        let charge = LedgerCharge::succeeded("ch_back", id(order), 2000).refunded();
        e.ledger(|ledger| ledger.push(charge));
    }),
    ("never-back", "a copy is overwritten by an older one", |e| {
        let mut stale = find(e.order_copies(), CANCELLED).clone();
        stale.insert("version", 0_i64);
        wrote_by(e, "payments", "orders", stale);
    }),
    ("never-back", "an old hold is applied again", |e| {
        let mut stale = ticket(e, CANCELLED);
        stale.insert("fence", 1_i64);
        wrote(e, "tickets", stale);
    }),
    ("acknowledged-after-write", "a message is acknowledged before its copy is written", |e| {
        acknowledged_at_once(e, "order.cancelled", "payments-OrderCancelled");
    }),
    ("ack-last", "a message is acknowledged before the hold is released", |e| {
        acknowledged_at_once(e, "order.cancelled", "tickets-OrderCancelled");
    }),
    ("charges-published", "a version of a charge was never published", |e| {
        let published = message_of(e, "charge.updated");
        edit(e).retain(|record| match &record.kind {
            RecordKind::Publish { message, .. } => message.id != published,
            _ => true,
        });
    }),
    ("applied-once", "a redelivered message is applied twice", |e| {
        let cause = message_of(e, "order.cancelled");
        let again = find(e.order_copies(), CANCELLED).clone();
        wrote_by(e, "payments", "orders", again);
        let origin = Causality { correlation: String::new(), cause };
        let last = edit(e).last_mut().expect("it was just written");
        last.origin = Some(Arc::new(origin));
    }),
    ("published-completely", "a change was not published", |e| {
        let lost = message_of(e, "user.created");
        edit(e).retain(|record| match &record.kind {
            RecordKind::Publish { message, .. } => message.id != lost,
            _ => true,
        });
    }),
    ("published-completely", "a change was published that did not happen", |e| {
        spoil_message(e, |message| {
            let text =
                String::from_utf8_lossy(&message.payload).replace("\"version\":0", "\"version\":9");
            message.payload = text.into_bytes().into();
        });
    }),
    ("published-in-order", "a change is published after the next one", |e| {
        let order = id(find(e.orders(), COMPLETE)).to_owned();
        let moved = message_about(e, "order.created", &order);
        let published = |record: &Record| match &record.kind {
            RecordKind::Publish { message, .. } => message.id == moved,
            _ => false,
        };
        let first = edit(e).iter().position(published).expect("it was published");
        let late = edit(e)[first].clone();
        edit(e).push(late);
        edit(e).remove(first);
    }),
    ("dead-letters", "a message was dead-lettered without faults", |e| {
        let mut message = e.facts.trace.iter().find_map(|record| match &record.kind {
            RecordKind::Publish { message, .. } => Some(message.clone()),
            _ => None,
        });
        let mut message = message.take().expect("something was published");
        message.id = format!("nobody/{}", message.id);
        let [consumer, reason, attempts] = ["nobody", "no time", "1"].map(str::to_owned);
        e.facts.letters.push(DeadLetter { sequence: 1, consumer, reason, attempts, message });
    }),
    ("declined-cancels", "an order with a declined card is kept", |e| {
        let pays = |call: &Call| is(call, |o| matches!(o, Operation::Pay { .. }));
        amend_first(e, pays, |call| restatus(call, 402));
    }),
    ("expires-in-time", "an order expires before its deadline", |e| {
        let mut order = find(e.orders(), OPEN).clone();
        order.insert("reason", "expired");
        order.insert("outbox", vec![doc! { "id": "expired" }]);
        wrote(e, "orders", order);
    }),
    ("payloads", "an event has another address than its user", |e| {
        for record in edit(e) {
            match &mut record.kind {
                RecordKind::Publish { message, .. } if message.subject == "user.created" => {
                    let text = String::from_utf8_lossy(&message.payload).replace("ben@", "den@");
                    message.payload = text.into_bytes().into();
                }
                RecordKind::Write { outcome: Ok(Some(user)), .. } => misquote(user),
                _ => {}
            }
        }
    }),
    ("prompt", "an event is published late", |e| {
        let moved = message_of(e, "order.created");
        let published = edit(e).iter_mut().find(|record| match &record.kind {
            RecordKind::Publish { message, .. } => message.id == moved,
            _ => false,
        });
        let published = published.expect("it was published");
        published.at = after(published.at, Duration::from_secs(3));
    }),
    ("for-sale", "a reserved ticket is listed", |e| {
        let held = ticket_of(e, OPEN);
        e.listing().listed.insert(held);
    }),
    ("for-sale", "a free ticket is not listed", |e| {
        let free = ticket_of(e, CANCELLED);
        e.listing().listed.remove(&free);
    }),
    ("for-sale", "a free ticket cannot be reserved", |e| {
        let free = ticket_of(e, CANCELLED);
        e.listing().offered.insert(free, Some(400));
    }),
    ("one-address", "two users share an address", |e| {
        e.users()[0].insert("email", "BEN@example.org");
    }),
    ("one-claim", "two users own a claim", |e| {
        let owner = e.users().iter().map(|user| text(user, "claim").to_owned());
        let claim = owner.max().expect("there are users");
        e.users()[0].insert("claim", claim);
    }),
    ("no-panic", "an instance panicked", |e| {
        add(e, Some(FRESH), RecordKind::Panic { message: "index out of bounds".to_owned() });
    }),
];

/// All lies.
fn all_faults() -> impl Iterator<Item = &'static (&'static str, &'static str, Spoil)> {
    FAULTS.iter().chain(replies::FAULTS).chain(envelopes::FAULTS)
}

/// Pairs of an invariant and another one that its lies also violate: two holders are never
/// linearizable, an inserted order was never published, and a changed deadline differs from the
/// reply to the buyer.
const ENTAILED: &[(&str, &str)] = &[
    ("one-holder", "linearizable"),
    ("one-holder", "published-completely"),
    ("hold-ends", "timers-armed"),
    ("schemas", "published-completely"),
    ("schemas", "published-in-order"),
    ("schemas", "envelopes"),
    ("published-completely", "envelopes"),
    ("one-holder", "contract"),
    ("open-orders", "contract"),
    ("linearizable", "contract"),
    ("frozen-while-held", "contract"),
    ("never-back", "contract"),
    ("bans", "contract"),
    ("expires-in-time", "contract"),
    ("expires-once", "envelopes"),
    ("contract", "envelopes"),
    ("contract", "linearizable"),
    ("charges-published", "contract"),
    ("applied-once", "envelopes"),
];

/// The evidence of a run, to put lies into.
struct Truth {
    facts: Facts,
    clients: Box<dyn AnyClients>,
    history: History,
}

impl Truth {
    fn of(&mut self, service: &str, collection: &str) -> &mut Vec<bson::Document> {
        self.facts.documents.of_mut(service, collection)
    }

    fn tickets(&mut self) -> &mut Vec<bson::Document> {
        self.of("tickets", "tickets")
    }

    fn ticket_copies(&mut self) -> &mut Vec<bson::Document> {
        self.of("orders", "tickets")
    }

    fn orders(&mut self) -> &mut Vec<bson::Document> {
        self.of("orders", "orders")
    }

    fn order_copies(&mut self) -> &mut Vec<bson::Document> {
        self.of("payments", "orders")
    }

    fn timers(&mut self) -> &mut Vec<bson::Document> {
        self.of("expiration", "timers")
    }

    fn users(&mut self) -> &mut Vec<bson::Document> {
        self.of("auth", "users")
    }

    fn clients(&mut self) -> &mut Clients {
        self.clients.any_mut().downcast_mut().expect("they are ticketing's")
    }

    fn listing(&mut self) -> &mut crate::clients::Listing {
        self.clients().listing.as_mut().expect("the survey has run")
    }

    fn ledger(&mut self, change: impl FnOnce(&mut Vec<LedgerCharge>)) {
        self.clients().provider.amend_ledger(change);
    }

    /// The names of the violated invariants.
    fn violated(&self) -> Vec<String> {
        let violations = subject().judge(&self.facts, &*self.clients, &self.history);
        let mut names: Vec<_> = violations.into_iter().map(|v| v.invariant).collect();
        names.dedup();
        names
    }
}

/// Moves the acknowledgement of a message at a consumer to right after its publish.
fn acknowledged_at_once(truth: &mut Truth, subject: &str, consumer: &str) {
    let message = message_of(truth, subject);
    let ack = edit(truth).iter().position(|record| match &record.kind {
        RecordKind::Reply { operation: "ack", consumer: at, id, .. } => {
            *id == message && at == consumer
        }
        _ => false,
    });
    let ack = edit(truth).remove(ack.expect("it was acknowledged"));
    let published = edit(truth).iter().position(|record| match &record.kind {
        RecordKind::Publish { message: published, .. } => published.id == message,
        _ => false,
    });
    edit(truth).insert(published.expect("it was published") + 1, ack);
}

fn subject() -> AnySubject {
    static SUBJECT: std::sync::LazyLock<AnySubject> =
        std::sync::LazyLock::new(|| AnySubject::new(Ticketing));
    SUBJECT.clone()
}

/// A run with one order of each outcome and a banned buyer.
fn truth() -> Truth {
    let list = |ticket| Operation::list("Anna", ticket, Cents(2000));
    let ban = Operation::Ban { who: ADMINISTRATOR.to_owned(), whom: "Cleo".to_owned() };
    let browse = Operation::Browse { who: "Ben".to_owned(), query: String::new() };
    let rounds = [
        vec![list("Opera"), list("Ballet"), list("Concert")],
        vec![
            Operation::reserve("Ben", "Opera"),
            Operation::reserve("Cleo", "Ballet"),
            Operation::reserve("Dan", "Concert"),
        ],
        vec![Operation::reserve("Dan", "Opera")],
        vec![Operation::pay("Ben", "Opera", Card::Good), Operation::cancel("Cleo", "Ballet")],
        vec![ban],
        vec![Operation::reserve("Cleo", "Ballet")],
        vec![Operation::look_at_orders("Ben"), browse],
        vec![Operation::SignOut { who: "Dan".to_owned() }],
    ];
    let rounds = rounds.map(|operations| Round::of(operations, Then::Quiesce)).to_vec();
    let script = Script::new(["Anna", "Ben", "Cleo", "Dan", ADMINISTRATOR], rounds);
    let case = Case {
        faults: FaultPlan::Exact(Vec::new()),
        schedule: Schedule::Random { hurry: 0 },
        ..Case::of(script.erased(), 1)
    };
    let run = run::run(&subject(), &case).expect("the harness works");
    let facts = run.facts.expect("a run without faults reaches quiescence");
    let facts = Arc::unwrap_or_clone(facts);
    Truth { facts, clients: run.clients, history: run.history }
}

#[test]
fn true_evidence_violates_no_invariant() {
    assert_eq!(truth().violated(), [""; 0]);
}

#[test]
fn every_lie_violates_the_one_invariant_that_it_is_against() {
    let mut wrong = Vec::new();
    for (invariant, lie, spoil) in all_faults() {
        let mut truth = truth();
        spoil(&mut truth);
        let violated = truth.violated();
        let entailed =
            |name: &String| name == invariant || ENTAILED.contains(&(*invariant, name.as_str()));
        let found = violated.iter().any(|name| name == invariant);
        if !found || !violated.iter().all(entailed) {
            wrong.push(format!("{invariant}, {lie}: {violated:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_invariant_has_a_lie_against_it() {
    let subject = subject();
    let all = subject.invariants().iter().map(|invariant| invariant.name);
    // The run itself checks quiescence; without it there is no evidence.
    let without = all.filter(|name| {
        *name != harness::invariants::QUIESCENCE
            && !all_faults().any(|(invariant, ..)| invariant == name)
    });
    let without: Vec<_> = without.collect();
    assert!(without.is_empty(), "add a lie to FAULTS for each of {without:?}");
}

#[test]
fn on_real_servers_a_release_counts_from_its_call() {
    let mut truth = truth();
    let ticket = ticket_of(&mut truth, OPEN);
    let open = find(truth.orders(), OPEN);
    let (order, version) = (id(open).to_owned(), open.get_i64("version").expect("it has one"));
    let before_the_next = truth.facts.trace.len();
    wrote(&mut truth, "orders", doc! { "_id": "next", "ticketId": &ticket, "holding": true });
    let mut release = doc! { "_id": order, "ticketId": &ticket, "holding": false };
    release.insert("version", version + 1);
    wrote(&mut truth, "orders", release);
    let RecordKind::Write { began, .. } =
        &mut edit(&mut truth).last_mut().expect("just added").kind
    else {
        panic!("the last record is the release");
    };
    *began = before_the_next;
    let of_holders = |truth: &Truth| {
        let names = truth.violated().into_iter();
        names.filter(|name| ["one-holder", "linearizable"].contains(&name.as_str())).count()
    };
    assert_eq!(of_holders(&truth), 2);
    truth.facts.exact = false;
    assert_eq!(of_holders(&truth), 0);
}

#[test]
fn a_ban_does_not_bind_an_instance_that_could_not_have_received_it() {
    let mut truth = truth();
    let ban = edit(&mut truth).iter().position(|record| {
        matches!(&record.kind, RecordKind::Publish { message, .. } if message.subject == "user.banned")
    });
    let listens = Record {
        instance: Some(FRESH),
        kind: RecordKind::Subscribe { consumer: "orders-UserAccess".to_owned() },
        ..truth.facts.trace[0].clone()
    };
    edit(&mut truth).insert(ban.expect("a user was banned"), listens);
    started(&mut truth, FRESH);
    asked(&mut truth, FRESH);
    // The request has no session, so the reply is none of the contract's.
    assert_eq!(truth.violated(), ["contract"]);
}
