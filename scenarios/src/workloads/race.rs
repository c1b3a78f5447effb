//! All buyers reserve one ticket concurrently, and then trade, while the seller edits it.

use contracts::Cents;
use proptest::collection::vec;
use proptest::prelude::*;

use super::{Round, Script, client, clients, price, title, trade};
use harness::script::Then;

use crate::operation::Operation;

const TICKET: u8 = 0;
/// The seller; the buyers have the numbers after it.
const SELLER: u8 = 0;

/// A race of this many buyers.
pub(crate) fn scripts(buyers: u8) -> impl Strategy<Value = Script> {
    let then = prop_oneof![
        4 => Just(Then::Go),
        3 => Just(Then::Quiesce),
        1 => Just(Then::Pass(60)),
        1 => Just(Then::Pass(15 * 60)),
    ];
    race(buyers, then)
}

/// The same without pauses of minutes, for real servers.
pub(crate) fn scripts_without_time(buyers: u8) -> impl Strategy<Value = Script> {
    race(buyers, prop_oneof![Just(Then::Go), Just(Then::Quiesce)])
}

fn race(buyers: u8, then: impl Strategy<Value = Then> + Clone) -> impl Strategy<Value = Script> {
    let edit = price().prop_map(|price| Operation::reprice(&client(SELLER), &title(TICKET), price));
    let act = prop_oneof![8 => trade(1..=buyers, Just(TICKET)), 1 => edit];
    let acts = vec(act, 1..=usize::from(buyers));
    let round = (acts, then).prop_map(|(acts, then)| Round::of(acts, then));
    vec(round, 1..4).prop_map(move |rest| {
        let list = Operation::list(&client(SELLER), &title(TICKET), Cents(2000));
        let reservations = (1..=buyers).map(|who| Operation::reserve(&client(who), &title(TICKET)));
        let mut rounds = vec![Round::one(list, Then::Quiesce), Round::of(reservations, Then::Go)];
        rounds.extend(rest);
        Script::new(clients(buyers + 1), rounds)
    })
}
