//! The steps: what each line of a feature does or asserts.
//!
//! One file per part of the vocabulary. A `Given` makes something so, and fails where it
//! cannot; a `When` tries something and keeps the answer; a `Then` looks and asserts. After
//! each `Given` and `When` everything that was caused plays out, so no step waits by itself;
//! but for scripts, in which the lines say what plays out (`script`).

mod accounts;
mod answers;
mod clients;
mod deadletters;
mod faults;
mod money;
mod orders;
mod races;
mod script;
mod tickets;
mod time;

use std::sync::LazyLock;

use cucumber::World as _;
use cucumber::codegen::{LocalBoxFuture, Regex};
use cucumber::gherkin::StepType;
use cucumber::step::{Collection, Context};
use harness::trace::RecordKind;

use crate::stage::{Stage, Wrong};

/// What a step comes to.
pub(crate) type Done = Result<(), Wrong>;

/// All steps.
pub fn vocabulary() -> &'static Collection<Stage> {
    static VOCABULARY: LazyLock<Collection<Stage>> =
        LazyLock::new(|| faults::said(Stage::collection()));
    &VOCABULARY
}

/// The steps as the runner takes them: each line is put into the trace, carried out by the
/// step of the vocabulary that it matches, and played out.
pub(crate) fn prompted() -> Collection<Stage> {
    let any = || Regex::new("^").expect("the pattern is valid");
    Collection::new().given(None, any(), perform).when(None, any(), perform).then(
        None,
        any(),
        perform,
    )
}

fn perform(stage: &mut Stage, context: Context) -> LocalBoxFuture<'_, ()> {
    Box::pin(async move {
        let text = format!("{} {}", context.step.keyword.trim(), context.step.value);
        let now = stage.world().now();
        stage.world().trace().add(now, None, RecordKind::Step { text });
        match vocabulary().find(&context.step) {
            Ok(Some((step, _, _, context))) => step(stage, context).await,
            Ok(None) => panic!("no step reads like this"),
            Err(ambiguous) => panic!("{ambiguous}"),
        }
        if context.step.ty != StepType::Then
            && stage.plays_out_by_itself()
            && let Err(wrong) = stage.settle().await
        {
            panic!("{wrong}");
        }
    })
}

/// The rows of a step's table.
pub(crate) fn rows(step: &cucumber::gherkin::Step) -> Result<&[Vec<String>], Wrong> {
    let table = step.table.as_ref().ok_or_else(|| Wrong("a table should follow".to_owned()))?;
    Ok(&table.rows)
}
