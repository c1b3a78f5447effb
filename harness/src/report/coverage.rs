//! Fault-point coverage as text: a table of events, a line for each operation, and the missing
//! points.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::coverage::{Coverage, Mark, Point};
use crate::faults::Operation;
use crate::subject::AnySubject;

/// The columns of the table.
pub(super) const COLUMNS: [(Mark, &str); 7] = [
    (Mark::Duplicate, "twice"),
    (Mark::Reorder, "overtaken"),
    (Mark::LateAck, "late ack"),
    (Mark::LostAck, "lost ack"),
    (Mark::CrashBefore, "crash before"),
    (Mark::CrashAfter, "crash after"),
    (Mark::Ambiguous, "ambiguous"),
];

/// The number of missing points that are named.
const NAMED: usize = 12;

/// The names of events, by subject. A subject without a name stands for itself.
#[derive(Debug, Clone, Default)]
pub struct Titles(BTreeMap<String, String>);

impl Titles {
    /// The names of a subject's events.
    pub fn of(subject: &AnySubject) -> Self {
        let entries = subject.events().iter();
        Self(entries.map(|entry| (entry.subject.to_owned(), entry.name.to_owned())).collect())
    }

    fn of_event<'a>(&'a self, subject: &'a str) -> &'a str {
        self.0.get(subject).map_or(subject, String::as_str)
    }
}

/// The coverage for a terminal, without colours.
pub fn text(coverage: &Coverage, titles: &Titles) -> String {
    let mut text = table(coverage, titles);
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

/// The share of the possible points that were reached.
pub fn share(coverage: &Coverage) -> String {
    let (reached, possible) = (coverage.reached(), coverage.possible());
    format!("{reached} of {possible} points, {:.1} %", coverage.percent())
}

/// A row for each event at each service that receives it.
fn table(coverage: &Coverage, titles: &Titles) -> String {
    let mut events: BTreeMap<(&str, &str), Vec<(&Mark, u64)>> = BTreeMap::new();
    for (point, times) in coverage.points() {
        if let Point::Event { event, consumer, mark } = point {
            events.entry((event, consumer)).or_default().push((mark, times));
        }
    }
    let row =
        |((event, consumer), marks)| (format!("{} at {consumer}", titles.of_event(event)), marks);
    let rows: Vec<(String, Vec<(&Mark, u64)>)> = events.into_iter().map(row).collect();
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
