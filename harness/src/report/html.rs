//! A summary as one HTML page: figures, each failure with its story, explanation and diagram,
//! scenarios with their steps, and coverage. Style and script are inline and nothing comes from a
//! network, so it works as a CI artifact; the script only searches, filters and copies.

mod coverage;
mod failure;
mod figures;
mod scenarios;

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::{Summary, counted, time};

/// The file of the page in the folder of a report.
pub const FILE: &str = "index.html";

const STYLE: &str = include_str!("html/page.css");
const SCRIPT: &str = include_str!("html/page.js");

/// The page.
pub fn page(summary: &Summary) -> String {
    let verdict = if summary.held { "everything held" } else { "findings" };
    let can_search = summary.scenarios.len() + summary.findings.len() > 0;
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (summary.title) ": " (verdict) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                header {
                    h1 { (summary.title) }
                    p { (badge(summary.held, verdict)) " " span class="dim" { "in " (time(summary.took)) } }
                    (figures::cards(summary))
                }
                @if can_search { (bar(summary)) }
                main {
                    @if can_search {
                        p #none class="dim" hidden { "Nothing matches." }
                    }
                    (findings(summary))
                    @for plot in &summary.plots { (plot.draw()) }
                    (scenarios::all(&summary.scenarios))
                    (scenarios::slowest(&summary.scenarios))
                    (figures::workloads(&summary.workloads))
                    @if let Some(reached) = &summary.coverage { (coverage::section(reached)) }
                    footer { "Written by Rehearsal. The page needs no network." }
                }
                @if can_search { script { (PreEscaped(SCRIPT)) } }
            }
        }
    };
    page.into_string() + "\n"
}

/// Links to the sections, and the search, which its script makes visible.
fn bar(summary: &Summary) -> Markup {
    let states = [("all", "All"), ("failed", "Failed"), ("held", "Held")];
    html! {
        div class="bar" {
            div {
                nav {
                    @if summary.count() > 0 { a href="#findings" { "Findings" } }
                    @if !summary.scenarios.is_empty() { a href="#scenarios" { "Scenarios" } }
                    @if summary.scenarios.len() > 1 { a href="#slowest" { "Slowest" } }
                    @if !summary.workloads.is_empty() { a href="#workloads" { "Workloads" } }
                    @if summary.coverage.is_some() { a href="#coverage" { "Coverage" } }
                }
                div class="find" hidden {
                    input type="search" placeholder="Search scenarios and findings"
                        aria-label="Search scenarios and findings";
                    fieldset {
                        @for (value, label) in states {
                            label {
                                input type="radio" name="state" value=(value) checked[value == "all"];
                                span { (label) }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// Everything that failed and is no scenario of a feature.
fn findings(summary: &Summary) -> Markup {
    let Summary { findings, more, races, unreadable, .. } = summary;
    let any = !(findings.is_empty() && *more == 0 && races.is_empty() && unreadable.is_empty());
    html! {
        @if any {
            section #findings {
                h2 { "Findings" }
                @for finding in findings { (failure::card(finding)) }
                @if *more > 0 {
                    p { "And " (counted(*more as u64, "more kind")) " of failures, which were not shrunk." }
                }
                @for race in races {
                    div class="finding" data-held="false" {
                        h3 { "The race of seed " (race.seed) }
                        ul { @for violation in &race.violations { li { (violation) } } }
                    }
                }
                @if !unreadable.is_empty() {
                    div class="finding" data-held="false" {
                        h3 { "Features that cannot be read" }
                        ul { @for why in unreadable { li { (why) } } }
                    }
                }
            }
        }
    }
}

/// A word in the colour of a verdict.
fn badge(held: bool, text: &str) -> Markup {
    html! { span class={ "badge " (if held { "held" } else { "failed" }) } { (text) } }
}

#[cfg(test)]
mod tests;
