//! Rules, their counting, and partitions.

use std::time::Duration;

use async_trait::async_trait;
use ports::Timestamp;
use ports::clock::Clock;

use super::*;
use crate::trace::InstanceId;

const WRITER: InstanceId = InstanceId { service: "writer", instance: 1 };
const READER: InstanceId = InstanceId { service: "reader", instance: 2 };

struct StoppedClock(i64);

#[async_trait]
impl Clock for StoppedClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_second(self.0).expect("the time is in range")
    }

    async fn sleep_until(&self, _: Timestamp) {}
}

fn write(faults: &Faults, instance: InstanceId) -> Option<Effect> {
    faults.inject(instance, Operation::Write, "things", &StoppedClock(0))
}

fn rule(service: Option<&str>, skip: u32, times: u32) -> FaultRule {
    FaultRule {
        service: service.map(str::to_owned),
        operation: Operation::Write,
        target: None,
        skip,
        times,
        effect: Effect::Fail,
    }
}

#[test]
fn a_rule_skips_matching_calls_and_then_injects_its_effect_a_number_of_times() {
    let faults = Faults::default();
    faults.add(rule(Some("writer"), 1, 2));
    assert_eq!(write(&faults, READER), None, "another service does not match");
    let effects = [(); 4].map(|()| write(&faults, WRITER));
    assert_eq!(effects, [None, Some(Effect::Fail), Some(Effect::Fail), None]);
    assert!(faults.not_injected().is_empty());
}

#[test]
fn injected_faults_as_rules_reproduce_the_same_faults() {
    let inject = |faults: &Faults| [WRITER, READER, WRITER, WRITER].map(|at| write(faults, at));
    let faults = Faults::default();
    faults.add(rule(None, 2, 1));
    let effects = inject(&faults);
    let exact = faults.injected();
    let call = (exact[0].service.as_deref(), exact[0].target.as_deref(), exact[0].skip);
    assert_eq!(call, (Some("writer"), Some("things"), 1));
    let replayed = Faults::default();
    replayed.plan(exact.clone());
    assert_eq!((inject(&replayed), replayed.injected()), (effects, exact));
}

#[test]
fn a_rule_counts_the_calls_that_another_rule_wins() {
    let faults = Faults::default();
    faults.add(rule(None, 0, 1));
    faults.add(FaultRule { effect: Effect::Vanish, ..rule(None, 1, 1) });
    assert_eq!(write(&faults, WRITER), Some(Effect::Fail));
    assert_eq!(write(&faults, WRITER), Some(Effect::Vanish));
}

#[test]
fn a_fault_at_a_call_number_survives_healing_and_is_reported() {
    let faults = Faults::default();
    faults.add(rule(None, 0, 1));
    faults.inject_at_call(1, Effect::CrashAfter);
    faults.heal();
    assert_eq!(write(&faults, WRITER), None, "the rule is gone");
    assert_eq!(write(&faults, WRITER), Some(Effect::CrashAfter));
    assert_eq!(faults.injected_at_call().map(|rule| rule.skip), Some(1));
}

#[test]
fn a_partition_cuts_one_service_off_from_one_port_until_it_ends() {
    let faults = Faults::default();
    let effect = Effect::Partition(Duration::from_secs(10));
    faults.add(FaultRule { effect, ..rule(None, 0, 1) });
    write(&faults, WRITER);
    let is_cut = |service, port, at| faults.is_cut(service, port, &StoppedClock(at));
    assert!(is_cut("writer", Port::Store, 9));
    assert!(!is_cut("writer", Port::Store, 10));
    assert!(!is_cut("writer", Port::Bus, 9));
    assert!(!is_cut("reader", Port::Store, 9));
}

#[test]
fn a_cut_lasts_until_healing() {
    let faults = Faults::default();
    faults.cut(None, Port::Http);
    assert!(faults.is_cut("writer", Port::Http, &StoppedClock(1_000_000)));
    faults.heal();
    assert!(!faults.is_cut("writer", Port::Http, &StoppedClock(0)));
}

#[test]
fn a_seed_determines_the_mix_and_its_limit_bounds_the_faults() {
    let drawn = || {
        let faults = Faults::default();
        faults.begin(Mix::draw(7, &[FaultKind::StoreFails; 9]));
        for _ in 0..10_000 {
            write(&faults, WRITER);
        }
        faults.injected()
    };
    assert!((1..=12).contains(&drawn().len()), "{}", drawn().len());
    assert_eq!(drawn(), drawn());
}

#[test]
fn names_are_those_of_the_serialized_form() {
    for kind in FaultKind::ALL.iter().copied().chain([FaultKind::Tail]) {
        assert_eq!(serde_json::to_value(kind).unwrap(), kind.name());
        assert_eq!(kind.name().parse(), Ok(kind));
        for operation in kind.operations() {
            assert_eq!(serde_json::to_value(operation).unwrap(), operation.name());
        }
    }
    assert!("fire".parse::<FaultKind>().unwrap_err().to_string().contains("known faults: late,"));
}
