//! Turns failures into findings: shrinks them, groups them by story, and writes their files.

use std::collections::BTreeSet;
use std::path::Path;

use super::{CommandError, Program};
use crate::report::progress::Progress;
use crate::report::{Finding, story};
use crate::run::Run;
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
    /// The number of failures that were only counted.
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
    let failures = one_of_each_first(failures.collect(), |failure| failure.invariant.clone());
    let more = failures.len().saturating_sub(SHRUNK);
    let mut found: Vec<(Story, Run, u64)> = Vec::new();
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
        match found.iter_mut().find(|(known, ..)| known.steps == story.steps) {
            Some((.., schedules)) => *schedules += failure.count,
            None => found.push((story, shrunk.run, failure.count)),
        }
    }
    found.sort_by_key(|(story, ..)| story.steps.len());
    let found = one_of_each_first(found, |(story, ..)| story.invariant.clone());
    let folder = out.join("failures");
    let mut findings = Vec::new();
    for (number, (story, run, schedules)) in (1..).zip(found) {
        let name = format!("{number}-{}", story.invariant.as_deref().unwrap_or("finding"));
        let again = program.replay(&story.token);
        let files = story::write(&story, &run, &folder, &name, &again)?;
        findings.push(Finding { schedules, story, files, again });
    }
    Ok(Findings { findings, more })
}

/// The items in their order, but one of each invariant precedes further ones.
fn one_of_each_first<T, I: Ord>(items: Vec<T>, invariant: impl Fn(&T) -> I) -> Vec<T> {
    let mut seen = BTreeSet::new();
    let (mut first, second): (Vec<T>, Vec<T>) =
        items.into_iter().partition(|item| seen.insert(invariant(item)));
    first.extend(second);
    first
}
