//! A summary as one HTML page: figures, each failure with its story and diagram, scenarios, and
//! coverage. It needs neither scripts nor network, so it works as a CI artifact.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::{Finding, Summary, counted, coverage, schedules, time};
use crate::gherkin::Finished;

/// The file of the page in the folder of a report.
pub const FILE: &str = "index.html";

const STYLE: &str = "\
:root{color-scheme:light dark}
body{font:16px/1.5 system-ui,sans-serif;max-width:72rem;margin:2rem auto;padding:0 1rem}
h1 small{font-size:1rem;font-weight:400;opacity:.7}
.held{color:#17803d}.failed{color:#c02626}
@media(prefers-color-scheme:dark){.held{color:#4ade80}.failed{color:#f87171}}
table{border-collapse:collapse}td,th{padding:.15rem .8rem .15rem 0;text-align:left;vertical-align:top}
section{margin:2rem 0}summary{cursor:pointer}
pre,.picture{overflow-x:auto;padding:.6rem;border:1px solid color-mix(in srgb,currentColor 20%,transparent);border-radius:4px}
pre{font-size:.85rem;line-height:1.35}code{word-break:break-all}.dim{opacity:.7}";

/// The page.
pub fn page(summary: &Summary) -> String {
    let (class, verdict) =
        if summary.held { ("held", "everything held") } else { ("failed", "findings") };
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width";
                title { (summary.title) ": " (verdict) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                h1 { (summary.title) " " small class=(class) { (verdict) } }
                (figures(summary))
                @for finding in &summary.findings { (failure(finding)) }
                @if summary.more > 0 {
                    p { "And " (counted(summary.more as u64, "more kind")) " of failures, which were not shrunk." }
                }
                @for race in &summary.races {
                    section {
                        h2 class="failed" { "The race of seed " (race.seed) }
                        ul { @for violation in &race.violations { li { (violation) } } }
                    }
                }
                (scenarios(&summary.scenarios))
                @if !summary.unreadable.is_empty() {
                    section {
                        h2 class="failed" { "Features that cannot be read" }
                        ul { @for why in &summary.unreadable { li { (why) } } }
                    }
                }
                @if let Some(reached) = &summary.coverage {
                    section {
                        h2 { "Fault points" }
                        pre { (coverage::text(reached, &coverage::Titles::default())) }
                    }
                }
            }
        }
    };
    page.into_string() + "\n"
}

fn figures(summary: &Summary) -> Markup {
    let failed = summary.scenarios.iter().filter(|finished| finished.failure.is_some()).count();
    html! {
        table {
            @if !summary.scenarios.is_empty() {
                tr { th { "Scenarios" } td { (summary.scenarios.len() - failed) " held, " (failed) " failed" } }
            }
            @for (name, found) in &summary.workloads {
                tr { th { "Workload " (name) } td { (schedules(found)) } }
            }
            @for (label, figure) in &summary.figures {
                tr { th { (label) } td { (figure) } }
            }
            @if let Some(reached) = &summary.coverage {
                tr { th { "Coverage" } td { (coverage::share(reached)) } }
            }
        }
    }
}

fn failure(finding: &Finding) -> Markup {
    let Finding { schedules, story, again, .. } = finding;
    html! {
        section {
            h2 class="failed" { (story.statement.as_deref().unwrap_or_default()) }
            p {
                code { (story.invariant.as_deref().unwrap_or_default()) } ", violated in "
                (counted(*schedules, "schedule")) "; minimal reproduction:"
            }
            ol { @for step in &story.steps { li { (step) } } }
            @if !story.also.is_empty() {
                p { "The same cause also violates:" }
                ul {
                    @for other in &story.also {
                        li { code { (other.name) } ": " (other.statement) }
                    }
                }
            }
            @if !story.unneeded.is_empty() {
                details {
                    summary { "Faults that were injected and are not needed" }
                    ul { @for fault in &story.unneeded { li { (fault) } } }
                }
            }
            div class="picture" { (PreEscaped(story.picture.svg())) }
            details { summary { "As a scenario" } pre { (story.gherkin) } }
            p { "Again: " code { (again) } }
        }
    }
}

/// A table for each feature, in the order of their names; open where a scenario failed.
fn scenarios(scenarios: &[Finished]) -> Markup {
    let mut ordered: Vec<&Finished> = scenarios.iter().collect();
    ordered.sort_by_key(|finished| (&finished.feature, &finished.place));
    html! {
        @if !ordered.is_empty() {
            section {
                h2 { "Scenarios" }
                @for feature in ordered.chunk_by(|one, other| one.feature == other.feature) {
                    @let failed = feature.iter().filter(|finished| finished.failure.is_some()).count();
                    details open[failed > 0] {
                        summary {
                            (feature[0].feature) ": "
                            @if failed == 0 {
                                span class="held" { (feature.len()) " held" }
                            } @else {
                                span class="failed" { (failed) " of " (feature.len()) " failed" }
                            }
                        }
                        table { @for finished in feature { (scenario(finished)) } }
                    }
                }
            }
        }
    }
}

fn scenario(finished: &Finished) -> Markup {
    html! {
        tr {
            td {
                @if finished.failure.is_none() { span class="held" { "held" } }
                @else { span class="failed" { "failed" } }
            }
            td {
                span title=(finished.place) { (finished.scenario) }
                @if let Some(failure) = &finished.failure {
                    pre {
                        @if let Some(step) = &failure.step { (step) "\n" }
                        (failure.why)
                    }
                }
            }
            td class="dim" { (time(finished.took)) }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::gherkin::Failure;

    fn finished(name: &str, why: Option<&str>) -> Finished {
        Finished {
            feature: "Buying".to_owned(),
            scenario: name.to_owned(),
            place: "buying.feature:1".to_owned(),
            failure: why.map(|why| Failure { step: None, why: why.to_owned() }),
            took: Duration::from_millis(1),
            trace: None,
        }
    }

    #[test]
    fn a_failed_feature_is_open_and_its_text_is_no_markup() {
        let scenarios = vec![finished("held", None), finished("<i>", Some("1 < 2 & \"so\""))];
        let summary = Summary { title: "A & B".to_owned(), scenarios, ..Summary::default() };
        let html = page(&summary);
        assert!(html.contains("<details open>") && html.contains("1 of 2 failed"), "{html}");
        assert!(html.contains("&lt;i&gt;") && !html.contains("<i>"), "{html}");
        assert!(html.contains("1 &lt; 2 &amp; &quot;so&quot;"), "{html}");
        assert!(html.contains("A &amp; B: findings"), "{html}");
    }

    #[test]
    fn nothing_is_open_where_everything_held() {
        let scenarios = vec![finished("held", None)];
        let summary = Summary { held: true, scenarios, ..Summary::default() };
        let html = page(&summary);
        assert!(html.contains("everything held") && !html.contains("<details open"), "{html}");
    }
}
