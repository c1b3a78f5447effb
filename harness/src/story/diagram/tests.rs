//! The lines of a sequence diagram, record by record.

use bson::doc;
use bytes::Bytes;
use http::HeaderMap;
use ports::bus::{Message, Published};

use super::*;
use crate::faults::{Effect, Operation};
use crate::trace::InstanceId;

pub(super) const SHOP: InstanceId = InstanceId { service: "shop", instance: 1 };

pub(super) fn record(second: i64, instance: Option<InstanceId>, kind: RecordKind) -> Record {
    let at = Timestamp::from_second(1_767_225_600 + second).unwrap();
    Record { at, instance, origin: None, kind }
}

fn write(second: i64, document: Document) -> Record {
    let kind = RecordKind::Write {
        operation: "update",
        collection: "things".to_owned(),
        began: 0,
        input: doc! {},
        outcome: Ok(Some(document)),
    };
    record(second, Some(SHOP), kind)
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

fn request(line: &str) -> Record {
    let kind = RecordKind::Request {
        number: 1,
        line: line.to_owned(),
        by: Some("Anna".to_owned()),
        to: Some(SHOP),
        headers: HeaderMap::new(),
        body: Bytes::new(),
    };
    record(0, None, kind)
}

/// A diagram of all records.
pub(super) fn whole<'a>(
    from: usize,
    limit: usize,
    name: &'a dyn Fn(&str) -> Option<String>,
) -> Diagram<'a> {
    let (keep, violation, external) = (None, None, "outside");
    Diagram { from, keep, violation, faults: &[], external, limit, name, hold: &|_| None }
}

fn drawn(records: &[Record], from: usize, limit: usize) -> String {
    let name = |word: &str| (word == "thing.made").then(|| "ThingMade".to_owned());
    draw(records, &whole(from, limit, &name)).mermaid()
}

#[test]
fn a_request_and_its_answer_are_arrows_between_client_and_instance() {
    let request = request("POST /things/0123456789abcdef0123");
    let answer = record(
        0,
        None,
        RecordKind::Answer {
            number: 1,
            status: Some(201),
            headers: HeaderMap::new(),
            body: Bytes::new(),
        },
    );
    let text = drawn(&[request, answer], 0, 100);
    assert_eq!(
        text,
        "sequenceDiagram\n    actor p0 as Anna\n    participant p1 as shop\n    \
         p0->>p1: POST /things/…ef0123\n    p1-->>p0: 201\n"
    );
}

#[test]
fn a_write_shows_the_fields_that_it_changed() {
    let before = write(0, doc! { "_id": "a", "state": "new", "price": 5_i64, "revision": 0 });
    let after = write(0, doc! { "_id": "a", "state": "sold", "price": 5_i64, "revision": 1 });
    let text = drawn(&[before, after], 1, 100);
    assert!(text.contains("Note over p0: updates things (a)<br/>state: sold\n"), "{text}");
    assert!(!text.contains("price"), "{text}");
}

#[test]
fn a_write_that_changes_only_bookkeeping_is_left_out() {
    let before = write(0, doc! { "_id": "a", "outbox": ["x"] });
    let after = write(0, doc! { "_id": "a", "outbox": [] });
    assert_eq!(drawn(&[before, after], 1, 100), "sequenceDiagram\n");
}

#[test]
fn events_have_their_names_and_a_gap_stands_for_the_records_that_are_left_out() {
    let records: Vec<Record> = (0..4).map(|n| publish(&format!("{n:032}"))).collect();
    assert_eq!(drawn(&records, 0, 100).matches("p0->>p1: ThingMade").count(), 4);
    let keep = BTreeSet::from([0, 3]);
    let name = |_: &str| None;
    let violation = Some(("too many things", Some(1)));
    let diagram = Diagram { keep: Some(&keep), violation, ..whole(0, 100, &name) };
    let text = draw(&records, &diagram).mermaid();
    assert_eq!(text.matches("p0->>p1: thing.made").count(), 2, "{text}");
    assert_eq!(text.matches("… 1 line omitted …").count(), 2, "{text}");
    assert!(text.contains("Note over p0,p1: ✗ too many things\n"), "{text}");
}

#[test]
fn a_time_jump_is_seen_although_the_lines_in_it_are_left_out() {
    let records = [write(0, doc! { "_id": "a", "n": 1 }), write(60, doc! { "_id": "a", "n": 2 })];
    let last = write(900, doc! { "_id": "a", "n": 3 });
    let records: Vec<Record> = records.into_iter().chain([last]).collect();
    let keep = BTreeSet::from([0, 2]);
    let name = |_: &str| None;
    let diagram = Diagram { keep: Some(&keep), ..whole(0, 9, &name) };
    let text = draw(&records, &diagram).mermaid();
    assert!(text.contains("15 min later"), "{text}");
}

