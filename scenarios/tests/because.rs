//! Because: for bugs of different kinds, the explanation of a failure names the place where the
//! bug is planted, and no other bug's place.

use std::path::Path;

use contracts::Cents;
use harness::case::{Case, FaultPlan, Schedule};
use harness::faults::{Effect, FaultRule, Operation as Call};
use harness::regressions::Regression;
use harness::run;
use harness::script::Then;
use harness::search::nearest::nearest;
use harness::story::Story;
use harness::story::because::Because;
use harness::subject::AnySubject;
use scenarios::Ticketing;
use scenarios::operation::Operation;
use scenarios::workloads::{Round, Script};

/// The place that an explanation must name: service, operation, and target; and words of the
/// sentence about it.
type Expected = (&'static str, &'static str, &'static str, &'static str);

/// Planted bugs, each with the kept case in which it shows or a case of its own.
fn bugs() -> Vec<(&'static str, Expected, Case)> {
    let subject = AnySubject::new(Ticketing);
    let kept = |file: &str| {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("regressions");
        let kept = Regression::read(&subject, &folder.join(file)).expect("it can be read");
        kept.with_bug()
    };
    let list = || Round::one(Operation::list("Anna", "Opera", Cents(2000)), Then::Quiesce);
    let reserve = |then| Round::one(Operation::reserve("Ben", "Opera"), then);
    let sign_up = Round::one(Operation::sign_up("Gina"), Then::Quiesce);
    vec![
        (
            "look-then-insert",
            ("orders", "find", "orders", "finds nothing; in the passing run: finds the order of"),
            kept("two-buyers-at-once.json"),
        ),
        (
            "order-of-arrival",
            ("tickets", "update", "tickets", "on OrderCancelled of the order of Ben"),
            kept("late-cancellation.json"),
        ),
        (
            "no-idempotency-key",
            ("payments", "send", "POST /v1/charges", "does not happen in the passing run"),
            kept("lost-answer-of-the-provider.json"),
        ),
        (
            "edit-while-held",
            ("tickets", "update", "tickets", "price 2500"),
            kept("edit-of-a-held-ticket.json"),
        ),
        (
            "refund-forgotten",
            ("payments", "update", "orders", "charge.stripeRefundId re_forgotten"),
            kept("cancelled-while-money-moves.json"),
        ),
        (
            "ban-forgotten",
            ("orders", "deliver", "UserBanned", "UserBanned"),
            kept("ban-heard-twice-at-a-start.json"),
        ),
        (
            "blind-new-key",
            ("payments", "send", "POST /v1/charges", "POST /v1/charges to the provider: 500"),
            kept("kept-error-of-a-charge.json"),
        ),
        (
            "swallowed-error",
            ("orders", "update", "tickets", "only in the passing run, orders updates \"Opera\""),
            case(
                "swallowed-error",
                [list()],
                Some(("orders", Call::Write, "tickets", Effect::Fail)),
            ),
        ),
        (
            "unknown-is-success",
            ("payments", "insert", "orders", "only in the passing run, payments inserts"),
            case(
                "unknown-is-success",
                [list(), reserve(Then::Quiesce)],
                Some(("payments", Call::Write, "orders", Effect::Vanish)),
            ),
        ),
        (
            "no-outbox",
            ("auth", "publish", "UserCreated", "auth publishes UserCreated"),
            case("no-outbox", [sign_up], None),
        ),
        (
            "hold-kept-on-expiry",
            ("orders", "update", "orders", "reason expired"),
            case("hold-kept-on-expiry", [list(), reserve(Then::Pass(15 * 60))], None),
        ),
        (
            "stale-ticket",
            ("orders", "deliver", "TicketCreated", "delivered to orders a second time"),
            case(
                "stale-ticket",
                [list()],
                Some(("orders", Call::Ack, "ticket.created", Effect::Redeliver)),
            ),
        ),
    ]
}

