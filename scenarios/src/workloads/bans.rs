//! Buyers are banned and unbanned while they buy, view orders and sign in, and services restart
//! and scale.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::{Round, Script, client, clients, price, title, trade};
use harness::script::{Action, Then};

use ticketing::REHEARSAL_CLAIM;

use crate::operation::{ADMINISTRATOR, Operation};

const BUYERS: u8 = 3;
const SELLER: u8 = 0;
const TICKET: u8 = 0;
/// The services that a ban must reach: those that check sessions.
const GUARDED: &[&str] = &["auth", "tickets", "orders", "payments"];

/// Scripts of bans.
pub(super) fn scripts() -> impl Strategy<Value = Script> {
    let who = 1..=BUYERS;
    let service = select(GUARDED).prop_map(str::to_owned);
    let act = prop_oneof![
        3 => who.clone().prop_map(|who| Action::Do(ban(who))),
        2 => who.clone().prop_map(|who| Action::Do(unban(who))),
        2 => who.clone().prop_map(|who| Action::Do(look(who))),
        1 => who.clone().prop_map(|who| Action::Do(Operation::sign_in(&client(who)))),
        1 => who.clone().prop_map(|who| Action::Do(Operation::claim(&client(who), REHEARSAL_CLAIM))),
        1 => service.clone().prop_map(Action::Restart),
        1 => service.prop_map(Action::Scale),
        3 => trade(who, Just(TICKET)).prop_map(Action::Do),
    ];
    let then = prop_oneof![
        2 => Just(Then::Go),
        5 => Just(Then::Quiesce),
        1 => Just(Then::Pass(15 * 60)),
        // Longer than the lifetime of a session token.
        1 => Just(Then::Pass(61 * 60)),
    ];
    let round = (vec(act, 1..5), then).prop_map(|(actions, then)| vec![Round { actions, then }]);
    let part = prop_oneof![3 => round, 1 => newcomer()];
    (price(), vec(part, 3..8)).prop_map(|(price, rest)| {
        let list = Operation::list(&client(SELLER), &title(TICKET), price);
        let mut rounds = vec![Round::one(list, Then::Quiesce)];
        rounds.extend(rest.into_iter().flatten());
        let administrator = ADMINISTRATOR.to_owned();
        Script::new(clients(BUYERS + 1).into_iter().chain([administrator]), rounds)
    })
}

/// A buyer is banned, an instance starts, and the buyer sends requests to it.
fn newcomer() -> impl Strategy<Value = Vec<Round>> {
    let service = select(&["orders", "payments"][..]).prop_map(str::to_owned);
    (1..=BUYERS, service, prop::bool::ANY).prop_map(|(who, service, restart)| {
        let comes = if restart { Action::Restart(service) } else { Action::Scale(service) };
        let asks = [look(who), look(who), Operation::reserve(&client(who), &title(TICKET))];
        [vec![ban(who).into()], vec![comes], asks.map(Action::Do).to_vec()]
            .map(|actions| Round { actions, then: Then::Quiesce })
            .to_vec()
    })
}

fn ban(who: u8) -> Operation {
    Operation::Ban { who: ADMINISTRATOR.to_owned(), whom: client(who) }
}

fn unban(who: u8) -> Operation {
    Operation::Unban { who: ADMINISTRATOR.to_owned(), whom: client(who) }
}

fn look(who: u8) -> Operation {
    Operation::look_at_orders(&client(who))
}
