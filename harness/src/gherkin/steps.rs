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
mod script;
mod time;

use std::sync::OnceLock;

use cucumber::World as _;
use cucumber::codegen::{LocalBoxFuture, Regex, StepConstructor as _, WorldInventory, inventory};
use cucumber::gherkin::StepType;
use cucumber::step::{Collection, Context};

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
            Ok(None) => panic!("{}", unknown(world.subject(), &context.step.value)),
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

/// How many similar steps the message about an unknown step lists.
const OFFERED: usize = 3;

/// The message for a step that does not exist, with the nearest ones.
fn unknown(subject: &AnySubject, step: &str) -> String {
    let words = |text: &str| -> Vec<String> {
        let words = text.split(|c: char| !c.is_alphanumeric()).filter(|word| word.len() > 1);
        words.map(str::to_lowercase).collect()
    };
    let wanted = words(step);
    let mut known: Vec<(usize, String)> = patterns(subject)
        .into_iter()
        .map(|pattern| {
            let shared = words(&pattern).iter().filter(|word| wanted.contains(word)).count();
            (shared, pattern)
        })
        .collect();
    known.sort_by(|one, other| other.0.cmp(&one.0).then_with(|| one.1.cmp(&other.1)));
    let near: Vec<String> = known
        .iter()
        .filter(|(shared, _)| *shared > 0)
        .take(OFFERED)
        .map(|(_, pattern)| format!("\n  {pattern}"))
        .collect();
    match near.is_empty() {
        true => "no such step; `rehearse steps` lists all".to_owned(),
        false => {
            format!("no such step; the nearest are:{}\n`rehearse steps` lists all", near.concat())
        }
    }
}

/// The patterns of all steps except the sentences about faults, readable and sorted.
pub fn patterns(subject: &AnySubject) -> Vec<String> {
    let mut patterns: Vec<String> = Vec::new();
    let sentences: Vec<&str> = subject.sentences().patterns().map(Regex::as_str).collect();
    for pattern in registered() {
        let text = pattern.as_str().trim_start_matches('^').trim_end_matches('$').to_owned();
        if !sentences.contains(&pattern.as_str()) && !patterns.contains(&text) {
            patterns.push(text);
        }
    }
    patterns.sort();
    patterns
}

/// The patterns of the steps that are registered by attribute.
fn registered() -> Vec<Regex> {
    type Given = <ScenarioWorld as WorldInventory>::Given;
    type When = <ScenarioWorld as WorldInventory>::When;
    type Then = <ScenarioWorld as WorldInventory>::Then;
    let given = inventory::iter::<Given>.into_iter().map(|step| step.inner().1());
    let when = inventory::iter::<When>.into_iter().map(|step| step.inner().1());
    let then = inventory::iter::<Then>.into_iter().map(|step| step.inner().1());
    given.chain(when).chain(then).collect()
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
