//! Services crash, restart and scale while buyers reserve and pay.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use ticketing::SERVICES;

use super::{Round, Script, client, clients, price, title, trade};
use harness::script::{Action, Then};

use crate::operation::Operation;

const BUYERS: u8 = 4;
const TICKETS: u8 = 2;
const SELLER: u8 = 0;

/// Scripts of restarts.
pub(super) fn scripts() -> impl Strategy<Value = Script> {
    let names: Vec<_> = SERVICES.iter().map(|entry| entry.name.to_owned()).collect();
    let service = select(names);
    let edit = (0..TICKETS, price())
        .prop_map(|(ticket, price)| Operation::reprice(&client(SELLER), &title(ticket), price));
    let act = prop_oneof![
        6 => trade(1..=BUYERS, 0..TICKETS).prop_map(Action::Do),
        1 => edit.prop_map(Action::Do),
        2 => service.clone().prop_map(Action::Restart),
        1 => service.prop_map(Action::Scale),
    ];
    let then = prop_oneof![
        4 => Just(Then::Go),
        3 => Just(Then::Quiesce),
        1 => (1_u32..60).prop_map(Then::Pass),
        2 => Just(Then::Meet(15 * 60)),
    ];
    let round = (vec(act, 1..7), then).prop_map(|(actions, then)| Round { actions, then });
    (price(), vec(round, 2..7)).prop_map(|(price, rest)| {
        let list = |ticket| Operation::list(&client(SELLER), &title(ticket), price);
        let listed = (0..TICKETS).map(list);
        let mut rounds = vec![Round::of(listed, Then::Quiesce)];
        rounds.extend(rest);
        Script::new(clients(BUYERS + 1), rounds)
    })
}
