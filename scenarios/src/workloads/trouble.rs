//! Trouble: what goes wrong at the ports while people act.
//!
//! Only what a running system must live with by itself: nothing here needs anybody to come
//! and start a service again.

use std::time::Duration;

use harness::faults::{Effect, Operation, Rule};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

/// What goes wrong in one run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Trouble {
    /// At the ports of the services.
    pub rules: Vec<Rule>,
    /// How many answers of the payment provider are lost.
    pub lost_answers: usize,
}

/// A few passing troubles.
pub fn passing() -> impl Strategy<Value = Trouble> {
    (vec(rule(), 0..6), 0..3_usize)
        .prop_map(|(rules, lost_answers)| Trouble { rules, lost_answers })
}

fn rule() -> impl Strategy<Value = Rule> {
    let service = select(vec!["tickets", "orders", "expiration", "payments"]);
    let late = (1..40_u64).prop_map(|seconds| Effect::Delay(Duration::from_secs(seconds)));
    let broken = || prop_oneof![Just(Effect::Fail), Just(Effect::FailAfter)];
    let strike = prop_oneof![
        4 => (Just(Operation::Write), prop_oneof![2 => broken(), 1 => late]),
        2 => (Just(Operation::Read), Just(Effect::Fail)),
        2 => (Just(Operation::Publish), broken()),
        1 => (Just(Operation::Ack), Just(Effect::LoseAck)),
        1 => (Just(Operation::Ack), Just(Effect::Redeliver)),
    ];
    (service, strike, 0..12_u32, 1..3_u32).prop_map(
        |(service, (operation, effect), skip, times)| {
            let service = Some(service.to_owned());
            Rule { service, operation, target: None, skip, times, effect }
        },
    )
}
