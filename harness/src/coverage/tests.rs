//! The fault points that a trace reaches.

use std::sync::Arc;
use std::time::Duration;

use ports::Timestamp;
use ports::causality::Causality;

use super::*;
use crate::faults::{Effect, FaultKind, Operation};
use crate::trace::{InstanceId, Record, RecordKind};

const ACK_WAIT: Duration = Duration::from_secs(30);
const HEARS: &Hears = &[("thing.made", "reader"), ("thing.made", "keeper")];
const READER: InstanceId = InstanceId { service: "reader", instance: 1 };

fn record(second: i64, kind: RecordKind) -> Record {
    let at = Timestamp::from_second(second).unwrap();
    Record { at, instance: Some(READER), origin: None, kind }
}

fn fault(operation: Operation, target: &str, effect: Effect) -> Record {
    record(10, RecordKind::Fault { operation, target: target.to_owned(), effect })
}

fn deliver(second: i64, id: &str) -> Record {
    let consumer = "reader-Made".to_owned();
    let (id, subject) = (id.to_owned(), "thing.made".to_owned());
    record(second, RecordKind::Deliver { consumer, id, subject, attempt: 1 })
}

fn ack(second: i64, id: &str) -> Record {
    let (consumer, id) = ("reader-Made".to_owned(), id.to_owned());
    record(second, RecordKind::Reply { operation: "ack", consumer, id, heard: true })
}

/// The marks of the event in this trace, by consumer.
fn marks(trace: &[Record]) -> Vec<(String, Mark)> {
    let points = read(trace, HEARS, ACK_WAIT).into_iter();
    let marks = points.filter_map(|point| match point {
        Point::Event { event, consumer, mark } if event == "thing.made" => Some((consumer, mark)),
        _ => None,
    });
    marks.collect()
}

fn at_reader(mark: Mark) -> Vec<(String, Mark)> {
    vec![("reader".to_owned(), mark)]
}

#[test]
fn faults_at_an_acknowledgement_are_distinguished_by_their_effect() {
    let at_ack = |effect| marks(&[fault(Operation::Ack, "thing.made", effect)]);
    assert_eq!(at_ack(Effect::Redeliver), at_reader(Mark::Duplicate));
    assert_eq!(at_ack(Effect::LoseAck), at_reader(Mark::LostAck));
    assert_eq!(at_ack(Effect::Delay(2 * ACK_WAIT)), at_reader(Mark::LateAck));
    assert_eq!(at_ack(Effect::Delay(ACK_WAIT / 2)), []);
    assert_eq!(at_ack(Effect::CrashBefore), at_reader(Mark::CrashAfter));
    assert_eq!(at_ack(Effect::FailAfter), at_reader(Mark::Ambiguous));
    assert_eq!(at_ack(Effect::Fail), []);
}

#[test]
fn an_ambiguous_publish_counts_for_every_consumer() {
    let trace = [fault(Operation::Publish, "thing.made", Effect::Vanish)];
    let all = ["keeper", "reader"].map(|consumer| (consumer.to_owned(), Mark::Ambiguous));
    assert_eq!(marks(&trace), all);
}

#[test]
fn a_delayed_message_counts_only_if_another_was_handled_before_it() {
    let held = fault(Operation::Deliver, "thing.made", Effect::Delay(Duration::from_secs(20)));
    let mut trace = vec![deliver(10, "a"), held, deliver(15, "b"), ack(16, "b")];
    assert_eq!(marks(&trace), at_reader(Mark::Reorder));
    // The other message was acknowledged after the delay.
    trace[3] = ack(31, "b");
    assert_eq!(marks(&trace), []);
    // The acknowledged message had arrived before the delay.
    trace[3] = ack(16, "z");
    assert_eq!(marks(&trace), []);
}

#[test]
fn a_crash_counts_for_the_message_being_handled() {
    let crash = |operation, effect, cause: &str| {
        let mut crash = fault(operation, "things", effect);
        let origin = Causality { correlation: String::new(), cause: cause.to_owned() };
        crash.origin = Some(Arc::new(origin));
        marks(&[deliver(9, "a"), crash])
    };
    assert_eq!(crash(Operation::Read, Effect::CrashAfter, "a"), at_reader(Mark::CrashBefore));
    assert_eq!(crash(Operation::Write, Effect::CrashBefore, "a"), at_reader(Mark::CrashBefore));
    assert_eq!(crash(Operation::Write, Effect::CrashAfter, "a"), at_reader(Mark::CrashAfter));
    // A request was being handled, not a message.
    assert_eq!(crash(Operation::Write, Effect::CrashAfter, "request"), []);
}

#[test]
fn a_fault_counts_at_its_call_by_kind() {
    let injected = [
        fault(Operation::Write, "things", Effect::Vanish),
        fault(Operation::Open, "reader-Made", Effect::CrashAfter),
    ];
    let call = |operation, target: &str, fault| Point::Call {
        service: "reader".to_owned(),
        operation,
        target: target.to_owned(),
        fault,
    };
    let expected = [
        call(Operation::Open, "reader-Made", FaultKind::Crash),
        call(Operation::Write, "things", FaultKind::StoreAmbiguous),
    ];
    assert_eq!(read(&injected, HEARS, ACK_WAIT).into_iter().collect::<Vec<_>>(), expected);
}

#[test]
fn coverages_merge_and_survive_serialization() {
    let points = || Point::of_call("reader", Operation::Write, "things", FaultKind::ALL);
    let mut coverage = Coverage::of(points());
    assert_eq!((coverage.reached(), coverage.percent()), (0, 0.0));
    coverage.add(points().take(1));
    let mut other = Coverage::default();
    other.add(points().take(2).chain(Point::of_event("thing.made", "reader").take(1)));
    coverage.merge(other);
    let first = points().next().unwrap();
    assert_eq!((coverage.times(&first), coverage.reached()), (2, 2));
    assert_eq!(coverage.missing().count(), points().count() - 2);
    let written = serde_json::to_string(&coverage).unwrap();
    assert_eq!(serde_json::from_str::<Coverage>(&written).unwrap(), coverage);
}
