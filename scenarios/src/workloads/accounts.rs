//! Users sign up with the same email address concurrently, sign in again, sign out, change their
//! password, and return after their session has ended or expired.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::json;
use ticketing::REHEARSAL_CLAIM;

use super::{Round, Script, client, clients, price, title};
use harness::script::{Action, Then};

use crate::manner::Manner;
use crate::operation::{Operation, PASSWORD};

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
        1 => who.clone().prop_map(|who| Action::Do(Operation::claim(&client(who), REHEARSAL_CLAIM))),
        2 => (who.clone(), prop::option::weighted(0.3, select(&[Manner::PreviousKey, Manner::ManyCookies][..])))
            .prop_map(|(who, manner)| {
                let plain = Operation::WhoAmI { who: client(who) };
                Action::Do(manner.map_or(plain.clone(), |manner| plain.in_manner(manner)))
            }),
    ];
    let ending = ending(who).prop_map(|acts| acts.map(Action::Do).to_vec());
    let acts = vec(prop_oneof![3 => join, 4 => act.prop_map(|act| vec![act]), 2 => ending], 1..4)
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
    let part = prop_oneof![5 => round.prop_map(|round| vec![round]), 1 => newcomer()];
    (price(), vec(part, 2..7)).prop_map(|(price, rest)| {
        let list = Operation::list(&client(0), &title(TICKET), price);
        let mut rounds = vec![Round::one(list, Then::Quiesce)];
        rounds.extend(rest.into_iter().flatten());
        Script::new(clients(PEOPLE), rounds)
    })
}

/// A sign-out or a new password, and requests with the session before it.
fn ending(who: impl Strategy<Value = u8> + Clone) -> impl Strategy<Value = [Operation; 4]> + Clone {
    (who, any::<bool>()).prop_map(|(who, leaves)| {
        let who = client(who);
        let change = json!({ "password": PASSWORD, "currentPassword": PASSWORD });
        let end = match leaves {
            true => Operation::SignOut { who: who.clone() },
            false => Operation::ChangeAccount { who: who.clone(), change },
        };
        let own = Operation::WhoAmI { who: who.clone() };
        let asks = [own, Operation::look_at_orders(&who), Operation::reserve(&who, &title(TICKET))];
        let [own, look, reserve] = asks.map(|ask| ask.in_manner(Manner::FormerSession));
        [end, own, look, reserve]
    })
}

/// Sessions end, an instance starts, and their user sends requests to it with them.
fn newcomer() -> impl Strategy<Value = Vec<Round>> {
    let service = select(&["auth", "tickets", "orders"][..]).prop_map(str::to_owned);
    (ending(0..PEOPLE), service, any::<bool>()).prop_map(|([end, asks @ ..], service, restart)| {
        let comes = if restart { Action::Restart(service) } else { Action::Scale(service) };
        [vec![Action::Do(end)], vec![comes], asks.map(Action::Do).to_vec()]
            .map(|actions| Round { actions, then: Then::Quiesce })
            .to_vec()
    })
}
