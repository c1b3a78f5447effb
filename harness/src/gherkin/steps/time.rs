//! Time, and services that stop and start.

use std::time::Duration;

use cucumber::{given, then, when};

use super::StepResult;
use crate::gherkin::{ScenarioWorld, StepError};

#[when(expr = "{int} second(s) pass(es)")]
async fn seconds_pass(world: &mut ScenarioWorld, seconds: u64) {
    world.pass(Duration::from_secs(seconds)).await;
}

#[when(expr = "{int} minute(s) pass(es)")]
async fn minutes_pass(world: &mut ScenarioWorld, minutes: u64) {
    world.pass(Duration::from_secs(60 * minutes)).await;
}

#[when(expr = "{int} hour(s) pass(es)")]
async fn hours_pass(world: &mut ScenarioWorld, hours: u64) {
    world.pass(Duration::from_secs(60 * 60 * hours)).await;
}

#[when(expr = "{int} day(s) pass(es)")]
async fn days_pass(world: &mut ScenarioWorld, days: u64) {
    world.pass(Duration::from_secs(24 * 60 * 60 * days)).await;
}

#[given(expr = "there are {int} instances of {word}")]
async fn instances(world: &mut ScenarioWorld, count: usize, service: String) -> StepResult {
    for _ in world.world().instances(&service)..count {
        world.world().start(&service).await?;
    }
    Ok(())
}

#[given(expr = "{word} is stopped")]
#[when(expr = "{word} is stopped")]
async fn is_stopped(world: &mut ScenarioWorld, service: String) -> StepResult {
    let stopped = world.world().crash(&service).await;
    StepError::unless(stopped > 0, || format!("{service} was not running"))
}

#[when(expr = "{word} is started again")]
async fn is_started(world: &mut ScenarioWorld, service: String) -> StepResult {
    let running = world.world().instances(&service);
    StepError::unless(running == 0, || format!("{service} never went down"))?;
    Ok(world.world().start(&service).await?)
}

#[when(expr = "{word} is stopped and started again")]
async fn is_restarted(world: &mut ScenarioWorld, service: String) -> StepResult {
    is_stopped(world, service.clone()).await?;
    is_started(world, service).await
}

#[given(expr = "{word} has lost its database and its consumers")]
#[when(expr = "{word} loses its database and its consumers")]
async fn is_forgotten(world: &mut ScenarioWorld, service: String) -> StepResult {
    let running = world.world().instances(&service);
    StepError::unless(running == 0, || format!("{service} is running"))?;
    Ok(world.world().forget(&service).await?)
}

#[then(expr = "{word} is still running")]
async fn is_running(world: &mut ScenarioWorld, service: String) -> StepResult {
    let running = world.world().instances(&service);
    StepError::unless(running > 0, || format!("{service} went down"))
}
