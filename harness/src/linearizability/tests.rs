use proptest::collection::vec;
use proptest::prelude::*;

use super::{Call, Model, check};

/// A lock, as those who want it see it.
struct Lock;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Op {
    Acquired(u8),
    Refused,
    Released(u8),
    SeenFree,
}

impl Model for Lock {
    type Operation = Op;
    type State = Option<u8>;

    fn begin(&self) -> Option<u8> {
        None
    }

    fn apply(&self, holder: &Option<u8>, op: &Op) -> Option<Option<u8>> {
        match *op {
            Op::Acquired(by) => holder.is_none().then_some(Some(by)),
            Op::Refused => holder.is_some().then_some(*holder),
            Op::Released(by) => (*holder == Some(by)).then_some(None),
            Op::SeenFree => holder.is_none().then_some(None),
        }
    }

    fn only_looks(&self, op: &Op) -> bool {
        matches!(op, Op::Refused | Op::SeenFree)
    }
}

/// The same lock, about which the search is told nothing.
struct Plain;

impl Model for Plain {
    type Operation = Op;
    type State = Option<u8>;

    fn begin(&self) -> Option<u8> {
        None
    }

    fn apply(&self, holder: &Option<u8>, op: &Op) -> Option<Option<u8>> {
        Lock.apply(holder, op)
    }
}

fn call(operation: Op, invoked: usize, responded: impl Into<Option<usize>>) -> Call<Op> {
    Call { operation, invoked, responded: responded.into() }
}

/// How far apart the moments of a sequential run are.
const APART: usize = 10;

/// A true history: a sequential run, each operation at a moment of its own, and around each
/// moment the time that the call took. Some never had an answer, and some of those have never
/// had an effect.
fn history(longest: usize) -> impl Strategy<Value = Vec<Call<Op>>> {
    let step = (0_u8..4, 0_usize..50, 0_usize..50, prop::bool::weighted(0.2), any::<bool>());
    vec(step, 1..=longest).prop_map(|steps| {
        let mut holder = None;
        let mut history = Vec::new();
        for (at, (who, before, after, silent, vain)) in steps.into_iter().enumerate() {
            let moment = (at + 5) * APART;
            let op = match (holder, who) {
                (None, 3) => Op::SeenFree,
                (None, who) => Op::Acquired(who),
                (Some(by), 3) => Op::Released(by),
                (Some(_), _) => Op::Refused,
            };
            if !(silent && vain) {
                holder = Lock.apply(&holder, &op).expect("the run is true");
            }
            let responded = (!silent).then_some(moment + after);
            history.push(call(op, moment - before, responded));
        }
        history
    })
}

/// A history in which some answers are others.
fn spoiled(longest: usize) -> impl Strategy<Value = Vec<Call<Op>>> {
    let op = prop_oneof![
        (0_u8..3).prop_map(Op::Acquired),
        Just(Op::Refused),
        (0_u8..3).prop_map(Op::Released),
        Just(Op::SeenFree),
    ];
    (history(longest), vec((any::<prop::sample::Index>(), op), 1..3)).prop_map(
        |(mut history, changes)| {
            for (at, op) in changes {
                at.get_mut(&mut history).operation = op;
            }
            history
        },
    )
}

/// Whether any order of any part with all answered calls is allowed, by trying them all.
fn any_order(history: &[Call<Op>], used: &mut Vec<usize>, state: Option<u8>) -> bool {
    let is_left = |at: &usize| !used.contains(at);
    let left: Vec<usize> = (0..history.len()).filter(is_left).collect();
    if left.iter().all(|&at| history[at].responded.is_none()) {
        return true;
    }
    left.iter().any(|&at| {
        let in_time = left.iter().all(|&other| {
            history[other].responded.is_none_or(|responded| responded >= history[at].invoked)
        });
        let Some(after) = Lock.apply(&state, &history[at].operation).filter(|_| in_time) else {
            return false;
        };
        used.push(at);
        let found = any_order(history, used, after);
        used.pop();
        found
    })
}

