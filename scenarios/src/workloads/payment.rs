//! Good and declined cards, concurrent payments of one buyer, and orders that are cancelled or
//! expire while their charge is pending.

use proptest::collection::vec;
use proptest::prelude::*;

use super::{Round, Script, card, client, clients, price, title};
use harness::script::Then;

use crate::operation::Operation;

const BUYERS: u8 = 3;
const TICKETS: u8 = 3;
const SELLER: u8 = 0;

/// Scripts of payments.
pub(super) fn scripts() -> impl Strategy<Value = Script> {
    // Each buyer mostly reserves a ticket that no other buyer wants.
    let who = 1..=BUYERS;
    let pay =
        (who.clone(), prop::bool::weighted(0.7), 1..4_usize).prop_map(|(who, good, times)| {
            vec![Operation::pay(&client(who), &title(who - 1), card(good)); times]
        });
    let cancel = who.clone().prop_map(|who| vec![Operation::cancel(&client(who), &title(who - 1))]);
    let view = who.clone().prop_map(|who| vec![Operation::look_at_orders(&client(who))]);
    let reserve = (who, 0..TICKETS, prop::bool::weighted(0.7)).prop_map(|(who, ticket, own)| {
        vec![Operation::reserve(&client(who), &title(if own { who - 1 } else { ticket }))]
    });
    let acts = vec(prop_oneof![5 => pay, 2 => cancel, 3 => reserve, 2 => view], 1..5)
        .prop_map(|acts| acts.into_iter().flatten().collect::<Vec<_>>());
    let then = prop_oneof![
        3 => Just(Then::Go),
        3 => Just(Then::Quiesce),
        1 => (1_u32..60).prop_map(Then::Pass),
        1 => Just(Then::Meet(15 * 60)),
    ];
    let round = (acts, then).prop_map(|(acts, then)| Round::of(acts, then));
    (vec(price(), usize::from(TICKETS)), prop::bool::ANY, vec(round, 2..7)).prop_map(
        |(prices, quiescent, rest)| {
            let list = |(ticket, price)| Operation::list(&client(SELLER), &title(ticket), price);
            let listed = (0..TICKETS).zip(prices).map(list);
            let reserve =
                (0..TICKETS).map(|ticket| Operation::reserve(&client(1 + ticket), &title(ticket)));
            let then = if quiescent { Then::Quiesce } else { Then::Go };
            let mut rounds = vec![Round::of(listed, Then::Quiesce), Round::of(reserve, then)];
            rounds.extend(rest);
            Script::new(clients(BUYERS + 1), rounds)
        },
    )
}
