//! Restarts: services crash and come up, and get more instances, while people buy and pay.

use proptest::collection::vec;
use proptest::prelude::*;
use ticketing::SERVICES;

use super::{price, trade};
use crate::script::{Act, Round, Script, Then};

const BUYERS: u8 = 4;
const TICKETS: u8 = 2;
const SELLER: u8 = 0;

/// Scripts of restarts.
pub(super) fn scripts() -> impl Strategy<Value = Script> {
    let services = u8::try_from(SERVICES.len()).expect("few services");
    let edit =
        (0..TICKETS, price()).prop_map(|(ticket, price)| Act::Edit { who: SELLER, ticket, price });
    let act = prop_oneof![
        6 => trade(1..=BUYERS, 0..TICKETS),
        1 => edit,
        2 => (0..services).prop_map(|service| Act::Restart { service }),
        1 => (0..services).prop_map(|service| Act::Scale { service }),
    ];
    let then = prop_oneof![
        4 => Just(Then::Go),
        3 => Just(Then::Settle),
        1 => (1_u32..60).prop_map(Then::Pass),
        2 => Just(Then::Meet(15 * 60)),
    ];
    let round = (vec(act, 1..7), then).prop_map(|(acts, then)| Round { acts, then });
    (price(), vec(round, 2..7)).prop_map(|(price, business)| {
        let list = |ticket| Act::List { who: SELLER, ticket, price };
        let listed = (0..TICKETS).map(list).collect();
        let mut rounds = vec![Round { acts: listed, then: Then::Settle }];
        rounds.extend(business);
        Script { people: BUYERS + 1, rounds }
    })
}
