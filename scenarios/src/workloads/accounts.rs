//! Accounts: people sign up with addresses that others want too, sign in again, and come back
//! when their session is over.

use proptest::collection::vec;
use proptest::prelude::*;

use super::price;
use crate::script::{self, Act, Round, Script, Then};

const PEOPLE: u8 = 2;
/// The number of the first who has not signed up.
const GUEST: u8 = 4;
const TICKET: u8 = 0;

/// Scripts of accounts.
pub(super) fn scripts() -> impl Strategy<Value = Script> {
    let who = 0..PEOPLE;
    let join =
        (GUEST..GUEST + 3, 1..4_usize).prop_map(|(who, times)| vec![Act::Join { who }; times]);
    let act = prop_oneof![
        2 => who.clone().prop_map(|who| Act::Look { who }),
        1 => who.clone().prop_map(|who| Act::SignIn { who }),
        1 => who.clone().prop_map(|who| Act::Reserve { who, ticket: TICKET }),
        1 => who.clone().prop_map(|who| Act::Cancel { who, ticket: TICKET }),
        1 => Just(Act::Restart { service: script::number("auth") }),
    ];
    let acts = vec(prop_oneof![3 => join, 4 => act.prop_map(|act| vec![act])], 1..4)
        .prop_map(|acts| acts.into_iter().flatten().collect::<Vec<_>>());
    let then = prop_oneof![
        2 => Just(Then::Go),
        3 => Just(Then::Settle),
        1 => Just(Then::Pass(59 * 60)),
        1 => Just(Then::Pass(61 * 60)),
    ];
    let round = (acts, then).prop_map(|(acts, then)| Round { acts, then });
    (price(), vec(round, 2..7)).prop_map(|(price, business)| {
        let list = Act::List { who: 0, ticket: TICKET, price };
        let mut rounds = vec![Round { acts: vec![list], then: Then::Settle }];
        rounds.extend(business);
        Script { people: PEOPLE, rounds }
    })
}
