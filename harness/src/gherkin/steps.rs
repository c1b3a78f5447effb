//! The steps that every subject has: time, stopping and starting services, faults, dead letters,
//! and scripted runs.
//!
//! A `Given` arranges and must succeed; a `When` acts and keeps the replies; a `Then` reads and
//! asserts. The runner brings the system to quiescence after each `Given` and `When`, so no step
//! waits. The exception is a scripted run, whose steps say when to quiesce (`script`).
//!
//! A subject adds steps of its own with cucumber's `#[given]`, `#[when]` and `#[then]` on
//! functions that take a [`ScenarioWorld`].

mod dead_letters;
mod faults;
mod readable;
mod script;
mod time;

use std::cmp::Reverse;
use std::fmt;
use std::sync::OnceLock;

use cucumber::World as _;
use cucumber::codegen::{
    LazyRegex, LocalBoxFuture, Regex, StepConstructor as _, WorldInventory, inventory,
};
use cucumber::gherkin::StepType;
use cucumber::step::{Collection, Context, Location};

use readable::readable;

use super::scenario_world::{ScenarioWorld, StepError};
use crate::subject::AnySubject;
use crate::trace::RecordKind;

/// The outcome of a step.
pub type StepResult = Result<(), StepError>;

/// All steps: those of the harness, those of the subject, and the fault sentences.
pub fn all(subject: &AnySubject) -> &'static Collection<ScenarioWorld> {
    // A process rehearses one subject.
    static ALL: OnceLock<Collection<ScenarioWorld>> = OnceLock::new();
    ALL.get_or_init(|| faults::add_sentences(subject, ScenarioWorld::collection()))
}

/// One catch-all step for each keyword. It records the line, runs the step that the line matches,
/// and brings the system to quiescence.
pub(crate) fn recorded() -> Collection<ScenarioWorld> {
    let any = || Regex::new("^").expect("the pattern is valid");
    let steps = Collection::new().given(None, any(), perform);
    steps.when(None, any(), perform).then(None, any(), perform)
}

fn perform(world: &mut ScenarioWorld, context: Context) -> LocalBoxFuture<'_, ()> {
    Box::pin(async move {
        let text = format!("{} {}", context.step.keyword.trim(), context.step.value);
        let now = world.world().now();
        world.world().trace().add(now, None, RecordKind::Step { text });
        let steps = all(world.subject());
        match steps.find(&context.step) {
            Ok(Some((step, _, _, context))) => step(world, context).await,
            Ok(None) => panic!("{}", unknown(&context.step.value)),
            Err(ambiguous) => panic!("{ambiguous}"),
        }
        if context.step.ty != StepType::Then
            && world.quiesces_by_itself()
            && let Err(why) = world.quiesce().await
        {
            panic!("{why}");
        }
    })
}

/// The number of similar steps in the message about an unknown step.
const OFFERED: usize = 3;

/// The message for a step that does not exist, with the nearest ones.
fn unknown(step: &str) -> String {
    let words = |text: &str| -> Vec<String> {
        let words = text.split(|c: char| !c.is_alphanumeric()).filter(|word| word.len() > 1);
        words.map(str::to_lowercase).collect()
    };
    let wanted = words(step);
    // `reserve` is close to `reserves` and to `reserved`.
    let close = |one: &str, other: &str| one.starts_with(other) || other.starts_with(one);
    let shared = |text: &str| {
        let words = words(text);
        words.iter().filter(|word| wanted.iter().any(|wanted| close(word, wanted))).count()
    };
    let mut texts: Vec<String> = known().into_iter().map(|known| known.text).collect();
    texts.sort();
    texts.dedup();
    texts.retain(|text| shared(text) > 0);
    texts.sort_by_key(|text| (Reverse(shared(text)), words(text).len()));
    let near: String = texts.iter().take(OFFERED).map(|text| format!("\n  {text}")).collect();
    match near.is_empty() {
        true => "no such step; `rehearse steps` lists all".to_owned(),
        false => format!("no such step; the nearest are:{near}\n`rehearse steps` lists all"),
    }
}

/// A step that is registered by attribute.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct KnownStep {
    /// Whether the harness defines it, and not the subject.
    pub generic: bool,
    /// `Given`, `When` or `Then`.
    pub keyword: Keyword,
    /// Its pattern as text, such as `{word} is stopped`.
    pub text: String,
}

/// The keyword of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Keyword {
    /// Arranges.
    Given,
    /// Acts.
    When,
    /// Asserts.
    Then,
}

impl fmt::Display for Keyword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Given => "Given",
            Self::When => "When",
            Self::Then => "Then",
        })
    }
}

/// All steps except the fault sentences: those of the subject first, by keyword and text.
pub fn known() -> Vec<KnownStep> {
    type Given = <ScenarioWorld as WorldInventory>::Given;
    type When = <ScenarioWorld as WorldInventory>::When;
    type Then = <ScenarioWorld as WorldInventory>::Then;
    let here = file!().trim_end_matches(".rs");
    let step = |keyword, at: Location, pattern: LazyRegex| KnownStep {
        generic: at.path.starts_with(here),
        keyword,
        text: readable(pattern().as_str()),
    };
    let given = inventory::iter::<Given>.into_iter().map(|given| {
        let (at, pattern, _) = given.inner();
        step(Keyword::Given, at, pattern)
    });
    let when = inventory::iter::<When>.into_iter().map(|when| {
        let (at, pattern, _) = when.inner();
        step(Keyword::When, at, pattern)
    });
    let then = inventory::iter::<Then>.into_iter().map(|then| {
        let (at, pattern, _) = then.inner();
        step(Keyword::Then, at, pattern)
    });
    let all = given.chain(when).chain(then);
    let mut all: Vec<_> = all.collect();
    all.sort();
    all
}

/// The table of a step.
///
/// # Errors
///
/// When no table follows the step.
pub fn table(step: &cucumber::gherkin::Step) -> Result<&[Vec<String>], StepError> {
    let table = step.table.as_ref();
    let table = table.ok_or_else(|| StepError::new("this step needs a table below it"))?;
    Ok(&table.rows)
}
