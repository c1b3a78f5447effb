//! Faults. A scenario fails if a fault that it plans is never injected.

use cucumber::codegen::LocalBoxFuture;
use cucumber::step::{Collection, Context};
use cucumber::{given, when};

use super::StepResult;
use crate::faults::{Effect, FaultRule, Operation, Port};
use crate::gherkin::{ScenarioWorld, StepError};
use crate::subject::AnySubject;

/// The subject of an event, by its name.
pub(super) fn subject(world: &ScenarioWorld, event: &str) -> Result<&'static str, StepError> {
    let subject = world.subject().sentences().subject(event);
    subject.ok_or_else(|| StepError::new(format!("the subject declares no event {event}")))
}

fn plan(
    world: &mut ScenarioWorld,
    service: Option<&str>,
    operation: Operation,
    target: Option<&str>,
    times: u32,
    effect: Effect,
) {
    let (service, target) = (service.map(str::to_owned), target.map(str::to_owned));
    world.world().faults().add(FaultRule { service, operation, target, skip: 0, times, effect });
}

/// Adds the sentences of [`crate::story::fault`], each a fault at one call.
pub(super) fn add_sentences(
    subject: &AnySubject,
    steps: Collection<ScenarioWorld>,
) -> Collection<ScenarioWorld> {
    let patterns = subject.sentences().patterns();
    patterns.fold(steps, |steps, pattern| steps.given(None, pattern.clone(), inject))
}

fn inject(world: &mut ScenarioWorld, context: Context) -> LocalBoxFuture<'_, ()> {
    Box::pin(async move {
        // A panic is how a step fails.
        match world.subject().sentences().rule(&context.step.value) {
            Ok(rule) => {
                let effect = scaled(rule.effect, world);
                world.world().faults().add(FaultRule { effect, ..rule });
            }
            Err(why) => panic!("{why}"),
        }
    })
}

/// The effect with its durations on the time scale of this world.
fn scaled(effect: Effect, world: &ScenarioWorld) -> Effect {
    let time = world.time();
    match effect {
        Effect::Delay(by) => Effect::Delay(time.of(by)),
        Effect::Partition(lasts) => Effect::Partition(time.of(lasts)),
        Effect::Outage(lasts) => Effect::Outage(time.of(lasts)),
        Effect::Jump(by) => Effect::Jump(time.of(by)),
        other => other,
    }
}

#[given(expr = "the next {word} to {word} is delayed past the ack wait")]
async fn delayed(world: &mut ScenarioWorld, event: String, service: String) -> StepResult {
    let effect = Effect::Delay(world.time().past_ack_wait());
    plan(world, Some(&service), Operation::Deliver, Some(subject(world, &event)?), 1, effect);
    Ok(())
}

#[given(expr = "the next {int} writes of {word} to {word} fail")]
async fn writes_fail(world: &mut ScenarioWorld, times: u32, service: String, collection: String) {
    plan(world, Some(&service), Operation::Write, Some(&collection), times, Effect::Fail);
}

#[given(expr = "the next {int} acknowledgements of {word} at {word} are lost")]
async fn acks_lost(
    world: &mut ScenarioWorld,
    times: u32,
    event: String,
    service: String,
) -> StepResult {
    let target = subject(world, &event)?;
    plan(world, Some(&service), Operation::Ack, Some(target), times, Effect::LoseAck);
    Ok(())
}

#[given(expr = "the database of {word} is unreachable")]
#[when(expr = "the database of {word} is unreachable")]
async fn store_cut(world: &mut ScenarioWorld, service: String) {
    cut(world, Some(&service), Port::Store);
}

#[given("the bus is unreachable")]
#[when("the bus is unreachable")]
async fn bus_cut(world: &mut ScenarioWorld) {
    cut(world, None, Port::Bus);
}

#[given(expr = "the connection of {word} to the bus is cut")]
#[when(expr = "the connection of {word} to the bus is cut")]
async fn bus_cut_for(world: &mut ScenarioWorld, service: String) {
    cut(world, Some(&service), Port::Bus);
}

#[when("everything is reachable again")]
async fn reachable(world: &mut ScenarioWorld) {
    world.world().faults().heal();
    world.set_cut(false);
}

fn cut(world: &mut ScenarioWorld, service: Option<&str>, port: Port) {
    world.world().faults().cut(service, port);
    world.set_cut(true);
}
