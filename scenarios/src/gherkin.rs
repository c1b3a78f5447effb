//! Runs features: the one function behind the tests and the program.
//!
//! It chooses scenarios, opens a stage for each, and says what came of them. It renders
//! nothing but the two report files; progress and summary are for its caller.
//!
//! Next: [`features`] (which scenarios), `hooks` (what surrounds each), `teller` (what is
//! told of each).

pub mod features;
mod hooks;
mod teller;

use std::cell::RefCell;
use std::fs::{self, File};
use std::io::{self, BufWriter};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::{Duration, Instant};

use cucumber::writer::{JUnit, Json, Verbosity};
use cucumber::{Cucumber, WriterExt, gherkin, parser, runner};
use futures::stream;

use crate::stage::{Stage, WorldKind};
use crate::steps;

pub use features::Choice;
use teller::Teller;

/// What to run, and how.
#[derive(Debug, Clone)]
pub struct Run {
    /// In which world.
    pub kind: WorldKind,
    /// Which scenarios.
    pub choice: Choice,
    /// Where `junit.xml`, `cucumber.json` and the traces go; `None` for nowhere.
    pub output: Option<PathBuf>,
    /// How many scenarios at once at most.
    pub at_once: usize,
}

impl Run {
    /// All scenarios that this world can run, with no files written: one at a time in
    /// simulation, eight on real servers.
    pub fn all(kind: WorldKind) -> Self {
        let at_once = match kind {
            WorldKind::Simulated { .. } => 1,
            WorldKind::Real => 8,
        };
        Self { kind, choice: Choice::default(), output: None, at_once }
    }
}

/// What came of a scenario.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finished {
    /// The feature's name.
    pub feature: String,
    /// The scenario's name.
    pub scenario: String,
    /// The feature's file and the scenario's line.
    pub place: String,
    /// What went wrong; `None` where it passed.
    pub failure: Option<Failure>,
    /// How long it took, in the time of this machine.
    pub took: Duration,
    /// Its trace; `None` where none was written.
    pub trace: Option<PathBuf>,
}

/// What went wrong in a scenario.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The step that failed, as written; `None` where the opening or the closing checks did.
    pub step: Option<String>,
    /// Why, for people.
    pub why: String,
}

/// What came of a run.
#[derive(Debug, Clone, Default)]
pub struct Summary {
    /// The scenarios that ran, in the order in which they ended.
    pub scenarios: Vec<Finished>,
    /// How many scenarios were chosen and are for the other world only.
    pub left_out: usize,
    /// Features that cannot be read, and why.
    pub unreadable: Vec<String>,
    /// How long the run took.
    pub took: Duration,
}

impl Summary {
    /// How many scenarios passed.
    pub fn passed(&self) -> usize {
        self.scenarios.len() - self.failed()
    }

    /// How many scenarios failed.
    pub fn failed(&self) -> usize {
        self.scenarios.iter().filter(|finished| finished.failure.is_some()).count()
    }

    /// Whether everything that was chosen ran and passed.
    pub fn is_success(&self) -> bool {
        self.failed() == 0 && self.unreadable.is_empty()
    }
}

/// Runs the chosen scenarios, telling `audience` of each as it ends. Needs a tokio runtime.
///
/// # Errors
///
/// When the features or the output folder cannot be used. A failed scenario is no error: see
/// [`Summary::is_success`].
pub async fn run(run: &Run, audience: impl FnMut(&Finished)) -> io::Result<Summary> {
    let began = Instant::now();
    let program = features::program(&run.choice, run.kind.name())?;
    let finished = Rc::new(RefCell::new(Vec::new()));
    let output = run.output.as_deref();
    let teller = Teller::new(audience, Rc::clone(&finished), output.map(Path::to_path_buf));
    match output {
        None => play(run, program.features, teller).await,
        Some(folder) => {
            fs::create_dir_all(folder.join("traces"))?;
            let file = |name| File::create(folder.join(name)).map(BufWriter::new);
            let junit = JUnit::new(file("junit.xml")?, Verbosity::Default);
            let json = Json::new(file("cucumber.json")?);
            let writer = teller.tee::<Stage, _>(junit).tee::<Stage, _>(json);
            play(run, program.features, writer).await;
        }
    }
    Ok(Summary {
        scenarios: finished.take(),
        left_out: program.left_out,
        unreadable: program.unreadable,
        took: began.elapsed(),
    })
}

async fn play<W>(run: &Run, features: Vec<gherkin::Feature>, writer: W)
where
    W: cucumber::Writer<Stage, Cli: Default> + cucumber::writer::Normalized,
{
    let (kind, output) = (run.kind, run.output.clone());
    let runner = runner::Basic::<Stage>::default()
        .steps(steps::prompted())
        .max_concurrent_scenarios(run.at_once)
        .before(move |feature, _, scenario, stage| {
            Box::pin(hooks::open(kind, feature, scenario, stage))
        })
        .after(move |feature, _, scenario, end, stage| {
            let trace = output.as_deref().map(|output| trace_path(output, feature, scenario));
            Box::pin(hooks::close(trace, end, stage))
        });
    let cucumber: Cucumber<Stage, _, _, _, W> = Cucumber::custom(Parsed, runner, writer);
    // Of the writers, only the files remain, and they are complete.
    drop(cucumber.with_default_cli().run(features).await);
}

/// Features that were read and chosen already.
struct Parsed;

impl cucumber::Parser<Vec<gherkin::Feature>> for Parsed {
    type Cli = cucumber::cli::Empty;
    type Output = stream::Iter<std::vec::IntoIter<parser::Result<gherkin::Feature>>>;

    fn parse(self, features: Vec<gherkin::Feature>, _: Self::Cli) -> Self::Output {
        stream::iter(features.into_iter().map(Ok).collect::<Vec<_>>())
    }
}

/// Where a scenario's trace goes.
fn trace_path(output: &Path, feature: &gherkin::Feature, scenario: &gherkin::Scenario) -> PathBuf {
    let mut name = format!("{}-{}", slug(&feature.name), slug(&scenario.name));
    // The rows of an outline may share a name.
    if scenario.keyword.contains("Outline") {
        name += &format!("-{}", scenario.position.line);
    }
    name += ".trace.jsonl";
    output.join("traces").join(name)
}

/// A name that every file system takes.
fn slug(text: &str) -> String {
    let word = |c: char| if c.is_alphanumeric() { c.to_ascii_lowercase() } else { ' ' };
    let words: String = text.chars().map(word).collect();
    let mut slug = words.split_whitespace().collect::<Vec<_>>().join("-");
    // Longer names are cut: many file systems take 255 bytes.
    while slug.len() > 100 {
        slug.pop();
    }
    slug
}

#[cfg(test)]
mod tests;
