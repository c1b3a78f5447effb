//! Holds as bars on the lanes of a sequence diagram.

use bson::doc;

use super::tests::{SHOP, record, whole};
use super::*;
use crate::trace::InstanceId;

const OTHER: InstanceId = InstanceId { service: "shop", instance: 2 };

/// A write of the reservation of this number, by an instance.
fn reserves(at: InstanceId, number: &str, by: &str, seat: &str, held: bool) -> Record {
    let kind = RecordKind::Write {
        operation: "update",
        collection: "reservations".to_owned(),
        began: 0,
        input: doc! {},
        outcome: Ok(Some(doc! { "_id": number, "by": by, "seat": seat, "held": held })),
    };
    record(0, Some(at), kind)
}

fn hold(written: &Written<'_>) -> Option<Hold> {
    let text = |field: &str| written.document.get_str(field).unwrap().to_owned();
    let hold = || Hold { holder: text("by"), thing: text("seat") };
    written.document.get_bool("held").unwrap().then(hold)
}

fn drawn(records: &[Record], keep: Option<&BTreeSet<usize>>, limit: usize) -> Sequence {
    let diagram = Diagram { hold: &hold, keep, ..whole(0, limit, &|_| None) };
    draw(records, &diagram)
}

/// The numbers of the attributes of this name in the bars: the opaque half of each.
fn bars(svg: &str, name: &str) -> Vec<f64> {
    let bars = svg.split("<rect ").filter(|rect| rect.contains("width=\"8\"")).step_by(2);
    let value = |rect: &str| {
        let rest = rect.split_once(&format!("{name}=\"")).expect("it has the attribute").1;
        rest.split_once('"').expect("it ends").0.parse().expect("it is a number")
    };
    bars.map(value).collect()
}

#[test]
fn a_hold_is_a_bar_from_the_write_that_takes_it_to_the_one_that_releases_it() {
    let records = [
        reserves(SHOP, "1", "Anna", "A1", true),
        reserves(SHOP, "1", "Anna", "A1", true),
        reserves(SHOP, "1", "Anna", "A1", false),
    ];
    let picture = drawn(&records, None, 100);
    let mermaid = picture.mermaid();
    let after = mermaid.split_once("Note right of p0: Anna holds A1\n    activate p0\n").unwrap().1;
    assert_eq!(after.matches("deactivate p0").count(), 1, "{mermaid}");
    let svg = picture.svg();
    assert!(svg.contains(">Anna holds A1<"), "{svg}");
    assert_eq!(bars(&svg, "x").len(), 1, "{svg}");
}

#[test]
fn two_holds_of_one_thing_are_two_bars_side_by_side_also_of_two_instances() {
    let records = [
        reserves(SHOP, "1", "Anna", "A1", true),
        reserves(OTHER, "2", "Ben", "A1", true),
        reserves(OTHER, "3", "Cleo", "B2", true),
        reserves(SHOP, "1", "Anna", "A1", false),
    ];
    let picture = drawn(&records, None, 100);
    let svg = picture.svg();
    let (x, y, height) = (bars(&svg, "x"), bars(&svg, "y"), bars(&svg, "height"));
    // Anna's hold ends first, so it is drawn first.
    assert_eq!(x.len(), 3, "{svg}");
    assert!((x[1] - x[0] - 11.0).abs() < 0.2, "side by side: {x:?}");
    assert!(y[1] > y[0] && y[1] < y[0] + height[0], "at the same time: {y:?} {height:?}");
    assert!(x[2] - x[1] > 50.0, "another thing is on the lane of its own instance: {x:?}");
    assert_eq!(svg.matches("--bad").count(), 2, "the bar and the label of the second: {svg}");
    let mermaid = picture.mermaid();
    assert_eq!(mermaid.matches("    activate p0\n").count(), 2, "{mermaid}");
    assert_eq!(mermaid.matches("    activate p1\n").count(), 1, "{mermaid}");
    let ends = (mermaid.matches("deactivate p0").count(), mermaid.matches("deactivate p1").count());
    assert_eq!(ends, (2, 1), "what has not ended ends with the diagram: {mermaid}");
}

#[test]
fn a_lease_that_passes_to_another_holder_is_two_bars_in_a_row() {
    let records = [reserves(SHOP, "1", "Anna", "A1", true), reserves(SHOP, "1", "Ben", "A1", true)];
    let svg = drawn(&records, None, 100).svg();
    let (x, y, height) = (bars(&svg, "x"), bars(&svg, "y"), bars(&svg, "height"));
    assert!((x[1] - x[0]).abs() < 0.1, "{x:?}");
    assert!(y[1] >= y[0] + height[0], "{y:?} {height:?}");
}

#[test]
fn a_hold_outlives_the_lines_that_are_left_out() {
    let mut records = vec![reserves(SHOP, "1", "Anna", "A1", true)];
    for number in 2..40 {
        let number = number.to_string();
        for held in [true, false] {
            records.push(reserves(OTHER, &number, "Ben", &number, held));
            records.push(record(0, Some(SHOP), RecordKind::Start));
        }
    }
    records.push(reserves(SHOP, "1", "Anna", "A1", false));
    let short = drawn(&records, None, 10).svg();
    assert!(short.contains("lines omitted"), "{short}");
    // Those that begin and end where lines are left out are left out too.
    assert!(bars(&short, "x").len() < 6, "{short}");
    let keep = BTreeSet::from([0, records.len() - 1]);
    let kept = drawn(&records, Some(&keep), 10);
    assert_eq!(bars(&kept.svg(), "x").len(), 1);
    assert_eq!(kept.mermaid().matches("deactivate").count(), 1);
    let end = BTreeSet::from([records.len() - 1]);
    let mermaid = drawn(&records, Some(&end), 10).mermaid();
    assert!(mermaid.contains("Anna holds A1"), "a hold whose end alone is kept: {mermaid}");
    assert!(!mermaid.contains("Ben holds"), "those with neither end are left out: {mermaid}");
}

#[test]
fn the_hold_that_another_violates_is_drawn_with_it() {
    let records =
        [reserves(SHOP, "1", "Anna", "A1", true), reserves(OTHER, "2", "Ben", "A1", true)];
    let mermaid = drawn(&records, Some(&BTreeSet::from([1])), 10).mermaid();
    assert!(mermaid.contains("Anna holds A1") && mermaid.contains("Ben holds A1"), "{mermaid}");
}
