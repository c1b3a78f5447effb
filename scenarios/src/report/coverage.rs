//! Fault-point coverage as a person reads it: a table of events, a line for each operation,
//! and what is missing. As JSON it is the coverage itself.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use contracts::catalogue;
use harness::coverage::{Coverage, Mark, Point};
use harness::faults::Operation;

/// The columns of the table.
const COLUMNS: [(Mark, &str); 7] = [
    (Mark::Duplicate, "twice"),
    (Mark::Reorder, "overtaken"),
    (Mark::LateAck, "late ack"),
    (Mark::LostAck, "lost ack"),
    (Mark::CrashBefore, "crash before"),
    (Mark::CrashAfter, "crash after"),
    (Mark::Ambiguous, "ambiguous"),
];

/// How many missing points are named.
const NAMED: usize = 12;

/// The coverage for a terminal, without colours.
pub fn text(coverage: &Coverage) -> String {
    let mut text = table(coverage);
    text.push('\n');
    text += &calls(coverage);
    let (reached, possible) = (coverage.reached(), coverage.possible());
    _ = writeln!(text, "{reached} of {possible} fault points reached, {:.1} %", coverage.percent());
    let missing: Vec<String> = coverage.missing().map(name).collect();
    for point in missing.iter().take(NAMED) {
        _ = writeln!(text, "  not reached: {point}");
    }
    if missing.len() > NAMED {
        _ = writeln!(text, "  and {} more", missing.len() - NAMED);
    }
    text
}

/// How many of the possible points were reached.
pub fn share(coverage: &Coverage) -> String {
    let (reached, possible) = (coverage.reached(), coverage.possible());
    format!("{reached} of {possible} points, {:.1} %", coverage.percent())
}

/// The coverage as JSON: each possible point with how often it was reached.
///
/// # Panics
///
/// Never: a coverage is plain data.
pub fn json(coverage: &Coverage) -> String {
    serde_json::to_string_pretty(coverage).expect("a coverage is plain data")
}

/// A row for each event at each service that hears it.
fn table(coverage: &Coverage) -> String {
    let mut rows: Vec<(String, Vec<(&Mark, u64)>)> = Vec::new();
    for entry in catalogue::all() {
        for &service in entry.to {
            let here = coverage.points().filter_map(|(point, times)| match point {
                Point::Event { event, consumer, mark }
                    if event == entry.subject && consumer == service =>
                {
                    Some((mark, times))
                }
                _ => None,
            });
            let here: Vec<_> = here.collect();
            if !here.is_empty() {
                rows.push((format!("{} at {service}", entry.name), here));
            }
        }
    }
    let width = rows.iter().map(|(row, _)| row.len()).max().unwrap_or_default();
    let mut table = format!("{:width$}", "");
    for (_, column) in COLUMNS {
        _ = write!(table, "  {column}");
    }
    table.push('\n');
    for (row, marks) in rows {
        _ = write!(table, "{row:width$}");
        for (mark, column) in COLUMNS {
            let times = marks.iter().find(|(here, _)| **here == mark).map(|(_, times)| *times);
            let cell = match times {
                None => String::new(),
                Some(0) => "·".to_owned(),
                Some(times) => times.to_string(),
            };
            _ = write!(table, "  {cell:>width$}", width = column.len());
        }
        table.push('\n');
    }
    table
}

/// A line for each operation on a port.
fn calls(coverage: &Coverage) -> String {
    let mut operations: BTreeMap<Operation, (usize, usize)> = BTreeMap::new();
    for (point, times) in coverage.points() {
        if let Point::Call { operation, .. } = point {
            let (reached, possible) = operations.entry(*operation).or_default();
            *reached += usize::from(times > 0);
            *possible += 1;
        }
    }
    let mut lines = String::new();
    for (operation, (reached, possible)) in operations {
        _ = writeln!(lines, "faults at {operation:8} {reached:4} of {possible}");
    }
    lines
}

/// A point in words.
pub fn name(point: &Point) -> String {
    match point {
        Point::Event { event, consumer, mark } => {
            let column = COLUMNS.iter().find(|(column, _)| column == mark);
            format!("{event} at {consumer}: {}", column.map_or("", |(_, name)| name))
        }
        Point::Call { service, operation, target, fault } => {
            format!("{service}, {operation} {target}: {fault}")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::coverage::possible_points;

    #[test]
    fn the_table_shows_what_was_reached_and_the_list_what_was_not() {
        let mut coverage = Coverage::of(possible_points());
        let points = Point::of_event("order.created", "tickets");
        coverage.add(points.filter(|p| matches!(p, Point::Event { mark: Mark::LostAck, .. })));
        let text = text(&coverage);
        let row = text.lines().find(|line| line.starts_with("OrderCreated at tickets"));
        let cells: Vec<&str> = row.expect("it is an event").split_whitespace().skip(3).collect();
        assert_eq!(cells, ["·", "·", "·", "1", "·", "·", "·"]);
        assert!(text.contains(&format!("1 of {} fault points", coverage.possible())), "{text}");
        assert!(text.contains("not reached: "), "{text}");
        let written: Coverage = serde_json::from_str(&json(&coverage)).unwrap();
        assert_eq!(written, coverage);
    }
}
