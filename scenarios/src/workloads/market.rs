//! A market: several sellers, several tickets, and everybody does everything.

use proptest::collection::vec;
use proptest::prelude::*;

use super::{Round, Script, client, clients, price, title, trade};
use harness::script::Then;

use crate::operation::Operation;

const PEOPLE: u8 = 6;
/// The ticket of this number is its seller's.
const TICKETS: u8 = 3;

/// Scripts of a market.
pub(super) fn scripts() -> impl Strategy<Value = Script> {
    let ticket = 0..TICKETS;
    let edit = (0..PEOPLE, ticket.clone(), price(), prop::bool::weighted(0.9)).prop_map(
        |(who, ticket, price, own)| {
            // A seller edits; sometimes somebody else tries to.
            let who = if own { ticket } else { who };
            Operation::reprice(&client(who), &title(ticket), price)
        },
    );
    let act = prop_oneof![
        6 => trade(0..PEOPLE, ticket),
        3 => edit,
        1 => (0..PEOPLE).prop_map(|who| Operation::LookAtOrders { who: client(who) }),
    ];
    let then = prop_oneof![
        5 => Just(Then::Go),
        4 => Just(Then::Quiesce),
        1 => (1_u32..120).prop_map(Then::Pass),
        1 => Just(Then::Pass(15 * 60)),
    ];
    let round = (vec(act, 1..8), then).prop_map(|(acts, then)| Round::of(acts, then));
    (vec(price(), usize::from(TICKETS)), vec(round, 2..8)).prop_map(|(prices, business)| {
        let list = |(ticket, price)| Operation::list(&client(ticket), &title(ticket), price);
        let listed = (0..TICKETS).zip(prices).map(list);
        let mut rounds = vec![Round::of(listed, Then::Quiesce)];
        rounds.extend(business);
        Script::new(clients(PEOPLE), rounds)
    })
}
