//! The checker against a search by brute force, and single histories.

use proptest::collection::vec;
use proptest::prelude::*;

use super::{Call, Model, check};

/// A lock, as its clients observe it.
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

/// The same lock without the hint about read-only operations.
struct Unhinted;

impl Model for Unhinted {
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

/// Distance of the moments of a sequential run.
const STEP: usize = 10;

/// A linearizable history: a sequential run, with an invocation and a response around the
/// moment of each operation. Some calls have no response, and some of those no effect.
fn linearizable(longest: usize) -> impl Strategy<Value = Vec<Call<Op>>> {
    let step = (0_u8..4, 0_usize..50, 0_usize..50, prop::bool::weighted(0.2), any::<bool>());
    vec(step, 1..=longest).prop_map(|steps| {
        let mut holder = None;
        let mut history = Vec::new();
        for (at, (client, before, after, is_pending, is_lost)) in steps.into_iter().enumerate() {
            let moment = (at + 5) * STEP;
            let op = match (holder, client) {
                (None, 3) => Op::SeenFree,
                (None, client) => Op::Acquired(client),
                (Some(by), 3) => Op::Released(by),
                (Some(_), _) => Op::Refused,
            };
            if !(is_pending && is_lost) {
                holder = Lock.apply(&holder, &op).expect("the run follows the model");
            }
            let responded = (!is_pending).then_some(moment + after);
            history.push(call(op, moment - before, responded));
        }
        history
    })
}

/// A history with some operations replaced.
fn mutated(longest: usize) -> impl Strategy<Value = Vec<Call<Op>>> {
    let op = prop_oneof![
        (0_u8..3).prop_map(Op::Acquired),
        Just(Op::Refused),
        (0_u8..3).prop_map(Op::Released),
        Just(Op::SeenFree),
    ];
    (linearizable(longest), vec((any::<prop::sample::Index>(), op), 1..3)).prop_map(
        |(mut history, changes)| {
            for (at, op) in changes {
                at.get_mut(&mut history).operation = op;
            }
            history
        },
    )
}

/// Whether any order of a subset with all calls that have a response is allowed, by brute force.
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

/// Whether this is an order of all calls with a response that the lock and real time allow.
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

/// The prefix of a history that ends with this moment.
fn prefix(history: &[Call<Op>], at: usize) -> Vec<Call<Op>> {
    let begun = history.iter().filter(|call| call.invoked <= at);
    begun.map(|c| Call { responded: c.responded.filter(|&r| r <= at), ..c.clone() }).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_linearizable_history_has_an_order(history in linearizable(150)) {
        let order = check(&Lock, &history);
        prop_assert!(order.is_ok_and(|order| is_order(&history, &order)));
    }

    #[test]
    fn a_mutated_history_gets_the_verdict_of_brute_force(history in mutated(7)) {
        let possible = any_order(&history, &mut Vec::new(), None);
        for found in [check(&Lock, &history), check(&Unhinted, &history)] {
            match found {
                Ok(order) => prop_assert!(possible && is_order(&history, &order)),
                Err(conflict) => {
                    prop_assert!(!possible);
                    let before = prefix(&history, conflict.at - 1);
                    prop_assert!(any_order(&before, &mut Vec::new(), None));
                    let then = prefix(&history, conflict.at);
                    prop_assert!(!any_order(&then, &mut Vec::new(), None));
                    prop_assert_eq!(history[conflict.shown_by].responded, Some(conflict.at));
                    prop_assert!(!conflict.stuck.is_empty());
                }
            }
        }
    }

    #[test]
    fn a_hint_changes_no_verdict(history in mutated(40)) {
        prop_assert_eq!(check(&Lock, &history).is_ok(), check(&Unhinted, &history).is_ok());
    }
}

#[test]
fn only_one_of_many_concurrent_acquisitions_succeeds() {
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
fn a_call_without_a_response_is_ordered_only_where_needed() {
    let refused = call(Op::Refused, 10, 20);
    assert!(check(&Lock, std::slice::from_ref(&refused)).is_err());
    let pending = call(Op::Acquired(1), 0, None);
    assert_eq!(check(&Lock, &[pending.clone(), refused.clone()]), Ok(vec![0, 1]));
    // It never took effect.
    let another = call(Op::Acquired(2), 30, 40);
    assert_eq!(check(&Lock, &[pending.clone(), another]), Ok(vec![1]));
    // It cannot take effect before its invocation.
    let late = call(Op::Acquired(1), 21, None);
    assert!(check(&Lock, &[late, refused]).is_err());
}

#[test]
fn many_concurrent_releases_are_decided_quickly() {
    let pairs = (0..12_u8).flat_map(|client| {
        let invoked = usize::from(client);
        [call(Op::Acquired(client), invoked, 200), call(Op::Released(client), invoked, 200)]
    });
    let mut history: Vec<_> = pairs.collect();
    assert!(check(&Lock, &history).is_ok());
    history.push(call(Op::Released(99), 0, 200));
    assert!(check(&Lock, &history).is_err());
}
