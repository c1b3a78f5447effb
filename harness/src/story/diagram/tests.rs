use bson::doc;
use bytes::Bytes;
use ports::bus::{Message, Published};

use super::*;
use crate::faults::{Effect, Operation};
use crate::trace::InstanceId;

const SHOP: InstanceId = InstanceId { service: "shop", instance: 1 };

fn record(second: i64, who: Option<InstanceId>, what: RecordKind) -> Record {
    let at = Timestamp::from_second(1_767_225_600 + second).unwrap();
    Record { at, who, origin: None, what }
}

fn write(second: i64, document: Document) -> Record {
    let what = RecordKind::Write {
        operation: "update",
        collection: "things".to_owned(),
        began: 0,
        input: doc! {},
        outcome: Ok(Some(document)),
    };
    record(second, Some(SHOP), what)
}

fn publish(correlation: &str) -> Record {
    let traceparent = format!("00-{correlation}-00f067aa0ba902b7-01");
    let message = Message {
        id: correlation.to_owned(),
        subject: "thing.made".to_owned(),
        headers: [("traceparent".to_owned(), traceparent)].into(),
        payload: Vec::new().into(),
    };
    let outcome = Ok(Published { sequence: 1, duplicate: false });
    record(0, Some(SHOP), RecordKind::Publish { stream: Stream::Events, message, outcome })
}

fn drawn(records: &[Record], from: usize, limit: usize) -> String {
    let name = |word: &str| (word == "thing.made").then(|| "ThingMade".to_owned());
    draw(records, &Diagram { from, only: None, limit, name: &name }).mermaid()
}

#[test]
fn a_request_and_its_answer_are_arrows_between_client_and_instance() {
    let line = "POST /things/0123456789abcdef0123".to_owned();
    let by = Some("Anna".to_owned());
    let request = record(
        0,
        None,
        RecordKind::Request { number: 1, line, by, to: Some(SHOP), body: Bytes::new() },
    );
    let answer =
        record(0, None, RecordKind::Answer { number: 1, status: Some(201), body: Bytes::new() });
    let text = drawn(&[request, answer], 0, 100);
    assert_eq!(
        text,
        "sequenceDiagram\n    actor p0 as Anna\n    participant p1 as shop\n    \
         p0->>p1: POST /things/…ef0123\n    p1-->>p0: 201\n"
    );
}

#[test]
fn a_write_says_what_it_changed_against_what_was_written_before() {
    let before = write(0, doc! { "_id": "a", "state": "new", "price": 5_i64, "revision": 0 });
    let after = write(0, doc! { "_id": "a", "state": "sold", "price": 5_i64, "revision": 1 });
    let text = drawn(&[before, after], 1, 100);
    assert!(text.contains("Note over p0: update things (a)<br/>state: sold\n"), "{text}");
    assert!(!text.contains("price"), "{text}");
}

#[test]
fn a_write_that_changes_only_what_the_collection_keeps_for_itself_is_left_out() {
    let before = write(0, doc! { "_id": "a", "outbox": ["x"] });
    let after = write(0, doc! { "_id": "a", "outbox": [] });
    assert_eq!(drawn(&[before, after], 1, 100), "sequenceDiagram\n");
}

#[test]
fn events_are_called_by_their_names_and_others_origins_are_left_out() {
    let (one, other) = ("1".repeat(32), "2".repeat(32));
    let records = [publish(&one), publish(&other)];
    assert_eq!(drawn(&records, 0, 100).matches("p0->>p1: ThingMade").count(), 2);
    let only = BTreeSet::from([one]);
    let name = |_: &str| None;
    let diagram = Diagram { from: 0, only: Some(&only), limit: 100, name: &name };
    let text = draw(&records, &diagram).mermaid();
    assert_eq!(text.matches("p0->>p1: thing.made").count(), 1, "{text}");
}

#[test]
fn faults_and_crashes_are_notes_and_time_is_said_where_it_passes() {
    let fault = RecordKind::Fault {
        operation: Operation::Ack,
        target: "thing.made".to_owned(),
        effect: Effect::LoseAck,
    };
    let records = [record(0, Some(SHOP), fault), record(900, Some(SHOP), RecordKind::Crash)];
    let text = drawn(&records, 0, 100);
    assert!(text.contains("Note over p0: ⚡ ack ThingMade: lost\n"), "{text}");
    assert!(text.contains("Note over p0: 15 min later\n"), "{text}");
    assert!(text.contains("Note over p0: ✗ crashes\n"), "{text}");
}

#[test]
fn the_middle_of_a_long_diagram_is_left_out() {
    let records: Vec<Record> = (0..50).map(|n| publish(&format!("{n:032}"))).collect();
    let text = drawn(&records, 0, 10);
    assert_eq!(text.matches("ThingMade").count(), 10);
    assert!(text.contains("… 40 lines are left out …"), "{text}");
}

#[test]
fn what_mermaid_would_take_for_its_own_is_escaped() {
    let what = RecordKind::Panic { message: "a #1; <b>".to_owned() };
    let text = drawn(&[record(0, Some(SHOP), what)], 0, 10);
    assert!(text.contains("panics: a #35;1#59; #lt;b#gt;"), "{text}");
}

#[test]
fn the_picture_has_a_line_for_each_party_and_shows_no_text_as_markup() {
    let line = "POST /things?<b>&c".to_owned();
    let by = Some("Anna".to_owned());
    let request = record(
        0,
        None,
        RecordKind::Request { number: 1, line, by, to: Some(SHOP), body: Bytes::new() },
    );
    let wrote = write(0, doc! { "_id": "one", "size": 1 });
    let lost = record(0, None, RecordKind::Answer { number: 1, status: None, body: Bytes::new() });
    let name = |_: &str| None;
    let diagram = Diagram { from: 0, only: None, limit: 100, name: &name };
    let svg = draw(&[request, wrote, lost], &diagram).svg();
    assert_eq!(svg.matches("stroke-opacity").count(), 2, "a line each: {svg}");
    assert!(svg.contains("&lt;b&gt;&amp;c") && !svg.contains("<b>"), "{svg}");
    assert!(svg.contains("size: 1") && svg.contains("no answer"), "{svg}");
    assert_eq!(svg.matches("stroke-dasharray").count(), 1, "only the answer is dashed: {svg}");
}
