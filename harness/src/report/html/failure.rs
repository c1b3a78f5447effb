//! One finding: the broken invariant, its story, why, the diagram, and the commands.

use std::path::Path;

use maud::{Markup, PreEscaped, html};

use super::super::{Finding, counted};
use crate::story::Story;
use crate::story::because::Because;

/// The card of a finding.
pub(super) fn card(finding: &Finding) -> Markup {
    let Finding { schedules, story, again, confirm, files } = finding;
    let statement = story.statement.as_deref().unwrap_or_default();
    html! {
        article class="finding" data-held="false" {
            h3 { (statement) }
            p class="dim" {
                code { (story.invariant.as_deref().unwrap_or_default()) }
                ", violated in " (counted(*schedules, "schedule"))
            }
            div class="pair" {
                div { h4 { "Expected" } p { (statement) } }
                div { h4 { "Seen" } p { (story.seen.as_deref().unwrap_or_default()) } }
            }
            h4 { "Minimal reproduction" }
            ol { @for step in &story.steps { li { (step) } } }
            @if let Some(because) = &story.because { (why(because)) }
            (pictures(story))
            (faults(story))
            @if !story.also.is_empty() {
                h4 { "The same cause also violates" }
                ul {
                    @for other in &story.also {
                        li { code { (other.name) } ": " (other.statement) }
                    }
                }
            }
            p { (link(&files.page, "Step through the run, record by record")) }
            h4 { "Commands" }
            (command("Replay", again))
            (command("Confirm", confirm))
            details class="more" { summary { "As a scenario" } pre { (story.gherkin) } }
            p class="dim" {
                "Files: " (file(&files.story)) ", " (file(&files.feature)) ", " (file(&files.trace))
            }
        }
    }
}

fn why(because: &Because) -> Markup {
    html! {
        div class="because" {
            h4 { "Because" }
            p { (because.parting) "." }
            ol { @for link in &because.links { li { (link.sentence) } } }
        }
    }
}

/// The diagram of what the violation depends on, and that of the whole run on request.
fn pictures(story: &Story) -> Markup {
    html! {
        h4 { "Diagram" }
        div class="picture" { (PreEscaped(story.picture.svg())) }
        @if let Some(whole) = &story.whole {
            details class="more" {
                summary { "The whole run" }
                div class="picture" { (PreEscaped(whole.svg())) }
            }
        }
    }
}

fn faults(story: &Story) -> Markup {
    html! {
        div class="pair" {
            div {
                h4 { "Faults that are needed" }
                @if story.needed.is_empty() { p { "None." } }
                ul { @for fault in &story.needed { li { (fault) } } }
            }
            @if !story.unneeded.is_empty() {
                div {
                    h4 { "Faults that are not needed" }
                    ul { @for fault in story.unneeded.iter().take(SHOWN) { li { (fault) } } }
                    @if story.unneeded.len() > SHOWN {
                        details class="more" {
                            summary { "And " (story.unneeded.len() - SHOWN) " more" }
                            ul { @for fault in story.unneeded.iter().skip(SHOWN) { li { (fault) } } }
                        }
                    }
                }
            }
        }
    }
}

/// The number of unneeded faults that are shown at once.
const SHOWN: usize = 5;

/// A command that can be copied.
pub(super) fn command(label: &str, command: &str) -> Markup {
    html! { div class="run" { span { (label) } pre { (command) } } }
}

/// A link to a file in a folder beside the page.
pub(super) fn file(path: &Path) -> Markup {
    link(path, &path.file_name().unwrap_or_default().to_string_lossy())
}

/// A link from the report to a file in a folder beside it.
fn link(path: &Path, text: &str) -> Markup {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let folder = path.parent().and_then(Path::file_name).unwrap_or_default().to_string_lossy();
    html! { a href={ (folder) "/" (name) } { (text) } }
}
