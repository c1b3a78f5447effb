//! Turns failures into findings: one for each cause, with its files.

use std::path::Path;

use super::{CommandError, Program};
use crate::console;
use crate::faults::FaultKind;
use crate::report::progress::Progress;
use crate::report::{Finding, story};
use crate::search::causes::{Cause, Causes, causes};
use crate::search::explore::Failure;
use crate::search::nearest::{Nearest, nearest};
use crate::story::Story;
use crate::subject::AnySubject;

/// The failures of an exploration, as findings.
#[derive(Default)]
pub(super) struct Findings {
    pub(super) findings: Vec<Finding>,
    /// The number of failures that were only counted.
    pub(super) more: usize,
}

/// Shrinks failures, and writes the files of each cause. The files of an earlier run are removed.
pub(super) fn shrunk<'a>(
    subject: &AnySubject,
    failures: impl Iterator<Item = &'a Failure>,
    faults: &[FaultKind],
    out: &Path,
    program: &Program,
) -> Result<Findings, CommandError> {
    let folder = out.join("failures");
    story::clear(&folder)?;
    let mut failures = failures.peekable();
    if failures.peek().is_none() {
        return Ok(Findings::default());
    }
    let progress = Progress::begin("runs to shrink failures", None);
    let found = causes(subject, failures, faults, || progress.one()).and_then(|found| {
        let runs = found.causes.iter().map(|cause| &cause.shrunk);
        let nearest: Result<Vec<Nearest>, _> = runs
            .map(|shrunk| nearest(subject, &shrunk.run, &shrunk.invariant, || progress.one()))
            .collect();
        Ok((found, nearest?))
    });
    progress.end();
    let (Causes { causes, more }, nearest) = found?;
    let mut findings = Vec::new();
    for (number, (cause, nearest)) in (1..).zip(causes.into_iter().zip(&nearest)) {
        let Cause { shrunk, also, schedules, .. } = cause;
        let story = Story { also, ..Story::of_shrunk(subject, &shrunk) };
        let story = story.explained(subject, &shrunk.run, nearest);
        let name = format!("{number}-{}", story.invariant.as_deref().unwrap_or("finding"));
        let again = program.replay(&story.token);
        let page = console::page(subject, &shrunk.run, &program.with(["replay"]));
        let files = story::write(&story, &shrunk.run, &folder, &name, &page, &again)?;
        let confirm = program.with(["confirm", &story.token.to_string()]);
        findings.push(Finding { schedules, story, files, again, confirm });
    }
    Ok(Findings { findings, more })
}
