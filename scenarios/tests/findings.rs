//! Former findings in ticketing, each kept as the case that shows it.

use std::time::Duration;

use contracts::Cents;
use harness::case::{Case, FaultPlan, Schedule};
use harness::faults::{Effect, FaultRule, Operation as Call};
use harness::run;
use harness::script::Then;
use harness::subject::AnySubject;
use scenarios::Ticketing;
use scenarios::operation::{Card, Operation};
use scenarios::workloads::{Round, Script};

/// The task that retries charges woke itself with each attempt and so sent requests to an
/// unreachable provider without a pause.
#[test]
fn requests_to_an_unreachable_provider_are_spaced() {
    let rounds = [
        Round::one(Operation::list("Anna", "Opera", Cents(2000)), Then::Quiesce),
        Round::one(Operation::reserve("Ben", "Opera"), Then::Quiesce),
        Round::one(Operation::pay("Ben", "Opera", Card::Good), Then::Pass(90)),
    ];
    let script = Script::new(["Anna", "Ben"], rounds.to_vec());
    let outage = FaultRule {
        service: Some("payments".to_owned()),
        operation: Call::Send,
        target: None,
        skip: 0,
        times: 1,
        effect: Effect::Outage(Duration::from_secs(60)),
    };
    let case = Case {
        faults: FaultPlan::Exact(vec![outage]),
        schedule: Schedule::Exact(Vec::new()),
        ..Case::of(script.erased(), 1)
    };
    let run = run::run(&AnySubject::new(Ticketing), &case).expect("the harness works");
    assert_eq!(run.violations, []);
    assert!(run.decisions < 5_000, "{} decisions", run.decisions);
}
