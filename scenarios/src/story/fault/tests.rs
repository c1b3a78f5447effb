use std::collections::BTreeMap;

use harness::faults::FaultKind;
use proptest::prelude::*;
use proptest::sample::select;

use super::*;

/// All effects that a kind of fault has, of all lengths.
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
        FaultKind::Tail => (1..10_u32).prop_map(Effect::LoseTail).boxed(),
    }
}

fn targets(operation: Operation) -> BoxedStrategy<String> {
    let subjects: Vec<&str> = events().iter().map(|event| event.1).collect();
    match operation {
        Operation::Open => select(vec!["orders", "users", "tickets-order-created"]),
        Operation::Read | Operation::Write => select(vec!["orders", "tickets", "users", "timers"]),
        Operation::Send => select(vec!["/v1/charges", "/v1/refunds"]),
        _ => select(subjects),
    }
    .prop_map(str::to_owned)
    .boxed()
}

/// Whatever a mix can make, and some that only people write.
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
    fn what_is_said_is_what_is_read(rule in rules()) {
        let sentence = sentence(&rule);
        prop_assert_eq!(super::rule(&sentence), Ok(rule), "{}", sentence);
        let reads = patterns().filter(|pattern| pattern.is_match(&sentence)).count();
        prop_assert_eq!(reads, 1, "{} can be read in {} ways", sentence, reads);
    }
}

#[test]
fn every_effect_at_every_operation_has_a_sentence_of_its_own() {
    let mut known = BTreeMap::new();
    for form in forms() {
        let (operation, effect) = (form.operation, form.effect);
        let target = if operation == Operation::Send { "/v1/charges" } else { "orders.x" };
        let (service, target) = (Some("orders".to_owned()), Some(target.to_owned()));
        let rule = FaultRule { service, operation, target, skip: 0, times: 1, effect };
        let sentence = sentence(&rule);
        assert_eq!(super::rule(&sentence), Ok(rule.clone()), "{sentence}");
        assert_eq!(known.insert(sentence.clone(), rule), None, "{sentence}");
    }
    assert_eq!(known.len(), OPERATIONS.len() * EFFECTS.len());
}

#[test]
fn an_event_that_there_is_not_is_named() {
    let sentence = "the next publish of OrderForgotten fails";
    assert_eq!(rule(sentence), Err(NoFault::RecordKind("OrderForgotten".to_owned())));
    let sentence = "pigs fly";
    assert_eq!(rule(sentence), Err(NoFault::Unknown(sentence.to_owned())));
}

#[test]
fn the_next_is_the_first() {
    let next = rule("orders crashes right after its next write to orders").unwrap();
    assert_eq!(Ok(next), rule("orders crashes right after its 1st write to orders"));
}

#[test]
fn durations_are_said_as_people_say_them() {
    let said = |millis| duration(Duration::from_millis(millis));
    assert_eq!(said(900_000), "15 minutes");
    assert_eq!(said(60_000), "1 minute");
    assert_eq!(said(1_000), "1 second");
    assert_eq!(said(90_250), "90.25 seconds");
    assert_eq!(said(0), "0 seconds");
}