/// A case of these rounds in FIFO order, with at most one fault.
fn case<const N: usize>(
    bug: &str,
    rounds: [Round; N],
    fault: Option<(&str, Call, &str, Effect)>,
) -> Case {
    let rule = |(service, operation, target, effect): (&str, Call, &str, Effect)| FaultRule {
        service: Some(service.to_owned()),
        operation,
        target: Some(target.to_owned()),
        skip: 0,
        times: 1,
        effect,
    };
    let script = Script::new(["Anna", "Ben"], rounds.to_vec());
    Case {
        bug: Some(bug.to_owned()),
        faults: FaultPlan::Exact(fault.map(rule).into_iter().collect()),
        schedule: Schedule::Exact(Vec::new()),
        ..Case::of(script.erased(), 1)
    }
}

fn because(subject: &AnySubject, case: &Case) -> Because {
    let run = run::run_watched(subject, case).expect("the harness works");
    let story = Story::of(subject, &run, None, &[]);
    let invariant = story.invariant.clone();
    let invariant = invariant.unwrap_or_else(|| panic!("{:?} does not show", case.bug));
    let nearest = nearest(subject, &run, &invariant, || ()).expect("the harness works");
    story.explained(subject, &run, &nearest).because.expect("a violation is explained")
}

#[test]
fn a_message_whose_write_is_lost_was_acknowledged_before() {
    let subject = AnySubject::new(Ticketing);
    let bugs = bugs();
    let (_, _, case) = bugs.iter().find(|(bug, ..)| *bug == "unknown-is-success").unwrap();
    let because = because(&subject, case);
    let expected = ("payments", "ack", "OrderCreated", "payments acknowledges OrderCreated");
    assert!(names(&because, expected), "{because:#?}");
}

fn names(because: &Because, (service, operation, target, words): Expected) -> bool {
    let links = because.links.iter().map(|link| (&link.place, &link.sentence));
    let mut all = links.chain([(&because.place, &because.parting)]);
    all.any(|(place, sentence)| {
        let is_there = place.as_ref().is_some_and(|place| {
            (place.service.as_str(), place.operation, place.target.as_str())
                == (service, operation, target)
        });
        is_there && sentence.contains(words)
    })
}

#[test]
fn the_explanation_names_the_place_of_its_bug_and_of_no_other() {
    let subject = AnySubject::new(Ticketing);
    let bugs = bugs();
    assert!(bugs.len() >= 10);
    for (bug, place, case) in &bugs {
        let because = because(&subject, case);
        assert!(names(&because, *place), "{bug}: {because:#?}");
        let others = bugs.iter().filter(|(other, ..)| other != bug);
        let wrong = others.filter(|(_, place, _)| names(&because, *place));
        let wrong: Vec<&str> = wrong.map(|(other, ..)| *other).collect();
        assert!(wrong.is_empty(), "{bug} is explained as {wrong:?}: {because:#?}");
    }
}

#[test]
fn an_explanation_is_the_same_every_time_and_has_no_ids() {
    let subject = AnySubject::new(Ticketing);
    let is_id = |word: &str| word.len() >= 24 && word.bytes().all(|b| b.is_ascii_hexdigit());
    for (bug, _, case) in bugs() {
        let first = because(&subject, &case);
        assert_eq!(first, because(&subject, &case), "{bug}");
        let links = first.links.iter().map(|link| link.sentence.as_str());
        for sentence in links.chain([first.parting.as_str()]) {
            let mut words = sentence.split(|c: char| !c.is_alphanumeric());
            assert!(!words.any(is_id), "{bug}: {sentence}");
        }
    }
}

#[test]
fn a_failure_in_every_schedule_says_so_and_one_of_a_fault_names_the_fault() {
    let subject = AnySubject::new(Ticketing);
    for (bug, _, case) in bugs() {
        let parting = because(&subject, &case).parting;
        match &case.faults {
            FaultPlan::Exact(rules) if rules.len() == 1 && bug != "refund-forgotten" => {
                let fault = subject.sentences().of(&rules[0]);
                assert!(parting.ends_with(&fault), "{bug}: {parting}");
            }
            _ if ["edit-while-held", "blind-new-key", "no-outbox"].contains(&bug) => {
                assert!(parting.contains("fails in every schedule tried"), "{bug}: {parting}");
            }
            _ => {}
        }
    }
}
