//! One story for each cause: failures of one bug are grouped, a harm is told before the mechanism
//! that it comes from, and shrinking tries the simplest causes first.

use harness::case::{Case, FaultPlan, RawCase, Schedule};
use harness::faults::{Effect, FaultKind, FaultRule, Operation};
use harness::invariants::Kind;
use harness::run;
use harness::search::causes::causes;
use harness::search::explore::{Plan, explore};
use harness::search::nearest::nearest;
use harness::shrink::case::shrink;
use harness::story::Story;
use harness::subject::AnySubject;
use serde_json::json;

#[path = "../examples/bank/main.rs"]
#[allow(dead_code, reason = "the `main` of the example stays unused")]
mod bank;

const BUG: &str = "debit-applied-twice";

fn subject() -> AnySubject {
    AnySubject::new(bank::Bank)
}

/// Anna sends money to Ben this many times, one transfer after the other, with these faults.
fn transfers(subject: &AnySubject, count: usize, rules: Vec<FaultRule>) -> Case {
    let open = |who: &str| json!({ "do": { "Open": { "who": who, "balance": 100 } } });
    let send = json!({ "do": { "Send": { "who": "Anna", "amount": 7, "to": "Ben" } } });
    let round = |actions: serde_json::Value| json!({ "actions": actions, "then": "quiesce" });
    let mut rounds = vec![round(json!([open("Anna"), open("Ben")]))];
    rounds.extend(std::iter::repeat_n(round(json!([send])), count));
    let case = RawCase {
        workload: "payday".to_owned(),
        bug: Some(BUG.to_owned()),
        seed: 1,
        settings: harness::settings::Settings::default(),
        script: serde_json::from_value(json!({ "clients": ["Anna", "Ben"], "rounds": rounds }))
            .expect("it is a script"),
        faults: FaultPlan::Exact(rules),
        schedule: Schedule::Exact(Vec::new()),
    };
    case.read(subject).expect("it is a case of the bank")
}

fn at_accounts(operation: Operation, skip: u32, effect: Effect) -> FaultRule {
    FaultRule {
        service: Some("accounts".to_owned()),
        operation,
        target: Some("transfer.requested".to_owned()),
        skip,
        times: 1,
        effect,
    }
}

#[test]
fn one_bug_is_one_finding_and_its_harm_is_told() {
    let subject = subject();
    let plan = Plan { bug: Some(BUG.to_owned()), jobs: 1, ..Plan::all("payday", 0..150) };
    let explored = explore(&subject, &plan, |_| ()).expect("the harness works");
    let ways: Vec<&String> = explored.failures.keys().collect();
    assert!(ways.len() > 1, "the bug shows in one way only: {ways:?}");
    let found = causes(&subject, explored.failures.values(), FaultKind::ALL, || ())
        .expect("the harness works");
    assert_eq!((found.causes.len(), found.more), (1, 0), "{:#?}", found.causes);
    let cause = &found.causes[0];
    assert_eq!(cause.schedules, explored.failed());
    assert!(subject.is_harm(&cause.shrunk.invariant), "{}", cause.shrunk.invariant);
    let also: Vec<&str> = cause.also.iter().map(|other| other.name).collect();
    assert!(also.contains(&"applied-once"), "{also:?}");
    assert!(!also.contains(&cause.shrunk.invariant.as_str()), "{also:?}");
    let kinds: Vec<Kind> = cause.also.iter().map(|other| other.kind).collect();
    assert!(kinds.is_sorted(), "{also:?}");
}

#[test]
fn a_run_names_its_harms_first() {
    let subject = subject();
    let twice = at_accounts(Operation::Ack, 0, Effect::Redeliver);
    let run = run::run(&subject, &transfers(&subject, 1, vec![twice])).expect("the harness works");
    assert!(run.violates("applied-once"), "{:?}", run.violations);
    let first = run.violation().expect("it violates an invariant");
    assert!(subject.is_harm(&first.invariant), "{first}");
}

#[test]
fn shrinking_a_mechanism_keeps_the_harm_that_comes_with_it() {
    let subject = subject();
    let twice = at_accounts(Operation::Ack, 0, Effect::Redeliver);
    let case = transfers(&subject, 2, vec![twice]);
    let shrunk = shrink(&subject, &case, "applied-once", || ()).expect("the harness works");
    let shrunk = shrunk.expect("it violates the mechanism");
    assert!(subject.is_harm(&shrunk.invariant), "{}", shrunk.invariant);
}

#[test]
fn a_fault_moves_to_the_first_call_of_its_kind() {
    let subject = subject();
    let fourth = at_accounts(Operation::Ack, 3, Effect::Redeliver);
    let case = transfers(&subject, 5, vec![fourth]);
    let shrunk = shrink(&subject, &case, "applied-once", || ()).expect("the harness works");
    let shrunk = shrunk.expect("it violates the mechanism");
    let [rule] = shrunk.run.injected() else { panic!("{:?}", shrunk.run.injected()) };
    assert_eq!((rule.skip, rule.effect), (0, Effect::Redeliver));
}

#[test]
fn a_crash_gives_way_to_the_redelivery_that_it_causes() {
    let subject = subject();
    let crash = at_accounts(Operation::Ack, 0, Effect::CrashBefore);
    let case = transfers(&subject, 2, vec![crash]);
    let shrunk = shrink(&subject, &case, "applied-once", || ()).expect("the harness works");
    let shrunk = shrunk.expect("the event is handled again after the restart");
    let [rule] = shrunk.run.injected() else { panic!("{:?}", shrunk.run.injected()) };
    assert!(matches!(rule.effect, Effect::Redeliver | Effect::LoseAck), "{rule:?}");
}

#[test]
fn a_violation_that_names_no_document_is_explained_by_the_first_write_that_differs() {
    let subject = subject();
    let twice = at_accounts(Operation::Ack, 0, Effect::Redeliver);
    let case = transfers(&subject, 1, vec![twice]);
    let run = run::run_watched(&subject, &case).expect("the harness works");
    let sum = "money-conserved";
    let nearest = nearest(&subject, &run, sum, || ()).expect("the harness works");
    let story = Story::of(&subject, &run, Some(sum), &[]).explained(&subject, &run, &nearest);
    let because = story.because.expect("a violation is explained");
    let [delivered, written] = &because.links[..] else { panic!("{because:#?}") };
    assert!(delivered.sentence.contains("delivered to accounts a second time"), "{because:#?}");
    assert!(
        written.sentence.starts_with("accounts updates the account of Anna in accounts"),
        "{because:#?}"
    );
}
