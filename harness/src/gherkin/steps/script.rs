//! Scripted runs: a seed, the clients, the order of calls, and pauses. The scenario of a story
//! consists of these steps.

use std::time::Duration;

use cucumber::gherkin::Step;
use cucumber::{given, then, when};

use super::{StepResult, table};
use crate::duration;
use crate::gherkin::{ScenarioWorld, StepError};
use crate::script::{Action, Then};
use crate::story::scenario;

#[given(expr = "the seed {int}")]
async fn has_seed(world: &mut ScenarioWorld, seed: u64) -> StepResult {
    world.set_seed(seed).await
}

#[given(regex = r"^the planted bug (\S+)$")]
async fn planted(world: &mut ScenarioWorld, bug: String) -> StepResult {
    world.plant(&bug).await
}

#[given(regex = r"^the setting (\S+) is (.+)$")]
async fn has_setting(world: &mut ScenarioWorld, setting: String, value: String) -> StepResult {
    world.set(&setting, &value).await
}

#[given(regex = r"^the clients (.+)$")]
async fn clients(world: &mut ScenarioWorld, names: String) -> StepResult {
    world.prepare(&scenario::read_clients(&names)).await
}

#[given(regex = r"^calls run in the order (\d+:(?:\d+|time)(?:, \d+:(?:\d+|time))*) from here on$")]
async fn reorder(world: &mut ScenarioWorld, order: String) -> StepResult {
    let deviation = |text: &str| {
        let (number, decision) = text.split_once(':')?;
        Some((number.parse().ok()?, decision.parse().ok()?))
    };
    let deviations: Option<Vec<_>> = order.split(", ").map(deviation).collect();
    world.reorder(deviations.ok_or_else(|| {
        StepError::new(format!(
            "invalid order of calls: {order}; expected pairs such as 20:1, 31:time"
        ))
    })?)
}

#[when("the system reaches quiescence")]
async fn quiesces(world: &mut ScenarioWorld) {
    world.pause(Then::Quiesce).await;
}

#[when(
    regex = r"^the clock advances by (\d+ (?:second|minute|hour|day)s?), before the timers due then fire$"
)]
async fn clock_advances(world: &mut ScenarioWorld, time: String) -> StepResult {
    world.pass_to(span(&time)?).await;
    Ok(())
}

#[when(regex = r"^at the same moment (\d+ (?:second|minute|hour|day)s?) later$")]
async fn at_once_later(world: &mut ScenarioWorld, time: String, step: &Step) -> StepResult {
    world.pass_to(span(&time)?).await;
    act(world, step).await
}

#[when("at the same moment")]
async fn at_once(world: &mut ScenarioWorld, step: &Step) -> StepResult {
    act(world, step).await
}

#[when("one after the other, without a pause")]
async fn without_pause(world: &mut ScenarioWorld, step: &Step) -> StepResult {
    for action in actions(world, step)? {
        world.act(&[action]).await?;
    }
    Ok(())
}

/// Carries out the rows of a step's table concurrently.
async fn act(world: &mut ScenarioWorld, step: &Step) -> StepResult {
    let actions = actions(world, step)?;
    world.act(&actions).await
}

/// The actions in the rows of a step's table.
fn actions(world: &ScenarioWorld, step: &Step) -> Result<Vec<Action>, StepError> {
    let action = |row: &Vec<String>| {
        let cells: Vec<&str> = row.iter().map(String::as_str).filter(|c| !c.is_empty()).collect();
        scenario::action(world.subject(), &cells).ok_or_else(|| {
            StepError::new(format!(
                "unknown operation: {}; its verbs are those of the tables in the features",
                cells.join(" | ")
            ))
        })
    };
    table(step)?.iter().map(action).collect()
}

fn span(time: &str) -> Result<Duration, StepError> {
    duration::read(time).ok_or_else(|| StepError::new(format!("{time} is too long")))
}

#[then(regex = r"^the invariant (\S+) holds$")]
async fn holds(world: &mut ScenarioWorld, invariant: String) -> StepResult {
    let violations = world.judge().await?;
    let broken = violations.iter().find(|broken| broken.invariant == invariant);
    StepError::unless(broken.is_none(), || broken.map(ToString::to_string).unwrap_or_default())
}

#[then("every invariant holds")]
async fn all_hold(world: &mut ScenarioWorld) -> StepResult {
    let violations = world.judge().await?;
    StepError::unless(violations.is_empty(), || {
        violations.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
    })
}
