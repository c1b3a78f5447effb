//! How an exploration ends: what failed is shrunk and told, what was reached is counted, and
//! all is written down so that explorations can be joined.

use std::fs;
use std::path::Path;

use super::{CommandError, Verdict};
use crate::explore::{Exploration, Failure};
use crate::report::page::Page;
use crate::report::{self, Progress};
use crate::shrink::shrink;
use crate::story::{self, Told};

/// The file that holds an exploration, for `rehearse merge`.
pub(super) const FILE: &str = "exploration.json";

/// How many failures are shrunk and told; the others are counted.
const TOLD: usize = 5;

/// What was told of failures.
#[derive(Default)]
pub(super) struct Telling {
    /// Each story, and in how many schedules it was seen.
    pub(super) told: Vec<(u64, Told)>,
    /// How many failures were only counted.
    pub(super) untold: usize,
}

/// Prints and writes what an exploration came to, and says how it ended.
pub(super) fn conclude(
    title: String,
    explored: &Exploration,
    out: &Path,
    min_coverage: Option<f64>,
) -> Result<Verdict, CommandError> {
    fs::create_dir_all(out)?;
    let json = serde_json::to_vec_pretty(explored).map_err(std::io::Error::from)?;
    fs::write(out.join(FILE), json)?;
    report::explored(explored);
    let Telling { told, untold } = tell(explored.failures.values(), out)?;
    let covered = report::covered(&explored.coverage, min_coverage);
    let held = explored.failures.is_empty() && covered;
    let page = Page {
        title,
        held,
        figures: vec![
            ("Schedules".to_owned(), report::schedules(explored)),
            ("Coverage".to_owned(), report::coverage::share(&explored.coverage)),
        ],
        failures: &told,
        untold,
        coverage: Some(&explored.coverage),
        ..Page::default()
    };
    page.write(out)?;
    report::written(out);
    Ok(if held { Verdict::Held } else { Verdict::Finding })
}

/// Shrinks the first failures, tells each, and writes what repeats it.
pub(super) fn tell<'a>(
    failures: impl ExactSizeIterator<Item = &'a Failure>,
    out: &Path,
) -> Result<Telling, CommandError> {
    let untold = failures.len().saturating_sub(TOLD);
    let mut stories: Vec<(u64, Told)> = Vec::new();
    for (number, failure) in (1..).zip(failures.take(TOLD)) {
        report::failure(failure);
        let progress = Progress::begin("runs to shrink it");
        let shrunk = shrink(&failure.case, &failure.invariant, || progress.one());
        progress.end();
        let shrunk = shrunk.map_err(|why| CommandError::Harness(why.to_string()))?;
        let shrunk = shrunk.ok_or_else(|| {
            let seed = failure.case.seed;
            CommandError::Harness(format!("the run of seed {seed} fails no more when repeated"))
        })?;
        let told = story::tell(&shrunk);
        if let Some((count, _)) = stories.iter_mut().find(|(_, known)| known.steps == told.steps) {
            report::same_story();
            *count += failure.count;
            continue;
        }
        let name = format!("{number}-{}", failure.invariant);
        let files = told.write(&shrunk.run, &out.join("failures"), &name)?;
        told.print(Some(&files));
        stories.push((failure.count, told));
    }
    report::untold(untold);
    Ok(Telling { told: stories, untold })
}
