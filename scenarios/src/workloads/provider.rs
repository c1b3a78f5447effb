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
    let day = prop_oneof![3 => disturbed().boxed(), 2 => blackout().boxed()];
    (
        vec(price(), usize::from(BUYERS)),
        vec(misbehavior(), 0..3),
        day,
        prop::option::weighted(0.3, disturbed()),
    )
        .prop_map(|(prices, first, day, return_day)| {
            let list = |(ticket, price)| Operation::list(&client(SELLER), &title(ticket), price);
            let listed = (0..BUYERS).zip(prices).map(list);
            let misbehave = first.into_iter().map(|how| Operation::Misbehave { how });
            let mut rounds = vec![Round::of(listed, Then::Quiesce), reservations()];
            rounds.push(Round::of(misbehave, Then::Go));
            rounds.extend(day);
            if let Some(day) = return_day {
                let sign_in = (1..=BUYERS).map(|who| Operation::sign_in(&client(who)));
                rounds.push(Round::of(sign_in, Then::Quiesce));
                rounds.push(reservations());
                rounds.extend(day);
            }
            Script::new(clients(BUYERS + 1), rounds)
        })
}

/// Each buyer reserves a ticket that no other buyer wants.
fn reservations() -> Round {
    let reserve = (1..=BUYERS).map(|who| Operation::reserve(&client(who), &title(who - 1)));
    Round::of(reserve, Then::Quiesce)
}

/// Payments, cancellations and misbehavior, and possibly the day after.
fn disturbed() -> impl Strategy<Value = Vec<Round>> {
    let who = 1..=BUYERS;
    let pay = |who, good| Operation::pay(&client(who), &title(who - 1), card(good));
    let cancel = |who| Operation::cancel(&client(who), &title(who - 1));
    let pays = (who.clone(), prop::bool::weighted(0.9), 1..3_usize)
        .prop_map(move |(who, good, times)| vec![pay(who, good); times]);
    // Money that moves while its order is cancelled must be returned.
    let changes_mind = who.clone().prop_map(move |who| vec![pay(who, true), cancel(who)]);
    let cancels = who.prop_map(move |who| vec![cancel(who)]);
    let misbehave = misbehavior().prop_map(|how| vec![Operation::Misbehave { how }]);
    let restart = select(vec!["payments", "orders"]);
    let act = prop_oneof![
        4 => pays.prop_map(operations),
        4 => changes_mind.prop_map(operations),
        1 => cancels.prop_map(operations),
        4 => misbehave.prop_map(operations),
        1 => restart.prop_map(|service| vec![Action::Restart(service.to_owned())]),
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
    let day_after = prop_oneof![2 => Just(None), 1 => (22..26_u32).prop_map(Some)];
    (vec(round, 1..4), day_after).prop_map(|(mut rounds, hours)| {
        rounds.extend(hours.map(|hours| Round::pause(Then::Pass(hours * HOUR))));
        rounds
    })
}

/// A payment whose response is lost or never asked for, and a provider that is down until about
/// the time at which it forgets the key.
fn blackout() -> impl Strategy<Value = Vec<Round>> {
    let loss = prop_oneof![
        3 => Just(Some(Misbehavior::LosesResponse)),
        1 => Just(Some(Misbehavior::KeepsErrorOfSuccess)),
        1 => Just(None),
    ];
    (loss, 1..=BUYERS, 21..26_u32).prop_map(|(loss, who, hours)| {
        let how = Misbehavior::Down(hours * HOUR);
        let pay = Operation::pay(&client(who), &title(who - 1), card(true));
        let lose = loss.map(|how| Operation::Misbehave { how });
        vec![
            Round::of(lose.into_iter().chain([pay]), Then::Go),
            Round::one(Operation::Misbehave { how }, Then::Pass(26 * HOUR)),
        ]
    })
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
