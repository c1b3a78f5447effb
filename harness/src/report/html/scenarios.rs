//! Scenarios by feature, each with its steps and their times, and the slowest ones.

use std::time::Duration;

use maud::{Markup, html};

use super::super::time;
use super::badge;
use super::failure::{command, file};
use crate::gherkin::Finished;

/// The number of slow scenarios that are listed.
const SLOWEST: usize = 10;

/// All scenarios, by feature in the order of their names; a feature is open where one failed.
pub(super) fn all(scenarios: &[Finished]) -> Markup {
    let mut ordered: Vec<&Finished> = scenarios.iter().collect();
    ordered.sort_by_key(|finished| (&finished.feature, &finished.place));
    html! {
        @if !ordered.is_empty() {
            section #scenarios {
                h2 { "Scenarios" }
                @for feature in ordered.chunk_by(|one, other| one.feature == other.feature) {
                    @let failed = feature.iter().filter(|finished| finished.failure.is_some()).count();
                    details class="feature" open[failed > 0] {
                        summary {
                            (feature[0].feature) " "
                            @if failed == 0 {
                                (badge(true, &format!("{} held", feature.len())))
                            } @else {
                                (badge(false, &format!("{failed} of {} failed", feature.len())))
                            }
                        }
                        @for finished in feature { (scenario(finished)) }
                    }
                }
            }
        }
    }
}

fn scenario(finished: &Finished) -> Markup {
    let Finished { scenario, place, failure, took, trace, steps, again, .. } = finished;
    let held = failure.is_none();
    html! {
        details class="scenario" data-held=(held) open[!held] {
            summary {
                @if held { span class="held" { "✓" } } @else { span class="failed" { "✗" } }
                span { (scenario) }
                span class="time" { (time(*took)) }
            }
            div {
                ol class="steps" {
                    @for step in steps {
                        li class={ @if step.failed { "failed" } } {
                            span { (step.text) }
                            span class="time" { (time(step.took)) }
                        }
                    }
                }
                @if let Some(failure) = failure {
                    pre class="failed" {
                        @if let Some(step) = &failure.step { (step) "\n" }
                        (failure.why)
                    }
                }
                @if let Some(again) = again { (command("Again", again)) }
                p class="dim" {
                    code { (place) }
                    @if let Some(trace) = trace { ", trace: " (file(trace)) }
                }
            }
        }
    }
}

/// The slowest scenarios, where there are several.
pub(super) fn slowest(scenarios: &[Finished]) -> Markup {
    let mut ordered: Vec<&Finished> = scenarios.iter().collect();
    ordered.sort_by_key(|finished| std::cmp::Reverse(finished.took));
    let longest = ordered.first().map_or(Duration::ZERO, |first| first.took).as_secs_f64();
    html! {
        @if ordered.len() > 1 {
            section #slowest {
                h2 { "Slowest scenarios" }
                div class="wide" {
                    table {
                        @for finished in ordered.iter().take(SLOWEST) {
                            tr {
                                td { (finished.scenario) }
                                td { meter min="0" max=(longest) value=(finished.took.as_secs_f64()) {} }
                                td class="number" { (time(finished.took)) }
                            }
                        }
                    }
                }
            }
        }
    }
}
