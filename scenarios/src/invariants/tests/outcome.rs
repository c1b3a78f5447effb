//! Without a trace, the contract is judged by its outcome.

use super::spoil::*;
use super::{Spoil, truth};
use crate::invariants::evidence::id;

const LIES: &[(&str, Spoil)] = &[
    ("a client that was answered is no user", |e| e.users().clear()),
    ("an accepted order does not exist", |e| e.orders().clear()),
    ("an accepted order has another buyer", |e| {
        find(e.orders(), OPEN).insert("userId", "another");
    }),
    ("an accepted order has another deadline", |e| {
        find(e.orders(), OPEN).insert("expiresAt", bson::DateTime::from_millis(0));
    }),
    ("a hold is shorter than the reservation window", |e| e.clients().window *= 2),
    ("a ticket has another price in the version that was answered", |e| {
        for ticket in e.tickets() {
            ticket.insert("price", 1_i64);
            ticket.insert("version", 0_i64);
        }
    }),
    ("an accepted charge does not exist", |e| {
        charge(e, COMPLETE).insert("id", "another");
    }),
    ("an internal error is answered", |e| {
        amend_first(e, |call| call.reply().is_some(), |call| restatus(call, 500));
    }),
    ("503 is answered in a run without faults", |e| {
        e.facts.cuts = 0;
        amend_first(e, |call| call.reply().is_some(), |call| restatus(call, 503));
    }),
    ("a cancelled order is open", |e| {
        let order = id(find(e.orders(), CANCELLED)).to_owned();
        find_id(e.orders(), &order).insert("status", OPEN);
    }),
];

#[test]
fn without_a_trace_an_accepted_operation_must_be_stored() {
    let mut honest = truth();
    honest.facts.without_trace = true;
    assert_eq!(honest.violated(), [""; 0]);
    for (lie, spoil) in LIES {
        let mut truth = truth();
        truth.facts.without_trace = true;
        spoil(&mut truth);
        assert!(truth.violated().iter().any(|name| name == "contract"), "{lie}");
    }
}