/// Whether this is an order of all answered calls that the lock and time allow.
fn is_order(history: &[Call<Op>], order: &[usize]) -> bool {
    let mut state = None;
    for (at, &call) in order.iter().enumerate() {
        let later = order[at + 1..].iter();
        let mut late =
            later.filter(|&&l| history[l].responded.is_some_and(|r| r < history[call].invoked));
        let Some(after) = Lock.apply(&state, &history[call].operation) else { return false };
        if late.next().is_some() {
            return false;
        }
        state = after;
    }
    (0..history.len()).all(|at| history[at].responded.is_none() || order.contains(&at))
}

/// The history as it was when this moment was over.
fn until(history: &[Call<Op>], at: usize) -> Vec<Call<Op>> {
    let begun = history.iter().filter(|call| call.invoked <= at);
    begun.map(|c| Call { responded: c.responded.filter(|&r| r <= at), ..c.clone() }).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_really_happened_has_an_order(history in history(150)) {
        let order = check(&Lock, &history);
        prop_assert!(order.is_ok_and(|order| is_order(&history, &order)));
    }

    #[test]
    fn a_spoiled_history_is_judged_as_by_trying_all_orders(history in spoiled(7)) {
        let possible = any_order(&history, &mut Vec::new(), None);
        for found in [check(&Lock, &history), check(&Plain, &history)] {
            match found {
                Ok(order) => prop_assert!(possible && is_order(&history, &order)),
                Err(conflict) => {
                    prop_assert!(!possible);
                    let before = until(&history, conflict.at - 1);
                    prop_assert!(any_order(&before, &mut Vec::new(), None));
                    let then = until(&history, conflict.at);
                    prop_assert!(!any_order(&then, &mut Vec::new(), None));
                    prop_assert_eq!(history[conflict.shown_by].responded, Some(conflict.at));
                    prop_assert!(!conflict.stuck.is_empty());
                }
            }
        }
    }

    #[test]
    fn a_hint_changes_no_verdict(history in spoiled(40)) {
        prop_assert_eq!(check(&Lock, &history).is_ok(), check(&Plain, &history).is_ok());
    }
}

#[test]
fn one_of_many_at_once_wins() {
    let mut history: Vec<_> = (0..40).map(|at| call(Op::Refused, at, 100 + at)).collect();
    history.push(call(Op::Acquired(1), 50, 120));
    assert!(check(&Lock, &history).is_ok());
    history.push(call(Op::Acquired(2), 60, 145));
    let conflict = check(&Lock, &history).unwrap_err();
    assert_eq!((conflict.at, conflict.shown_by), (145, 41));
    assert_eq!(conflict.state, Some(1));
    assert_eq!(conflict.stuck, [41]);
}

#[test]
fn what_has_no_answer_happens_where_it_is_needed_and_only_there() {
    let refused = call(Op::Refused, 10, 20);
    assert!(check(&Lock, std::slice::from_ref(&refused)).is_err());
    let silent = call(Op::Acquired(1), 0, None);
    assert_eq!(check(&Lock, &[silent.clone(), refused.clone()]), Ok(vec![0, 1]));
    // Never, if it must be.
    let another = call(Op::Acquired(2), 30, 40);
    assert_eq!(check(&Lock, &[silent.clone(), another]), Ok(vec![1]));
    // But not before it was invoked.
    let late = call(Op::Acquired(1), 21, None);
    assert!(check(&Lock, &[late, refused]).is_err());
}

#[test]
fn many_releases_at_once_do_not_take_for_ever() {
    let pairs = (0..12_u8).flat_map(|who| {
        let who_at = usize::from(who);
        [call(Op::Acquired(who), who_at, 200), call(Op::Released(who), who_at, 200)]
    });
    let mut history: Vec<_> = pairs.collect();
    assert!(check(&Lock, &history).is_ok());
    history.push(call(Op::Released(99), 0, 200));
    assert!(check(&Lock, &history).is_err());
}
