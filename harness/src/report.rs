//! Reports: what a command returned, as data ([`Summary`]), and its renderings for the
//! terminal, as HTML, JUnit, JSON and Markdown. Nothing here decides anything.

pub mod coverage;
pub mod flow;
pub mod html;
pub mod junit;
pub mod markdown;
pub mod plot;
pub mod progress;
pub mod rules;
pub mod story;
pub mod terminal;
pub mod trace;

use std::path::Path;
use std::time::Duration;
use std::{fs, io};

use serde::Serialize;

use crate::case::Token;
use crate::coverage::Coverage;
use crate::gherkin::Finished;
use crate::search::explore::Exploration;
use crate::search::races;
use crate::story::Story;
use crate::story::because::Because;

/// The outcome of a command.
#[derive(Debug, Default)]
pub struct Summary {
    /// The command and its subject, as a title.
    pub title: String,
    /// Whether everything held.
    pub held: bool,
    /// Figures: label and value.
    pub figures: Vec<(String, String)>,
    /// Plots of the figures.
    pub plots: Vec<plot::Plot>,
    /// The scenarios.
    pub scenarios: Vec<Finished>,
    /// The number of scenarios that were left out because they need the other world.
    pub left_out: usize,
    /// Feature files that cannot be read, and why.
    pub unreadable: Vec<String>,
    /// The workloads: name and outcome.
    pub workloads: Vec<(String, Exploration)>,
    /// The races on real servers that violated an invariant.
    pub races: Vec<races::Finding>,
    /// The findings of workloads, one for each cause.
    pub findings: Vec<Finding>,
    /// The number of further failures, of unknown causes, which were counted and not shrunk.
    pub more: usize,
    /// The fault points that were reached; `None` where none are possible.
    pub coverage: Option<Coverage>,
    /// The time that it took.
    pub took: Duration,
}

/// A finding: the story of one cause, and how many schedules failed by it.
#[derive(Debug, Clone)]
pub struct Finding {
    /// The number of schedules.
    pub schedules: u64,
    /// The story.
    pub story: Story,
    /// Where its files are.
    pub files: story::Files,
    /// The command that replays it.
    pub again: String,
    /// The command that searches its neighborhood after a fix.
    pub confirm: String,
}

impl Summary {
    /// The number of findings: failed scenarios, unreadable features, stories and races.
    pub fn count(&self) -> usize {
        let failed = self.scenarios.iter().filter(|finished| finished.failure.is_some()).count();
        failed + self.unreadable.len() + self.findings.len() + self.more + self.races.len()
    }

    /// Writes `index.html`, `summary.json`, `summary.md` and `rehearsal.junit.xml` into a
    /// folder, which is made where it is missing.
    ///
    /// # Errors
    ///
    /// When a file cannot be written.
    pub fn write(&self, folder: &Path) -> io::Result<()> {
        fs::create_dir_all(folder)?;
        fs::write(folder.join(html::FILE), html::page(self))?;
        fs::write(folder.join("summary.json"), self.json())?;
        fs::write(folder.join("summary.md"), markdown::summary(self))?;
        fs::write(folder.join("rehearsal.junit.xml"), junit::report(self)?)
    }

    /// The summary for machines.
    pub fn json(&self) -> String {
        let json = Json::of(self);
        serde_json::to_string_pretty(&json).expect("a summary is plain data") + "\n"
    }
}

/// A summary as it is written for machines.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Json<'a> {
    title: &'a str,
    held: bool,
    seconds: f64,
    scenarios: Vec<JsonScenario<'a>>,
    left_out: usize,
    unreadable: &'a [String],
    workloads: Vec<JsonWorkload<'a>>,
    races: Vec<JsonRace>,
    findings: Vec<JsonFinding<'a>>,
    more_failures: usize,
    coverage_percent: Option<f64>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct JsonScenario<'a> {
    feature: &'a str,
    name: &'a str,
    place: &'a str,
    held: bool,
    failed_step: Option<&'a str>,
    why: Option<&'a str>,
    seconds: f64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct JsonWorkload<'a> {
    name: &'a str,
    schedules: u64,
    failed: u64,
    decisions: u64,
    seconds: f64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct JsonRace {
    seed: u64,
    violations: Vec<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct JsonFinding<'a> {
    invariant: Option<&'a str>,
    statement: Option<&'a str>,
    schedules: u64,
    steps: &'a [String],
    because: Option<JsonBecause<'a>>,
    also: Vec<&'static str>,
    unneeded_faults: &'a [String],
    token: &'a Token,
    again: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct JsonBecause<'a> {
    parting: &'a str,
    chain: Vec<&'a str>,
}

impl<'a> JsonBecause<'a> {
    fn of(because: &'a Because) -> Self {
        let chain = because.links.iter().map(|link| link.sentence.as_str()).collect();
        Self { parting: &because.parting, chain }
    }
}

impl<'a> Json<'a> {
    fn of(summary: &'a Summary) -> Self {
        let scenario = |finished: &'a Finished| JsonScenario {
            feature: &finished.feature,
            name: &finished.scenario,
            place: &finished.place,
            held: finished.failure.is_none(),
            failed_step: finished.failure.as_ref().and_then(|failure| failure.step.as_deref()),
            why: finished.failure.as_ref().map(|failure| failure.why.as_str()),
            seconds: finished.took.as_secs_f64(),
        };
        let workload = |(name, found): &'a (String, Exploration)| JsonWorkload {
            name,
            schedules: found.schedules,
            failed: found.failed(),
            decisions: found.decisions,
            seconds: found.took.as_secs_f64(),
        };
        let race = |race: &races::Finding| JsonRace {
            seed: race.seed,
            violations: race.violations.iter().map(ToString::to_string).collect(),
        };
        let finding = |finding: &'a Finding| JsonFinding {
            invariant: finding.story.invariant.as_deref(),
            statement: finding.story.statement.as_deref(),
            schedules: finding.schedules,
            steps: &finding.story.steps,
            because: finding.story.because.as_ref().map(JsonBecause::of),
            also: finding.story.also.iter().map(|other| other.name).collect(),
            unneeded_faults: &finding.story.unneeded,
            token: &finding.story.token,
            again: &finding.again,
        };
        Self {
            title: &summary.title,
            held: summary.held,
            seconds: summary.took.as_secs_f64(),
            scenarios: summary.scenarios.iter().map(scenario).collect(),
            left_out: summary.left_out,
            unreadable: &summary.unreadable,
            workloads: summary.workloads.iter().map(workload).collect(),
            races: summary.races.iter().map(race).collect(),
            findings: summary.findings.iter().map(finding).collect(),
            more_failures: summary.more,
            coverage_percent: summary.coverage.as_ref().map(Coverage::percent),
        }
    }
}

/// A duration as a figure: 0.42 s, 12 ms.
pub fn time(duration: Duration) -> String {
    if duration < Duration::from_millis(100) {
        format!("{:.1} ms", duration.as_secs_f64() * 1000.0)
    } else {
        format!("{:.2} s", duration.as_secs_f64())
    }
}

/// A count with its noun: 1 schedule, 2 schedules.
pub fn counted(count: u64, noun: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {noun}{plural}")
}

/// The schedules of an exploration: their number, the failed ones, and their rate.
pub fn schedules(found: &Exploration) -> String {
    let failed = found.failed();
    format!("{} held, {failed} failed, {}", found.schedules - failed, pace(found))
}

fn pace(found: &Exploration) -> String {
    let rate = found.rate();
    let decisions = found.decisions.checked_div(found.schedules).unwrap_or_default();
    format!("{} ({rate:.0}/s, {decisions} decisions each)", time(found.took))
}
