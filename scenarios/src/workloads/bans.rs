//! Bans: buyers are banned and let in again while they buy, look and sign in, on services
//! that have several instances and start new ones.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::{price, trade};
use crate::script::{self, Act, Round, Script, Then};

const BUYERS: u8 = 3;
const SELLER: u8 = 0;
const TICKET: u8 = 0;
/// Those that a ban must reach: all with sessions.
const GUARDED: &[&str] = &["auth", "tickets", "orders", "payments"];

/// Scripts of bans.
pub(super) fn scripts() -> impl Strategy<Value = Script> {
    let who = 1..=BUYERS;
    let service = select(GUARDED).prop_map(script::number);
    let act = prop_oneof![
        3 => who.clone().prop_map(|who| Act::Ban { who }),
        2 => who.clone().prop_map(|who| Act::Unban { who }),
        2 => who.clone().prop_map(|who| Act::Look { who }),
        1 => who.clone().prop_map(|who| Act::SignIn { who }),
        1 => service.clone().prop_map(|service| Act::Restart { service }),
        1 => service.prop_map(|service| Act::Scale { service }),
        3 => trade(who, Just(TICKET)),
    ];
    let then = prop_oneof![
        2 => Just(Then::Go),
        5 => Just(Then::Settle),
        1 => Just(Then::Pass(15 * 60)),
        // Long enough for every token of before to end.
        1 => Just(Then::Pass(61 * 60)),
    ];
    let round = (vec(act, 1..5), then).prop_map(|(acts, then)| vec![Round { acts, then }]);
    let part = prop_oneof![3 => round, 1 => newcomer()];
    (price(), vec(part, 3..8)).prop_map(|(price, business)| {
        let list = Act::List { who: SELLER, ticket: TICKET, price };
        let mut rounds = vec![Round { acts: vec![list], then: Then::Settle }];
        rounds.extend(business.into_iter().flatten());
        Script { people: BUYERS + 1, rounds }
    })
}

/// Somebody is banned, then an instance comes up, then they ask it for something.
fn newcomer() -> impl Strategy<Value = Vec<Round>> {
    let service = select(&["orders", "payments"][..]).prop_map(script::number);
    (1..=BUYERS, service, prop::bool::ANY).prop_map(|(who, service, restart)| {
        let comes = if restart { Act::Restart { service } } else { Act::Scale { service } };
        let asks = vec![Act::Look { who }, Act::Look { who }, Act::Reserve { who, ticket: TICKET }];
        [vec![Act::Ban { who }], vec![comes], asks]
            .map(|acts| Round { acts, then: Then::Settle })
            .to_vec()
    })
}
