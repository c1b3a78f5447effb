//! The figures of a summary: a card each, and a table of the workloads.

use maud::{Markup, html};

use super::super::{Summary, counted, time};
use crate::coverage::Point;
use crate::search::explore::Exploration;

/// The cards at the top of the page.
pub(super) fn cards(summary: &Summary) -> Markup {
    let Summary { scenarios, left_out, workloads, coverage, figures, .. } = summary;
    let failed = scenarios.iter().filter(|finished| finished.failure.is_some()).count();
    let all = total(workloads);
    html! {
        dl class="cards" {
            @if !scenarios.is_empty() {
                div {
                    dt { "Scenarios" }
                    dd {
                        (scenarios.len() - failed) " held"
                        @if failed > 0 { ", " span class="failed" { (failed) " failed" } }
                        @if *left_out > 0 { small { (left_out) " need the other world" } }
                    }
                }
            }
            @if !workloads.is_empty() {
                div {
                    dt { "Schedules of " (counted(workloads.len() as u64, "workload")) }
                    dd {
                        (all.schedules - all.failed()) " held"
                        @if all.failed() > 0 { ", " span class="failed" { (all.failed()) " failed" } }
                        small { (speed(&all)) }
                    }
                }
            }
            @if let Some(coverage) = coverage {
                div {
                    dt { "Fault points reached" }
                    dd {
                        (format!("{:.1} %", coverage.percent()))
                        small { (coverage.reached()) " of " (coverage.possible()) }
                    }
                }
                div {
                    dt { "Faults injected into calls" }
                    dd { (injected(coverage)) }
                }
            }
            @for (label, figure) in figures {
                div { dt { (label) } dd { small { (figure) } } }
            }
        }
    }
}

/// The number of faults injected into a call.
fn injected(coverage: &crate::coverage::Coverage) -> u64 {
    let calls = coverage.points().filter(|(point, _)| matches!(point, Point::Call { .. }));
    calls.map(|(_, times)| times).sum()
}

fn total(workloads: &[(String, Exploration)]) -> Exploration {
    let mut all = Exploration::default();
    for (_, found) in workloads {
        all.merge(found.clone());
    }
    all
}

fn speed(found: &Exploration) -> String {
    format!("{:.0} each second, in {}", found.rate(), time(found.took))
}

/// The workloads with their schedules.
pub(super) fn workloads(workloads: &[(String, Exploration)]) -> Markup {
    html! {
        @if !workloads.is_empty() {
            section #workloads {
                h2 { "Workloads" }
                div class="wide" {
                    table {
                        tr {
                            th { "Workload" } th class="number" { "Held" } th class="number" { "Failed" }
                            th class="number" { "Decisions each" } th class="number" { "Each second" }
                            th class="number" { "Time" }
                        }
                        @for (name, found) in workloads {
                            tr {
                                td { (name) }
                                td class="number" { (found.schedules - found.failed()) }
                                td class={ "number" @if found.failed() > 0 { " failed" } } { (found.failed()) }
                                td class="number" { (found.decisions.checked_div(found.schedules).unwrap_or_default()) }
                                td class="number" { (format!("{:.0}", found.rate())) }
                                td class="number" { (time(found.took)) }
                            }
                        }
                    }
                }
            }
        }
    }
}
