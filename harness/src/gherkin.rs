//! Gherkin: features and their steps, run in either world.
//!
//! The runner chooses scenarios, opens a world for each, and returns the outcomes. It renders
//! nothing but the two report files of cucumber; progress and summary are for its caller.
//!
//! Next: [`features`] (which scenarios), [`scenario_world`] (what steps act on), [`steps`]
//! (the steps of every subject), `hooks`, `reporter`.

pub mod features;
mod hooks;
mod parsing;
mod perform;
mod playable;
mod reporter;
pub mod scenario_world;
pub mod steps;

use std::cell::RefCell;
use std::fs::{self, File};
use std::io::{self, BufWriter};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::{Duration, Instant};

use cucumber::writer::{JUnit, Json, Verbosity};
use cucumber::{Cucumber, WriterExt, gherkin, parser, runner};
use futures::stream;

use crate::subject::AnySubject;

pub use features::{Choice, FeatureError};
pub use parsing::parse;
pub use playable::Playable;
pub use scenario_world::{Done, ScenarioWorld, StepError, WorldKind};

use reporter::Reporter;

/// A run of scenarios to come.
#[derive(Debug, Clone)]
pub struct Run {
    /// The world.
    pub kind: WorldKind,
    /// The scenarios.
    pub choice: Choice,
    /// The folder for `junit.xml`, `cucumber.json` and the traces; `None` for none.
    pub output: Option<PathBuf>,
    /// The maximum number of scenarios that run at once.
    pub at_once: usize,
}

impl Run {
    /// All scenarios of this world, without files: one at a time in simulation, eight on real
    /// servers.
    pub fn all(kind: WorldKind) -> Self {
        let at_once = match kind {
            WorldKind::Simulated { .. } => 1,
            WorldKind::Real => 8,
        };
        Self { kind, choice: Choice::default(), output: None, at_once }
    }
}

/// The outcome of a scenario.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finished {
    /// The feature's name.
    pub feature: String,
    /// The scenario's name.
    pub scenario: String,
    /// The feature's file and the scenario's line.
    pub place: String,
    /// The failure; `None` where it passed.
    pub failure: Option<Failure>,
    /// The real time that it took.
    pub took: Duration,
    /// The file of its trace; `None` where none was written.
    pub trace: Option<PathBuf>,
    /// The steps that ran.
    pub steps: Vec<PlayedStep>,
    /// The command that runs it again, where a report shows one.
    pub again: Option<String>,
}

/// A step that ran.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlayedStep {
    /// The step as written, with its keyword.
    pub text: String,
    /// The real time that it took.
    pub took: Duration,
    /// Whether it failed.
    pub failed: bool,
}

/// The failure of a scenario.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The step that failed, as written; `None` where a hook failed.
    pub step: Option<String>,
    /// Why.
    pub why: String,
}

/// The outcome of a run.
#[derive(Debug, Clone, Default)]
pub struct Summary {
    /// The scenarios that ran, in the order in which they ended.
    pub scenarios: Vec<Finished>,
    /// The number of chosen scenarios that are for the other world only.
    pub left_out: usize,
    /// Features that cannot be read, and why.
    pub unreadable: Vec<String>,
    /// The time that the run took.
    pub took: Duration,
}

impl Summary {
    /// The number of scenarios that passed.
    pub fn passed(&self) -> usize {
        self.scenarios.len() - self.failed()
    }

    /// The number of scenarios that failed.
    pub fn failed(&self) -> usize {
        self.scenarios.iter().filter(|finished| finished.failure.is_some()).count()
    }

    /// Whether everything that was chosen ran and passed.
    pub fn is_success(&self) -> bool {
        self.failed() == 0 && self.unreadable.is_empty()
    }
}

/// Why scenarios cannot run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GherkinError {
    /// The features cannot be used.
    #[error(transparent)]
    Features(#[from] FeatureError),
    /// The output folder cannot be written.
    #[error("the output folder cannot be written")]
    Output(#[from] io::Error),
}

/// Runs the chosen scenarios; `on_finished` is called after each. Needs a tokio runtime.
///
/// # Errors
///
/// When the features or the output folder cannot be used. A failed scenario is no error: see
/// [`Summary::is_success`].
pub async fn run(
    subject: &AnySubject,
    run: &Run,
    on_finished: impl FnMut(&Finished),
) -> Result<Summary, GherkinError> {
    let began = Instant::now();
    let program = features::program(subject, &run.choice, run.kind.name())?;
    let finished = Rc::new(RefCell::new(Vec::new()));
    let output = run.output.as_deref();
    let reporter = Reporter::new(on_finished, Rc::clone(&finished), output.map(Path::to_path_buf));
    match output {
        None => play(subject, run, program.features, reporter).await,
        Some(folder) => {
            fs::create_dir_all(folder.join("traces"))?;
            let file = |name| File::create(folder.join(name)).map(BufWriter::new);
            let junit = JUnit::new(file("junit.xml")?, Verbosity::Default);
            let json = Json::new(file("cucumber.json")?);
            let writer = reporter.tee::<ScenarioWorld, _>(junit).tee::<ScenarioWorld, _>(json);
            play(subject, run, program.features, writer).await;
        }
    }
    Ok(Summary {
        scenarios: finished.take(),
        left_out: program.left_out,
        unreadable: program.unreadable,
        took: began.elapsed(),
    })
}

/// Runs features that were read and chosen already, without files.
pub async fn run_features(
    subject: &AnySubject,
    run: &Run,
    features: Vec<gherkin::Feature>,
) -> Vec<Finished> {
    let finished = Rc::new(RefCell::new(Vec::new()));
    let reporter = Reporter::new(|_: &Finished| {}, Rc::clone(&finished), None);
    play(subject, run, features, reporter).await;
    finished.take()
}

async fn play<W>(subject: &AnySubject, run: &Run, features: Vec<gherkin::Feature>, writer: W)
where
    W: cucumber::Writer<ScenarioWorld, Cli: Default> + cucumber::writer::Normalized,
{
    let (kind, output, subject) = (run.kind, run.output.clone(), subject.clone());
    let runner = runner::Basic::<ScenarioWorld>::default()
        .steps(steps::recorded())
        .max_concurrent_scenarios(run.at_once)
        .before(move |feature, _, scenario, world| {
            let subject = subject.clone();
            Box::pin(async move { hooks::open(&subject, kind, feature, scenario, world).await })
        })
        .after(move |feature, _, scenario, end, world| {
            let trace = output.as_deref().map(|output| trace_path(output, feature, scenario));
            Box::pin(hooks::close(trace, end, world))
        });
    let cucumber: Cucumber<ScenarioWorld, _, _, _, W> = Cucumber::custom(Parsed, runner, writer);
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

/// The file of a scenario's trace: the path of its file, its line, which is that of the example in
/// an outline, and its own name, so that no two scenarios share one.
fn trace_path(output: &Path, feature: &gherkin::Feature, scenario: &gherkin::Scenario) -> PathBuf {
    let file = feature.path.as_deref().unwrap_or(Path::new("")).with_extension("");
    let file = slug::slugify(file.to_string_lossy());
    // Many file systems take names of 255 bytes. The end of a path tells files apart.
    let file = &file[file.len().saturating_sub(120)..];
    let line = scenario.position.line;
    let mut name = slug::slugify(&scenario.name);
    name.truncate(100);
    output.join("traces").join(format!("{file}-{line}-{name}.trace.jsonl"))
}
