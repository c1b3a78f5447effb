//! A summary as Markdown, as the job summary of a CI system shows it.

use std::fmt::Write as _;

use super::{Summary, counted, coverage, schedules, time};

/// The summary.
pub fn summary(summary: &Summary) -> String {
    let verdict = if summary.held { "everything held" } else { "findings" };
    let mut text = format!("## {}: {verdict}\n\n| | |\n|---|---|\n", summary.title);
    let failed = summary.scenarios.iter().filter(|finished| finished.failure.is_some());
    let failed: Vec<_> = failed.collect();
    if !summary.scenarios.is_empty() {
        let held = summary.scenarios.len() - failed.len();
        _ = writeln!(text, "| Scenarios | {held} held, {} failed |", failed.len());
    }
    for (name, found) in &summary.workloads {
        _ = writeln!(text, "| Workload {name} | {} |", schedules(found));
    }
    for (label, figure) in &summary.figures {
        _ = writeln!(text, "| {label} | {figure} |");
    }
    if let Some(reached) = &summary.coverage {
        _ = writeln!(text, "| Coverage | {} |", coverage::share(reached));
    }
    _ = writeln!(text, "| Time | {} |", time(summary.took));
    for finished in failed {
        let why = finished.failure.as_ref().map_or("", |failure| failure.why.as_str());
        _ = writeln!(text, "\n### {}\n\nat `{}`\n", finished.scenario, finished.place);
        _ = writeln!(text, "```\n{why}\n```");
    }
    for finding in &summary.findings {
        let statement = finding.story.statement.as_deref().unwrap_or_default();
        let count = counted(finding.schedules, "schedule");
        _ = writeln!(text, "\n### {statement}\n\nViolated in {count}.\n");
        for (number, step) in (1..).zip(&finding.story.steps) {
            _ = writeln!(text, "{number}. {step}");
        }
        if let Some(because) = &finding.story.because {
            _ = writeln!(text, "\n**Because:** {}.\n", because.parting);
            for (number, link) in (1..).zip(&because.links) {
                _ = writeln!(text, "{number}. {}", link.sentence);
            }
        }
        _ = writeln!(text, "\nAgain: `{}`", finding.again);
    }
    for race in &summary.races {
        _ = writeln!(text, "\n### The race of seed {}\n", race.seed);
        race.violations.iter().for_each(|violation| _ = writeln!(text, "- {violation}"));
    }
    text
}
