//! The workloads of ticketing: strategies that generate scripts, each for another part of the
//! system. To add one, add a file and an entry in [`ALL`].

mod accounts;
mod bans;
mod contract;
mod expiry;
mod market;
mod payment;
mod provider;
mod race;
mod restart;
mod rush;
mod sale;

use contracts::Cents;
use harness::script;
use harness::subject::{Sale, Workload};
use proptest::prelude::*;
use proptest::sample::select;

use crate::operation::{self, Card, Operation};

/// A script of ticketing.
pub type Script = script::Script<Operation>;

/// A round of such a script.
pub type Round = script::Round<Operation>;

/// The number of buyers that race for one ticket.
pub const BUYERS: u8 = 10;

/// All workloads.
pub const ALL: &[Workload<Operation>] = &[
    Workload {
        name: "race",
        about: "Ten buyers reserve one ticket concurrently, then cancel, pay and retry",
        scripts: || race::scripts(BUYERS).boxed(),
    },
    Workload {
        name: "market",
        about: "Users list, edit, reserve, cancel and pay for several tickets",
        scripts: || market::scripts().boxed(),
    },
    Workload {
        name: "expiry",
        about: "Buyers pay, cancel and reserve at the instant at which a hold expires",
        scripts: || expiry::scripts().boxed(),
    },
    Workload {
        name: "payment",
        about: "Cards are declined, payments retried, and orders cancelled while their charge is pending",
        scripts: || payment::scripts().boxed(),
    },
    Workload {
        name: "provider",
        about: "The payment provider errs, delays and refuses while days pass",
        scripts: || provider::scripts().boxed(),
    },
    Workload {
        name: "bans",
        about: "Buyers are banned and unbanned while they buy, and services restart and scale",
        scripts: || bans::scripts().boxed(),
    },
    Workload {
        name: "restart",
        about: "Services crash, restart and scale while buyers buy",
        scripts: || restart::scripts().boxed(),
    },
    Workload {
        name: "accounts",
        about: "Users sign up with the same email address, and return after their session has ended or expired",
        scripts: || accounts::scripts().boxed(),
    },
    Workload {
        name: "contract",
        about: "Every request of the contract, in every manner, by every client",
        scripts: || contract::scripts().boxed(),
    },
];

/// The race without pauses of minutes, for real servers, where they take real time.
pub const RACE_WITHOUT_TIME: Workload<Operation> = Workload {
    name: "race",
    about: "Ten buyers reserve one ticket concurrently",
    scripts: || race::scripts_without_time(BUYERS).boxed(),
};

/// The work of clients under load: most reservations end in a purchase.
pub const LOAD: Workload<Operation> = Workload {
    name: "sale",
    about: "Buyers compete for the tickets of a seller and pay for them",
    scripts: || sale::scripts().boxed(),
};

/// The sale of `load`: some of the buyers compete for each ticket, and one of them pays for it.
pub const SALE: Sale<Operation> = Sale { things: "tickets", script: rush::script };

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

/// A good or a declined card.
fn card(good: bool) -> Card {
    if good { Card::Good } else { Card::Declined }
}

/// A price. Some are amounts that lose a cent in floating point, and some the lowest or highest
/// that the provider takes.
fn price() -> impl Strategy<Value = Cents> + Clone {
    let limits = [Cents::LOWEST_PRICE.0, Cents::HIGHEST_PRICE.0];
    prop_oneof![12 => 50_i64..10_000, 4 => Just(1999), 4 => Just(2010), 1 => select(limits.to_vec())]
        .prop_map(Cents)
}

/// A price that the provider does not take, so that no ticket may have it.
fn unpayable() -> impl Strategy<Value = Cents> + Clone {
    let limits = [Cents::LOWEST_PRICE.0 - 1, Cents::HIGHEST_PRICE.0 + 1];
    prop_oneof![1_i64..50, select(limits.to_vec())].prop_map(Cents)
}
