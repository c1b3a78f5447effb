//! The terminal: lines as they become known, and the summary at the end, on standard output,
//! with colours on a terminal only.

use std::path::Path;
use std::time::Duration;

use anstyle::{AnsiColor, Style};
use sim::scheduler::exhaustive::Counts;

use super::{Finding, Summary, counted, coverage, flow, html, pace, rules, story, time};
use crate::coverage::Coverage;
use crate::gherkin;
use crate::search::exhaust::Exhausted;
use crate::search::explore::Exploration;
use crate::subject::{Flow, Rules};

/// Success.
pub const GOOD: Style = AnsiColor::Green.on_default().bold();
/// Failure.
pub const BAD: Style = AnsiColor::Red.on_default().bold();
/// Secondary text.
pub const DIM: Style = Style::new().dimmed();

/// The most rules, and the most edges, that are named.
const RULES: usize = 12;

/// The number of failed scenarios that are printed; the report has the rest.
const SCENARIOS: usize = 10;

/// The number of races on real servers that are printed.
const RACES: usize = 3;

/// Prints lines, or nothing.
#[derive(Debug, Clone, Copy)]
pub struct Terminal {
    quiet: bool,
}

impl Terminal {
    /// A terminal. With `quiet` it prints nothing.
    pub fn new(quiet: bool) -> Self {
        Self { quiet }
    }

    /// Prints a line.
    pub fn line(&self, text: impl AsRef<str>) {
        if !self.quiet {
            anstream::println!("{}", text.as_ref());
        }
    }

    /// Prints a labelled row.
    pub fn row(&self, label: &str, text: &str) {
        self.line(format!("  {label:<10} {text}"));
    }

    /// Prints the outcome of the scenarios.
    pub fn scenarios(&self, summary: &gherkin::Summary) {
        let mut text = verdict(summary.failed(), summary.passed());
        if summary.left_out > 0 {
            text += &format!(", {} left out: they need the other world", summary.left_out);
        }
        self.row("scenarios", &format!("{text}  {DIM}{}{DIM:#}", time(summary.took)));
    }

    /// Prints the outcome of a workload.
    pub fn workload(&self, name: &str, found: &Exploration) {
        let (took, rate) = (time(found.took), found.rate());
        let took = format!("{DIM}{took} ({rate:.0} schedules/s){DIM:#}");
        self.row(name, &format!("{}  {took}", outcome(found)));
    }

    /// Prints the outcome of the races on real servers.
    pub fn races(&self, races: u64, failed: usize, took: Duration) {
        let passed = usize::try_from(races).unwrap_or(usize::MAX).saturating_sub(failed);
        self.row("races", &format!("{}  {DIM}{}{DIM:#}", verdict(failed, passed), time(took)));
    }

    /// Prints the outcome of an exploration.
    pub fn explored(&self, found: &Exploration) {
        self.row("schedules", &format!("{}  {DIM}{}{DIM:#}", outcome(found), pace(found)));
    }

    /// Prints the outcome of a scope.
    pub fn exhausted(&self, found: &Exhausted) {
        let Counts { visited, given_up, states, raceless, asleep, longest, .. } = found.counts;
        let failed: u64 = found.failures.values().map(|failure| failure.count).sum();
        let took = format!(
            "{DIM}{} ({states} states, at most {longest} decisions){DIM:#}",
            time(found.took)
        );
        let held = verdict(size(failed), size(visited - failed));
        self.row("schedules", &format!("{held}  {took}"));
        let pruned = raceless + asleep;
        self.row(
            "pruned",
            &format!(
                "{pruned} choices that only swap independent calls, {given_up} runs cut short"
            ),
        );
        let scope = if found.complete {
            format!("{GOOD}complete{GOOD:#}: every distinguishable schedule has run")
        } else {
            format!("{BAD}not complete{BAD:#}: the limit was reached first")
        };
        self.row("scope", &scope);
    }

    /// Prints the coverage; where it is below `least`, all of it.
    pub fn coverage(&self, coverage: &Coverage, titles: &coverage::Titles, least: Option<f64>) {
        let text = coverage::share(coverage);
        match least.filter(|least| coverage.percent() < *least) {
            Some(least) => {
                self.row("coverage", &format!("{BAD}{text}{BAD:#}, and {least} % are required"));
                self.line(format!("\n{}", coverage::text(coverage, titles)));
            }
            None => self.row("coverage", &format!("{text} {DIM}of the fault points{DIM:#}")),
        }
    }

