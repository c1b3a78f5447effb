//! A summary as JUnit: a suite for the scenarios, one for each workload, and one for races.

use std::io;
use std::time::Duration;

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use super::Summary;
use crate::bugs::scoreboard::Score;

/// The report.
///
/// # Errors
///
/// When it cannot be written.
pub fn report(summary: &Summary) -> io::Result<String> {
    let mut report = Report::new(summary.title.as_str());
    report.set_time(summary.took);
    if !summary.scenarios.is_empty() {
        let mut suite = TestSuite::new("scenarios");
        for finished in &summary.scenarios {
            let why = finished.failure.as_ref().map(|failure| failure.why.as_str());
            let name = format!("{} › {}", finished.feature, finished.scenario);
            suite.add_test_case(case(&name, finished.took, why));
        }
        report.add_test_suite(suite);
    }
    for (name, found) in &summary.workloads {
        let mut suite = TestSuite::new(name.as_str());
        if found.failures.is_empty() {
            let name = format!("{} schedules", found.schedules);
            suite.add_test_case(case(&name, found.took, None));
        }
        for failure in found.failures.values() {
            let text = format!(
                "{}\nin {} of {} schedules, first in that of seed {}",
                failure.how, failure.count, found.schedules, failure.case.seed
            );
            suite.add_test_case(case(&failure.invariant, found.took, Some(&text)));
        }
        report.add_test_suite(suite);
    }
    if !summary.findings.is_empty() {
        let mut suite = TestSuite::new("findings");
        for finding in &summary.findings {
            let name = finding.story.statement.as_deref().unwrap_or_default();
            let text = format!("{}\nagain: {}", finding.story.steps.join("\n"), finding.again);
            suite.add_test_case(case(name, Duration::ZERO, Some(&text)));
        }
        report.add_test_suite(suite);
    }
    if !summary.races.is_empty() {
        let mut suite = TestSuite::new("races");
        for race in &summary.races {
            let lines: Vec<String> = race.violations.iter().map(ToString::to_string).collect();
            let name = format!("the race of seed {}", race.seed);
            suite.add_test_case(case(&name, Duration::ZERO, Some(&lines.join("\n"))));
        }
        report.add_test_suite(suite);
    }
    report.to_string().map_err(io::Error::other)
}

/// The scores of planted bugs: a test case for each, and one for the unchanged system.
///
/// # Errors
///
/// When it cannot be written.
pub fn bugs(scores: &[Score], sound: &Score) -> io::Result<String> {
    let mut report = Report::new("planted bugs");
    let mut suite = TestSuite::new("planted bugs");
    for score in scores {
        let why = (score.found == 0).then(|| format!("not found in {} schedules", score.schedules));
        let took = Duration::from_secs_f64(score.seconds.max(0.0));
        suite.add_test_case(case(score.bug.unwrap_or_default(), took, why.as_deref()));
    }
    let why = sound.quickest.as_ref().map(|find| format!("{}: {}", find.invariant, find.how));
    let took = Duration::from_secs_f64(sound.seconds.max(0.0));
    suite.add_test_case(case("the unchanged system", took, why.as_deref()));
    report.add_test_suite(suite);
    report.to_string().map_err(io::Error::other)
}

fn case(name: &str, took: Duration, failure: Option<&str>) -> TestCase {
    let status = match failure {
        None => TestCaseStatus::success(),
        Some(why) => {
            let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
            status.set_message(why.lines().next().unwrap_or_default());
            status.set_description(why);
            status
        }
    };
    let mut case = TestCase::new(name, status);
    case.set_time(took);
    case
}
