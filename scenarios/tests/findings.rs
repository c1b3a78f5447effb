//! What rehearsals have found in the system, each kept as the case that shows it.

use std::time::Duration;

use contracts::Cents;
use harness::faults::{Effect, FaultRule, Operation};
use scenarios::case::{Case, Schedule, Trouble};
use scenarios::script::{Act, Round, Script, Then};
use scenarios::simulate;

/// The charges' task woke itself with each attempt, and so asked a provider that is out of
/// reach again and again without a pause.
#[test]
fn a_provider_out_of_reach_is_not_asked_without_a_pause() {
    let rounds = [
        (Act::List { who: 0, ticket: 0, price: Cents(2000) }, Then::Settle),
        (Act::Reserve { who: 1, ticket: 0 }, Then::Settle),
        (Act::Pay { who: 1, ticket: 0, good: true }, Then::Pass(90)),
    ];
    let rounds = rounds.map(|(act, then)| Round { acts: vec![act], then });
    let outage = FaultRule {
        service: Some("payments".to_owned()),
        operation: Operation::Send,
        target: None,
        skip: 0,
        times: 1,
        effect: Effect::Outage(Duration::from_secs(60)),
    };
    let case = Case {
        trouble: Trouble::Exact(vec![outage]),
        schedule: Schedule::Exact(Vec::new()),
        ..Case::of(Script { people: 2, rounds: rounds.to_vec() }, 1)
    };
    let run = simulate::run(&case).expect("the harness works");
    assert_eq!(run.violations, []);
    assert!(run.decisions < 5_000, "{} decisions", run.decisions);
}