    /// Prints how many rules of the subject's model were reached, and those that were not.
    pub fn rules(&self, rules: &Rules) {
        if rules.possible() == 0 {
            return;
        }
        self.row("rules", &rules::share(rules));
        for rule in rules.missing().take(RULES) {
            self.line(format!("              {DIM}not reached: {rule}{DIM:#}"));
        }
    }

    /// Prints how many of the declared edges were used, and where the declared flow and the seen
    /// one differ.
    pub fn flow(&self, flow: &Flow, name: impl Fn(&str) -> String) {
        self.row("flow", &flow::share(flow));
        for gap in flow::gaps(flow, name).iter().take(RULES) {
            self.line(format!("              {DIM}{gap}{DIM:#}"));
        }
    }

    /// Prints the failed scenarios, and how to run each again.
    pub fn failed_scenarios(&self, summary: &Summary) {
        for why in &summary.unreadable {
            self.line(format!("\n  {BAD}a feature cannot be read{BAD:#}\n    {why}"));
        }
        let failed = summary
            .scenarios
            .iter()
            .filter_map(|finished| finished.failure.as_ref().map(|failure| (finished, failure)));
        let mut more = 0;
        for (number, (finished, failure)) in failed.enumerate() {
            if number >= SCENARIOS {
                more += 1;
                continue;
            }
            self.line(format!("\n  {BAD}{} › {}{BAD:#}", finished.feature, finished.scenario));
            self.line(format!("    at    {}", finished.place));
            if let Some(step) = &failure.step {
                self.line(format!("    step  {step}"));
            }
            failure.why.lines().for_each(|line| self.line(format!("    {line}")));
            if let Some(trace) = &finished.trace {
                self.line(format!("    trace {}", trace.display()));
            }
            if let Some(again) = &finished.again {
                self.line(format!("    again {again}"));
            }
        }
        if more > 0 {
            self.line(format!("\n  and {}, in the report", counted(more, "more failed scenario")));
        }
    }

    /// Prints the races on real servers that violated an invariant.
    pub fn failed_races(&self, summary: &Summary, again: impl Fn(u64) -> String) {
        for finding in summary.races.iter().take(RACES) {
            self.line(format!("\n  {BAD}the race of seed {}{BAD:#}", finding.seed));
            finding.violations.iter().for_each(|violation| self.line(format!("    {violation}")));
            self.line(format!("    again {}", again(finding.seed)));
        }
        if let Some(more) = summary.races.len().checked_sub(RACES).filter(|more| *more > 0) {
            self.line(format!("\n  and {}", counted(more as u64, "more race")));
        }
    }

    /// Prints the findings with their stories.
    pub fn findings(&self, summary: &Summary) {
        for Finding { schedules, story: told, files, again, .. } in &summary.findings {
            let statement = told.statement.as_deref().unwrap_or_default();
            let invariant = told.invariant.as_deref().unwrap_or_default();
            let count = counted(*schedules, "schedule");
            self.line(format!("\n  {BAD}{statement}{BAD:#}"));
            self.line(format!(
                "  {DIM}{invariant}, violated in {count}; minimal reproduction:{DIM:#}"
            ));
            story::text(told, Some(files), again)
                .lines()
                .for_each(|line| self.line(format!("  {line}")));
        }
        if summary.more > 0 {
            let more = counted(summary.more as u64, "more kind");
            self.line(format!("\n  and {more} of failures, which were not shrunk"));
        }
    }

    /// Prints the path of the report and the verdict.
    pub fn end(&self, summary: &Summary, out: &Path) {
        self.row("report", &out.join(html::FILE).display().to_string());
        let took = time(summary.took);
        let count = summary.count();
        if summary.held {
            self.line(format!("\n{GOOD}Everything held{GOOD:#}, in {took}."));
        } else if count == 0 {
            self.line(format!("\n{BAD}Coverage is too low{BAD:#}, in {took}."));
        } else {
            let count = counted(count as u64, "finding");
            self.line(format!("\n{BAD}{count}{BAD:#}, in {took}."));
        }
    }
}

fn outcome(found: &Exploration) -> String {
    let failed = found.failed();
    verdict(size(failed), size(found.schedules - failed))
}

/// The counts of those that held and that failed.
pub fn verdict(failed: usize, passed: usize) -> String {
    if failed == 0 {
        format!("{GOOD}{passed} held{GOOD:#}")
    } else {
        format!("{passed} held, {BAD}{failed} failed{BAD:#}")
    }
}

fn size(count: u64) -> usize {
    usize::try_from(count).unwrap_or(usize::MAX)
}
