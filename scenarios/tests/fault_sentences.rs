//! Fault sentences: reading a sentence yields the fault that it was written for.

use std::sync::LazyLock;
use std::time::Duration;

use harness::faults::{Effect, FaultKind, FaultRule, Operation};
use harness::story::fault::{NotAFault, Sentences};
use harness::subject::AnySubject;
use proptest::prelude::*;
use proptest::sample::select;
use scenarios::Ticketing;

static SUBJECT: LazyLock<AnySubject> = LazyLock::new(|| AnySubject::new(Ticketing));

fn sentences() -> &'static Sentences {
    SUBJECT.sentences()
}

/// All effects of a kind of fault, with durations of all lengths.
fn effects(kind: FaultKind) -> BoxedStrategy<Effect> {
    let time = (0..2_000_000_u64).prop_map(Duration::from_millis);
    match kind {
        FaultKind::Late | FaultKind::LateAck | FaultKind::StoreSlow | FaultKind::OutsideSlow => {
            time.prop_map(Effect::Delay).boxed()
        }
        FaultKind::Partition => time.prop_map(Effect::Partition).boxed(),
        FaultKind::Outage => time.prop_map(Effect::Outage).boxed(),
        FaultKind::Jump => time.prop_map(Effect::Jump).boxed(),
        FaultKind::Duplicate => Just(Effect::Redeliver).boxed(),
        FaultKind::LostAck => Just(Effect::LoseAck).boxed(),
        FaultKind::Disconnect
        | FaultKind::PublishFails
        | FaultKind::StoreFails
        | FaultKind::OutsideFails => Just(Effect::Fail).boxed(),
        FaultKind::PublishAmbiguous | FaultKind::StoreAmbiguous | FaultKind::OutsideAmbiguous => {
            select(vec![Effect::FailAfter, Effect::Vanish]).boxed()
        }
        FaultKind::Crash => select(vec![Effect::CrashBefore, Effect::CrashAfter]).boxed(),
        FaultKind::NewerFormat => Just(Effect::NewerFormat).boxed(),
        FaultKind::OlderFormat => Just(Effect::OlderFormat).boxed(),
        FaultKind::Tail => (1..10_u32).prop_map(Effect::LoseTail).boxed(),
    }
}

fn targets(operation: Operation) -> BoxedStrategy<String> {
    let subjects: Vec<&str> = SUBJECT.events().iter().map(|event| event.subject).collect();
    match operation {
        Operation::Open => select(vec!["orders", "users", "tickets-order-created"]),
        Operation::Read | Operation::Write => select(vec!["orders", "tickets", "users", "timers"]),
        Operation::Send => select(vec!["/v1/charges", "/v1/refunds"]),
        _ => select(subjects),
    }
    .prop_map(str::to_owned)
    .boxed()
}

/// All rules that a mix can draw, and some that occur only in written scenarios.
fn rules() -> impl Strategy<Value = FaultRule> {
    let kinds: Vec<FaultKind> = FaultKind::ALL.iter().copied().chain([FaultKind::Tail]).collect();
    let kind = select(kinds).prop_flat_map(|kind| (effects(kind), select(kind.operations())));
    kind.prop_flat_map(|(effect, operation)| {
        let services = ticketing::SERVICES.iter().map(|entry| Some(entry.name.to_owned()));
        let service = prop_oneof![9 => select(services.collect::<Vec<_>>()), 1 => Just(None)];
        let target = prop_oneof![9 => targets(operation).prop_map(Some), 1 => Just(None)];
        (service, target, 0..200_u32, 1..3_u32).prop_map(move |(service, target, skip, times)| {
            FaultRule { service, operation, target, skip, times, effect }
        })
    })
}

proptest! {
    #[test]
    fn a_sentence_is_read_as_the_rule_that_it_was_written_for(rule in rules()) {
        let sentence = sentences().of(&rule);
        prop_assert_eq!(sentences().rule(&sentence), Ok(rule), "{}", sentence);
        let ways = sentences().ways_to_read(&sentence);
        prop_assert_eq!(ways, 1, "{} can be read in {} ways", sentence, ways);
    }
}

#[test]
fn an_undeclared_event_is_named() {
    let sentence = "the next publish of OrderForgotten fails";
    assert_eq!(
        sentences().rule(sentence),
        Err(NotAFault::UnknownEvent("OrderForgotten".to_owned()))
    );
    let sentence = "pigs fly";
    assert_eq!(sentences().rule(sentence), Err(NotAFault::Unknown(sentence.to_owned())));
}

#[test]
fn the_next_is_the_first() {
    let next = sentences().rule("orders crashes right after its next write to orders").unwrap();
    assert_eq!(Ok(next), sentences().rule("orders crashes right after its 1st write to orders"));
}
