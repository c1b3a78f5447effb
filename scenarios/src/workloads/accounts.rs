//! Users sign up with the same email address concurrently, sign in again, and return after their
//! session has expired.

use proptest::collection::vec;
use proptest::prelude::*;

use super::{Round, Script, client, clients, price, title};
use harness::script::{Action, Then};

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
        2 => who.clone().prop_map(|who| Action::Do(Operation::LookAtOrders { who: client(who) })),
        1 => who.clone().prop_map(|who| Action::Do(Operation::sign_in(&client(who)))),
        1 => who.clone().prop_map(|who| Action::Do(Operation::reserve(&client(who), &title(TICKET)))),
        1 => who.clone().prop_map(|who| Action::Do(Operation::cancel(&client(who), &title(TICKET)))),
        1 => Just(Action::Restart("auth".to_owned())),
    ];
    let acts = vec(prop_oneof![3 => join, 4 => act.prop_map(|act| vec![act])], 1..4)
        .prop_map(|acts| acts.into_iter().flatten().collect::<Vec<_>>());
    let then = prop_oneof![
        2 => Just(Then::Go),
        3 => Just(Then::Quiesce),
        1 => Just(Then::Pass(59 * 60)),
        1 => Just(Then::Pass(61 * 60)),
    ];
    let round = (acts, then).prop_map(|(actions, then)| Round { actions, then });
    (price(), vec(round, 2..7)).prop_map(|(price, rest)| {
        let list = Operation::list(&client(0), &title(TICKET), price);
        let mut rounds = vec![Round::one(list, Then::Quiesce)];
        rounds.extend(rest);
        Script::new(clients(PEOPLE), rounds)
    })
}
