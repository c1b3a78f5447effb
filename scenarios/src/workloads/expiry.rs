//! Buyers pay, cancel and reserve at the instant at which a hold expires, or one second before.

use proptest::collection::vec;
use proptest::prelude::*;

use super::{Round, Script, card, client, clients, price, title, trade};
use harness::script::Then;

use crate::operation::Operation;

const BUYERS: u8 = 3;
const TICKETS: u8 = 2;
const SELLER: u8 = 0;
/// The duration of a hold, in seconds.
const WINDOW: u32 = 15 * 60;

/// Scripts around the expiry of holds.
pub(super) fn scripts() -> impl Strategy<Value = Script> {
    let act = trade(1..=BUYERS, 0..TICKETS);
    let soon = prop_oneof![Just(Then::Go), Just(Then::Quiesce), (1_u32..30).prop_map(Then::Pass)];
    let end = prop_oneof![
        6 => Just(Then::Meet(WINDOW)),
        2 => Just(Then::Meet(WINDOW - 1)),
        1 => Just(Then::Pass(WINDOW)),
    ];
    let hold = (vec(act.clone(), 1..5), soon.clone(), vec(act.clone(), 0..3), end, vec(act, 1..6));
    let hold = hold.prop_map(|(reserve, soon, between, end, last)| {
        [Round::of(reserve, soon), Round::of(between, end), Round::of(last, Then::Quiesce)]
    });
    // The operation of each holder at the deadline: pay, pay with a declined card, cancel, none.
    let last = vec(prop_oneof![4 => Just(0), 1 => Just(1), 1 => Just(2), 1 => Just(3)], 2);
    let meet = prop_oneof![3 => Just(WINDOW), 1 => Just(WINDOW - 1)];
    (price(), meet, last, vec(hold, 1..3)).prop_map(|(price, meet, last, holds)| {
        let list = |ticket| Operation::list(&client(SELLER), &title(ticket), price);
        let reserve =
            (0..TICKETS).map(|ticket| Operation::reserve(&client(1 + ticket), &title(ticket)));
        let mut rounds = vec![
            Round::of((0..TICKETS).map(list), Then::Quiesce),
            Round::of(reserve, Then::Meet(meet)),
        ];
        let acts = (0..TICKETS).zip(last).filter_map(|(ticket, choice)| {
            let who = 1 + ticket;
            match choice {
                0 => Some(Operation::pay(&client(who), &title(ticket), card(true))),
                1 => Some(Operation::pay(&client(who), &title(ticket), card(false))),
                2 => Some(Operation::cancel(&client(who), &title(ticket))),
                _ => None,
            }
        });
        rounds.push(Round::of(acts, Then::Quiesce));
        rounds.extend(holds.into_iter().flatten());
        Script::new(clients(BUYERS + 1), rounds)
    })
}
