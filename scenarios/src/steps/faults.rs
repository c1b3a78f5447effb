//! Faults, in plain words. A scenario that plans one fails where it never strikes.

use cucumber::codegen::LocalBoxFuture;
use cucumber::step::{Collection, Context};
use cucumber::{given, when};
use harness::faults::{Effect, FaultRule, Operation, Port};

use super::Done;
use super::orders::possessor;
use crate::stage::{Stage, Wrong};
use crate::story::fault;

/// The subject of an event, by its name.
pub(super) fn subject(event: &str) -> Result<&'static str, Wrong> {
    fault::subject(event).ok_or_else(|| Wrong(format!("there is no event {event}")))
}

fn plan(
    stage: &mut Stage,
    service: Option<&str>,
    operation: Operation,
    target: Option<&str>,
    times: u32,
    effect: Effect,
) {
    let (service, target) = (service.map(str::to_owned), target.map(str::to_owned));
    stage.world().faults().add(FaultRule { service, operation, target, skip: 0, times, effect });
}

/// Adds the sentences that say a fault at a call of some number; [`fault`] has the words.
pub(super) fn said(steps: Collection<Stage>) -> Collection<Stage> {
    fault::patterns().fold(steps, |steps, pattern| steps.given(None, pattern.clone(), inject))
}

fn inject(stage: &mut Stage, context: Context) -> LocalBoxFuture<'_, ()> {
    Box::pin(async move {
        // A panic is how a step fails.
        match fault::rule(&context.step.value) {
            Ok(rule) => {
                let effect = paced(rule.effect, stage);
                stage.world().faults().add(FaultRule { effect, ..rule });
            }
            Err(why) => panic!("{why}"),
        }
    })
}

/// With durations as they are in this world.
fn paced(effect: Effect, stage: &Stage) -> Effect {
    let pace = stage.pace();
    match effect {
        Effect::Delay(by) => Effect::Delay(pace.of(by)),
        Effect::Partition(lasts) => Effect::Partition(pace.of(lasts)),
        Effect::Outage(lasts) => Effect::Outage(pace.of(lasts)),
        Effect::Jump(by) => Effect::Jump(pace.of(by)),
        other => other,
    }
}

#[given(expr = "the next {word} to {word} is held past the ack wait")]
async fn held(stage: &mut Stage, event: String, service: String) -> Done {
    let effect = Effect::Delay(stage.pace().past_ack_wait());
    plan(stage, Some(&service), Operation::Deliver, Some(subject(&event)?), 1, effect);
    Ok(())
}

#[given(regex = r"^payments crashes right (before|after) it asks the provider$")]
async fn crashes_at_provider(stage: &mut Stage, when: String) {
    let effect = crash(&when);
    plan(stage, Some("payments"), Operation::Send, None, 1, effect);
}

fn crash(when: &str) -> Effect {
    if when == "before" { Effect::CrashBefore } else { Effect::CrashAfter }
}

#[given(expr = "the next {int} writes of {word} to {word} fail")]
async fn writes_fail(stage: &mut Stage, times: u32, service: String, collection: String) {
    plan(stage, Some(&service), Operation::Write, Some(&collection), times, Effect::Fail);
}

#[given(regex = r"^the provider's next (?:answer is|(\d+) answers are) lost$")]
async fn answers_lost(stage: &mut Stage, count: String) {
    let times = count.parse().unwrap_or(1);
    plan(stage, Some("payments"), Operation::Send, None, times, Effect::FailAfter);
}

#[given("the provider is out of reach")]
async fn provider_cut(stage: &mut Stage) {
    stage.world().faults().cut(None, Port::Http);
}

#[given(expr = "the database of {word} is unreachable")]
#[when(expr = "the database of {word} is unreachable")]
async fn store_cut(stage: &mut Stage, service: String) {
    cut(stage, Some(&service), Port::Store);
}

#[given("the bus is unreachable")]
#[when("the bus is unreachable")]
async fn bus_cut(stage: &mut Stage) {
    cut(stage, None, Port::Bus);
}

#[given(expr = "{word} connection to the bus is cut")]
#[when(expr = "{word} connection to the bus is cut")]
async fn bus_cut_for(stage: &mut Stage, service: String) {
    let service = possessor(&service);
    cut(stage, Some(&service), Port::Bus);
}

#[when("everything is reachable again")]
async fn reachable(stage: &mut Stage) {
    stage.world().faults().heal();
    stage.set_cut(false);
}

fn cut(stage: &mut Stage, service: Option<&str>, port: Port) {
    stage.world().faults().cut(service, port);
    stage.set_cut(true);
}
