//! Users sign up with the same email address concurrently, sign in again, and return after their
//! session has expired.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::{Round, Script, client, clients, price, title};
use harness::script::{Action, Then};

use crate::manner::Manner;
use crate::operation::Operation;

const PEOPLE: u8 = 2;
/// The number of the first client without an account.
const GUEST: u8 = 4;
const TICKET: u8 = 0;

/// Scripts of accounts.
pub(super) fn scripts() -> impl Strategy<Value = Script> {
    let who = 0..PEOPLE;
    let join = (GUEST..GUEST + 3, 1..4_usize)
        .prop_map(|(who, times)| vec![Action::Do(Operation::sign_up(&client(who))); times]);
    let act = prop_oneof![
        2 => who.clone().prop_map(|who| Action::Do(Operation::look_at_orders(&client(who)))),
        1 => who.clone().prop_map(|who| Action::Do(Operation::sign_in(&client(who)))),
        1 => who.clone().prop_map(|who| Action::Do(Operation::reserve(&client(who), &title(TICKET)))),
        1 => who.clone().prop_map(|who| Action::Do(Operation::cancel(&client(who), &title(TICKET)))),
        1 => Just(Action::Restart("auth".to_owned())),
        2 => (who.clone(), prop::option::weighted(0.3, select(&[Manner::PreviousKey, Manner::ManyCookies][..])))
            .prop_map(|(who, manner)| {
                let plain = Operation::WhoAmI { who: client(who) };
                Action::Do(manner.map_or(plain.clone(), |manner| plain.in_manner(manner)))
            }),
    ];
    let acts = vec(prop_oneof![3 => join, 4 => act.prop_map(|act| vec![act])], 1..4)
        .prop_map(|acts| acts.into_iter().flatten().collect::<Vec<_>>());
    let then = prop_oneof![
        2 => Just(Then::Go),
        3 => Just(Then::Quiesce),
        1 => Just(Then::Pass(59 * 60)),
        1 => Just(Then::Pass(61 * 60)),
        // The very moment at which the tokens of the last sign-in end, and the second before.
        2 => Just(Then::Meet(60 * 60)),
        1 => Just(Then::Meet(60 * 60 - 1)),
    ];
    let round = (acts, then).prop_map(|(actions, then)| Round { actions, then });
    (price(), vec(round, 2..7)).prop_map(|(price, rest)| {
        let list = Operation::list(&client(0), &title(TICKET), price);
        let mut rounds = vec![Round::one(list, Then::Quiesce)];
        rounds.extend(rest);
        Script::new(clients(PEOPLE), rounds)
    })
}
