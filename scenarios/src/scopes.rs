//! The scopes: small scripts whose schedules are explored exhaustively.

use contracts::Cents;
use harness::script::Then;
use harness::subject::Scope;

use crate::operation::{Card, Operation};
use crate::workloads::{Round, Script};

/// All scopes, smallest first.
pub const ALL: &[Scope<Operation>] = &[
    Scope {
        name: "two-buyers",
        about: "Two buyers reserve one ticket concurrently",
        script: two_buyers,
        lead: 1,
    },
    Scope {
        name: "two-buyers-one-expiry",
        about: "Two buyers reserve one ticket concurrently, and the hold expires fifteen minutes later",
        script: two_buyers_one_expiry,
        lead: 1,
    },
    Scope {
        name: "pay-or-cancel",
        about: "A buyer pays and cancels concurrently",
        script: pay_or_cancel,
        lead: 2,
    },
];

const SELLER: &str = "Anna";
const BUYER: &str = "Ben";
const OTHER: &str = "Cleo";
const TICKET: &str = "Opera";

fn listed() -> Round {
    Round::one(Operation::list(SELLER, TICKET, Cents(2000)), Then::Quiesce)
}

fn reserved(buyers: &[&str]) -> Round {
    Round::of(buyers.iter().map(|buyer| Operation::reserve(buyer, TICKET)), Then::Quiesce)
}

fn two_buyers() -> Script {
    Script::new([SELLER, BUYER, OTHER], vec![listed(), reserved(&[BUYER, OTHER])])
}

fn two_buyers_one_expiry() -> Script {
    let rounds = vec![listed(), reserved(&[BUYER, OTHER]), Round::pause(Then::Pass(15 * 60))];
    Script::new([SELLER, BUYER, OTHER], rounds)
}

fn pay_or_cancel() -> Script {
    let both = [Operation::pay(BUYER, TICKET, Card::Good), Operation::cancel(BUYER, TICKET)];
    let rounds = vec![listed(), reserved(&[BUYER]), Round::of(both, Then::Quiesce)];
    Script::new([SELLER, BUYER], rounds)
}
