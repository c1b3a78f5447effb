//! Workloads: strategies that generate scripts. Each stresses another part of the system.
//! Adding one is adding a file and a line in [`ALL`].

mod accounts;
mod bans;
mod expiry;
mod market;
mod payment;
mod race;
mod restart;

use contracts::Cents;
use harness::script;
use harness::subject::Workload;
use proptest::prelude::*;

use crate::operation::{self, Card, Operation};

/// A script of ticketing.
pub type Script = script::Script<Operation>;

/// A round of such a script.
pub type Round = script::Round<Operation>;

/// How many buyers race for one ticket.
pub const BUYERS: u8 = 10;

/// All workloads.
pub const ALL: &[Workload<Operation>] = &[
    Workload {
        name: "race",
        about: "Ten buyers reserve one ticket at the same moment, then cancel, pay, and try again",
        scripts: || race::scripts(BUYERS).boxed(),
    },
    Workload {
        name: "market",
        about: "Several sellers and buyers list, edit, reserve, cancel and pay for several tickets",
        scripts: || market::scripts().boxed(),
    },
    Workload {
        name: "expiry",
        about: "Buyers pay, cancel and reserve at the very moment at which a hold expires",
        scripts: || expiry::scripts().boxed(),
    },
    Workload {
        name: "payment",
        about: "Cards are declined, payments repeated, and orders cancelled while money is under way",
        scripts: || payment::scripts().boxed(),
    },
    Workload {
        name: "bans",
        about: "Buyers are banned, and their bans lifted, while they buy, on services of several instances",
        scripts: || bans::scripts().boxed(),
    },
    Workload {
        name: "restart",
        about: "Services crash and start again while people buy",
        scripts: || restart::scripts().boxed(),
    },
    Workload {
        name: "accounts",
        about: "Users sign up with the same address, and return when their session has expired",
        scripts: || accounts::scripts().boxed(),
    },
];

/// The race without minutes that pass, for real servers, on which they really would.
pub const RACE_WITHOUT_TIME: Workload<Operation> = Workload {
    name: "race",
    about: "Ten buyers reserve one ticket at the same moment",
    scripts: || race::scripts_without_time(BUYERS).boxed(),
};

/// The name of the n-th client.
fn client(number: u8) -> String {
    harness::subject::names::client(number.into())
}

/// The names of the first clients.
fn clients(count: u8) -> Vec<String> {
    (0..count).map(client).collect()
}

/// The title of the n-th ticket.
fn title(number: u8) -> String {
    operation::title(number.into())
}

/// Any operation of a buyer on a ticket.
fn trade(
    who: impl Strategy<Value = u8> + Clone,
    tickets: impl Strategy<Value = u8> + Clone,
) -> impl Strategy<Value = Operation> + Clone {
    let both = (who, tickets);
    prop_oneof![
        3 => both.clone().prop_map(|(who, n)| Operation::reserve(&client(who), &title(n))),
        2 => both.clone().prop_map(|(who, n)| Operation::cancel(&client(who), &title(n))),
        3 => (both, prop::bool::weighted(0.8))
            .prop_map(|((who, n), good)| Operation::pay(&client(who), &title(n), card(good))),
    ]
}

/// A card that is good, or declined.
fn card(good: bool) -> Card {
    if good { Card::Good } else { Card::Declined }
}

/// A price; with some of them, floating point would lose a cent.
fn price() -> impl Strategy<Value = Cents> + Clone {
    prop_oneof![3 => 1_i64..10_000, 1 => Just(1999_i64), 1 => Just(2010_i64)].prop_map(Cents)
}