#[test]
fn faults_and_crashes_are_notes_and_pauses_are_lines() {
    let fault = RecordKind::Fault {
        operation: Operation::Ack,
        target: "thing.made".to_owned(),
        effect: Effect::LoseAck,
    };
    let failing = RecordKind::Fault {
        operation: Operation::Write,
        target: "things".to_owned(),
        effect: Effect::Fail,
    };
    let records = [
        record(0, Some(SHOP), fault),
        record(0, Some(SHOP), failing),
        record(900, Some(SHOP), RecordKind::Crash),
    ];
    let text = drawn(&records, 0, 100);
    assert!(text.contains("p0--xp1: ⚡ acknowledgement of ThingMade, lost\n"), "{text}");
    assert!(text.contains("Note over p0: ⚡ write things: fails\n"), "{text}");
    assert!(text.contains("Note over p0,p1: 15 min later\n"), "{text}");
    assert!(text.contains("Note over p0: ✗ crashes\n"), "{text}");
}

#[test]
fn a_fault_with_words_is_drawn_by_them() {
    let fault = RecordKind::Fault {
        operation: Operation::Write,
        target: "things".to_owned(),
        effect: Effect::CrashBefore,
    };
    let name = |_: &str| None;
    let faults = ["shop crashes right before its 1st write to things".to_owned()];
    let diagram = Diagram { faults: &faults, ..whole(0, 9, &name) };
    let text = draw(&[record(0, Some(SHOP), fault)], &diagram).mermaid();
    assert!(text.contains("⚡ shop crashes right before its 1st write to things"), "{text}");
}

#[test]
fn the_middle_of_a_long_diagram_is_left_out() {
    let records: Vec<Record> = (0..50).map(|n| publish(&format!("{n:032}"))).collect();
    let text = drawn(&records, 0, 10);
    assert_eq!(text.matches("ThingMade").count(), 10);
    assert!(text.contains("… 40 lines omitted …"), "{text}");
}

#[test]
fn mermaid_special_characters_are_escaped() {
    let kind = RecordKind::Panic { message: "a #1; <b>".to_owned() };
    let text = drawn(&[record(0, Some(SHOP), kind)], 0, 10);
    assert!(text.contains("panics: a #35;1#59; #lt;b#gt;"), "{text}");
}

#[test]
fn the_svg_has_a_lane_for_each_participant_and_escapes_text() {
    let request = request("POST /things?<b>&c");
    let wrote = write(0, doc! { "_id": "one", "size": 1 });
    let lost = record(
        0,
        None,
        RecordKind::Answer {
            number: 1,
            status: None,
            headers: HeaderMap::new(),
            body: Bytes::new(),
        },
    );
    let name = |_: &str| None;
    let diagram = whole(0, 100, &name);
    let svg = draw(&[request, wrote, lost], &diagram).svg();
    assert_eq!(svg.matches("stroke-opacity").count(), 2, "a lane each: {svg}");
    assert!(svg.contains("&lt;b&gt;&amp;c") && !svg.contains("<b>"), "{svg}");
    assert!(svg.contains("size: 1") && svg.contains("no response"), "{svg}");
    assert_eq!(svg.matches("stroke-dasharray").count(), 1, "only the reply is dashed: {svg}");
}

#[test]
fn a_participant_whose_lines_are_all_omitted_has_no_lane() {
    let other = InstanceId { service: "bank", instance: 2 };
    let mut records: Vec<Record> = (0..50).map(|n| publish(&format!("{n:032}"))).collect();
    records[25] = record(0, Some(other), RecordKind::Start);
    let text = drawn(&records, 0, 10);
    assert!(!text.contains("bank"), "{text}");
    assert!(
        text.starts_with(
            "sequenceDiagram\n    participant p0 as shop\n    participant p1 as bus\n"
        )
    );
}

#[test]
fn values_are_plain_text() {
    let id = bson::oid::ObjectId::parse_str("0123456789abcdef01234567").unwrap();
    let document = doc! {
        "_id": "a",
        "seats": [1, 2],
        "none": [],
        "of": id,
        "at": bson::DateTime::from_millis(0),
        "card": { "last": "42", "ok": true },
    };
    let text = drawn(&[write(0, doc! { "_id": "a" }), write(0, document)], 1, 10);
    let fields = "seats: 1, 2<br/>none: empty<br/>of: …234567<br/>at: 1970-01-01T00:00:00Z<br/>\
                  card: last 42, ok true\n";
    assert!(text.contains(fields), "{text}");
}
