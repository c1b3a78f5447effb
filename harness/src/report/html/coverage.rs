//! Fault-point coverage as tables: events at their consumers, operations, and what is missing.

use std::collections::BTreeMap;

use maud::{Markup, html};

use super::super::coverage::{COLUMNS, name, share};
use crate::coverage::{Coverage, Mark, Point};
use crate::faults::Operation;

/// The section of the coverage.
pub(super) fn section(coverage: &Coverage) -> Markup {
    let missing: Vec<String> = coverage.missing().map(name).collect();
    html! {
        section #coverage {
            h2 { "Fault points" }
            p { (share(coverage)) }
            (events(coverage))
            (operations(coverage))
            @if !missing.is_empty() {
                details class="more" {
                    summary { (missing.len()) " points that were not reached" }
                    ul { @for point in &missing { li { (point) } } }
                }
            }
        }
    }
}

/// A row for each event at each service that receives it.
fn events(coverage: &Coverage) -> Markup {
    let mut events: BTreeMap<(&str, &str), BTreeMap<Mark, u64>> = BTreeMap::new();
    for (point, times) in coverage.points() {
        if let Point::Event { event, consumer, mark } = point {
            events.entry((event, consumer)).or_default().insert(*mark, times);
        }
    }
    html! {
        @if !events.is_empty() {
            details class="more" {
                summary { "Events at their consumers" }
                div class="wide" {
                    table class="grid" {
                        tr { th { "Event" } @for (_, column) in COLUMNS { th { (column) } } }
                        @for ((event, consumer), marks) in &events {
                            tr {
                                td { (event) " at " (consumer) }
                                @for (mark, _) in COLUMNS {
                                    @match marks.get(&mark) {
                                        None => td {},
                                        Some(0) => td class="off" { "0" },
                                        Some(times) => td class="on" { (times) },
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// A row for each operation on a port.
fn operations(coverage: &Coverage) -> Markup {
    let mut operations: BTreeMap<Operation, (usize, usize, u64)> = BTreeMap::new();
    for (point, times) in coverage.points() {
        if let Point::Call { operation, .. } = point {
            let (reached, possible, injected) = operations.entry(*operation).or_default();
            *reached += usize::from(times > 0);
            *possible += 1;
            *injected += times;
        }
    }
    html! {
        @if !operations.is_empty() {
            div class="wide" {
                table {
                    tr {
                        th { "Faults at" } th { "Points" } th class="number" { "Reached" }
                        th class="number" { "Injected" }
                    }
                    @for (operation, (reached, possible, injected)) in &operations {
                        tr {
                            td { (operation) }
                            td { meter min="0" max=(possible) value=(reached) {} }
                            td class="number" { (reached) " of " (possible) }
                            td class="number" { (injected) }
                        }
                    }
                }
            }
        }
    }
}
