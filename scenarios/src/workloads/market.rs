//! Several sellers and tickets, with every operation open to every client.

use proptest::collection::vec;
use proptest::prelude::*;

use super::{Round, Script, client, clients, price, title, trade, unpayable};
use harness::script::Then;

use crate::operation::Operation;

const PEOPLE: u8 = 6;
/// Ticket n is sold by client n.
const TICKETS: u8 = 3;

/// Scripts of a market.
pub(super) fn scripts() -> impl Strategy<Value = Script> {
    let ticket = 0..TICKETS;
    let new_price = prop_oneof![19 => price(), 1 => unpayable()];
    let edit = (0..PEOPLE, ticket.clone(), new_price, prop::bool::weighted(0.9)).prop_map(
        |(who, ticket, price, own)| {
            // Another client than the seller tries to edit now and then.
            let who = if own { ticket } else { who };
            Operation::reprice(&client(who), &title(ticket), price)
        },
    );
    let retitle = (0..TICKETS, price(), any::<bool>()).prop_map(|(ticket, price, new)| {
        let to = if new { format!(" {}, first row ", title(ticket)) } else { title(ticket) };
        let who = client(ticket);
        Operation::Change { who, title: title(ticket), to, price: price.into() }
    });
    let act = prop_oneof![
        6 => trade(0..PEOPLE, ticket),
        3 => edit,
        1 => (0..PEOPLE).prop_map(|who| Operation::look_at_orders(&client(who))),
        1 => (0..PEOPLE).prop_map(|who| Operation::Browse { who: client(who), query: String::new() }),
        1 => retitle,
    ];
    let then = prop_oneof![
        5 => Just(Then::Go),
        4 => Just(Then::Quiesce),
        1 => (1_u32..120).prop_map(Then::Pass),
        1 => Just(Then::Pass(15 * 60)),
    ];
    let round = (vec(act, 1..8), then).prop_map(|(acts, then)| Round::of(acts, then));
    (vec(price(), usize::from(TICKETS)), vec(round, 2..8)).prop_map(|(prices, rest)| {
        let list = |(ticket, price)| Operation::list(&client(ticket), &title(ticket), price);
        let listed = (0..TICKETS).zip(prices).map(list);
        let mut rounds = vec![Round::of(listed, Then::Quiesce)];
        rounds.extend(rest);
        Script::new(clients(PEOPLE), rounds)
    })
}
