//! The payment provider errs, delays and refuses as it is documented, while buyers pay, cancel and
//! return days later.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::{Round, Script, card, client, clients, price, title};
use harness::script::{Action, Then};

use crate::operation::Operation;
use crate::provider::misbehavior::Misbehavior;

const BUYERS: u8 = 2;
const SELLER: u8 = 0;
const MINUTE: u32 = 60;
const HOUR: u32 = 60 * MINUTE;

/// Scripts of a provider that misbehaves.
pub(super) fn scripts() -> impl Strategy<Value = Script> {
    let who = 1..=BUYERS;
    let pay =
        (who.clone(), prop::bool::weighted(0.9), 1..3_usize).prop_map(|(who, good, times)| {
            vec![Operation::pay(&client(who), &title(who - 1), card(good)); times]
        });
    let cancel = who.clone().prop_map(|who| vec![Operation::cancel(&client(who), &title(who - 1))]);
    let misbehave = misbehavior().prop_map(|how| vec![Operation::Misbehave { how }]);
    let act = prop_oneof![
        5 => pay.prop_map(operations),
        2 => cancel.prop_map(operations),
        4 => misbehave.prop_map(operations),
        1 => select(vec!["payments", "orders"]).prop_map(|name| vec![Action::Restart(name.to_owned())]),
        1 => Just(vec![Action::Scale("payments".to_owned())]),
    ];
    let acts = vec(act, 1..4).prop_map(|acts| acts.into_iter().flatten().collect::<Vec<_>>());
    let then = prop_oneof![
        3 => Just(Then::Go),
        3 => Just(Then::Quiesce),
        2 => (1..MINUTE).prop_map(Then::Pass),
        2 => (MINUTE..HOUR).prop_map(Then::Pass),
    ];
    let round = (acts, then).prop_map(|(actions, then)| Round { actions, then });
    // Sessions and holds have ended by then, so the buyers return for another purchase.
    let day = (prop_oneof![2 => Just(0), 2 => 22..26_u32, 1 => Just(48)], prop::bool::ANY);
    let days = (vec(round, 1..4), day).prop_map(|(mut rounds, (hours, returns))| {
        if hours > 0 {
            rounds.push(Round::pause(Then::Pass(hours * HOUR)));
        }
        if returns {
            let each = 1..=BUYERS;
            rounds.push(Round::of(
                each.clone().map(|who| Operation::sign_in(&client(who))),
                Then::Quiesce,
            ));
            let reserve = each.map(|who| Operation::reserve(&client(who), &title(who - 1)));
            rounds.push(Round::of(reserve, Then::Quiesce));
        }
        rounds
    });
    (vec(price(), usize::from(BUYERS)), vec(misbehavior(), 0..3), vec(days, 1..3)).prop_map(
        |(prices, first, days)| {
            let list = |(ticket, price)| Operation::list(&client(SELLER), &title(ticket), price);
            let listed = (0..BUYERS).zip(prices).map(list);
            let reserve = (1..=BUYERS).map(|who| Operation::reserve(&client(who), &title(who - 1)));
            let misbehave = first.into_iter().map(|how| Operation::Misbehave { how });
            let mut rounds = vec![
                Round::of(listed, Then::Quiesce),
                Round::of(reserve, Then::Quiesce),
                Round::of(misbehave, Then::Go),
            ];
            rounds.extend(days.into_iter().flatten());
            Script::new(clients(BUYERS + 1), rounds)
        },
    )
}

fn operations(operations: Vec<Operation>) -> Vec<Action<Operation>> {
    operations.into_iter().map(Action::Do).collect()
}

/// A misbehavior of any kind.
fn misbehavior() -> impl Strategy<Value = Misbehavior> + Clone {
    let time = prop_oneof![
        2 => 1..MINUTE,
        2 => (1_u32..60).prop_map(|minutes| minutes * MINUTE),
        2 => (1_u32..50).prop_map(|hours| hours * HOUR),
    ];
    let outage = prop_oneof![1 => 1..MINUTE, 1 => Just(10 * MINUTE), 3 => (22_u32..27).prop_map(|h| h * HOUR)];
    prop_oneof![
        1 => Just(Misbehavior::Unavailable),
        1 => Just(Misbehavior::RateLimited),
        3 => Just(Misbehavior::LosesResponse),
        2 => Just(Misbehavior::KeepsError),
        3 => Just(Misbehavior::KeepsErrorOfSuccess),
        2 => (1_u32..45).prop_map(Misbehavior::Slow),
        2 => time.clone().prop_map(Misbehavior::ChargeSucceedsLater),
        2 => time.clone().prop_map(Misbehavior::ChargeFailsLater),
        2 => time.clone().prop_map(Misbehavior::RefundSucceedsLater),
        2 => time.prop_map(Misbehavior::RefundFailsLater),
        2 => Just(Misbehavior::Disputed),
        1 => Just(Misbehavior::RefundedByHand),
        3 => outage.prop_map(Misbehavior::Down),
    ]
}
