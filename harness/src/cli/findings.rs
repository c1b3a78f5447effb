//! Turns failures into findings: shrinks them, groups them by story, and writes their files.

use std::collections::BTreeSet;
use std::path::Path;

use super::{CommandError, Program};
use crate::report::progress::Progress;
use crate::report::{Finding, story};
use crate::search::explore::Failure;
use crate::shrink::case::shrink;
use crate::story::Story;
use crate::subject::AnySubject;

/// The maximum number of failures that are shrunk; others are counted only.
const SHRUNK: usize = 5;

/// The failures of an exploration, as findings.
#[derive(Default)]
pub(super) struct Findings {
    pub(super) findings: Vec<Finding>,
    /// How many failures were only counted.
    pub(super) more: usize,
}

/// Shrinks the first failures, groups those with the same story, and writes the files of each
/// group. One failure of each invariant precedes further ones, and the shortest story is first.
pub(super) fn shrunk<'a>(
    subject: &AnySubject,
    failures: impl Iterator<Item = &'a Failure>,
    out: &Path,
    program: &Program,
) -> Result<Findings, CommandError> {
    let failures = one_of_each_first(failures.collect());
    let more = failures.len().saturating_sub(SHRUNK);
    let mut found: Vec<(Finding, crate::run::Run)> = Vec::new();
    for failure in failures.into_iter().take(SHRUNK) {
        let progress = Progress::begin("runs to shrink a failure", None);
        let shrunk = shrink(subject, &failure.case, &failure.invariant, || progress.one());
        progress.end();
        let shrunk = shrunk?.ok_or_else(|| {
            let seed = failure.case.seed;
            CommandError::harness(format!(
                "the run of seed {seed} passes when repeated: it is not deterministic"
            ))
        })?;
        let story = Story::of_shrunk(subject, &shrunk);
        let same = |(known, _): &&mut (Finding, _)| known.story.steps == story.steps;
        if let Some((known, _)) = found.iter_mut().find(same) {
            known.schedules += failure.count;
            continue;
        }
        let again = program.replay(&story.token);
        let none = std::path::PathBuf::new();
        let files = story::Files { story: none.clone(), feature: none.clone(), trace: none };
        let finding = Finding { schedules: failure.count, story, files, again };
        found.push((finding, shrunk.run));
    }
    let mut findings = Vec::new();
    let mut seen = BTreeSet::new();
    found.sort_by_key(|(finding, _)| finding.story.steps.len());
    let (first, second): (Vec<_>, Vec<_>) =
        found.into_iter().partition(|(finding, _)| seen.insert(finding.story.invariant.clone()));
    for (number, (finding, run)) in (1..).zip(first.into_iter().chain(second)) {
        let invariant = finding.story.invariant.as_deref().unwrap_or("finding");
        let name = format!("{number}-{invariant}");
        let folder = out.join("failures");
        let files = story::write(&finding.story, &run, &folder, &name, &finding.again)?;
        findings.push(Finding { files, ..finding });
    }
    Ok(Findings { findings, more })
}

/// The failures, ordered so that one of each invariant precedes further ones.
fn one_of_each_first(failures: Vec<&Failure>) -> Vec<&Failure> {
    let mut seen = BTreeSet::new();
    let (mut first, second): (Vec<&Failure>, Vec<&Failure>) =
        failures.into_iter().partition(|failure| seen.insert(failure.invariant.as_str()));
    first.extend(second);
    first
}
