//! Faults, in plain words. A scenario that plans one fails where it never strikes.

use std::collections::BTreeMap;
use std::sync::LazyLock;
use std::time::Duration;

use contracts::catalogue;
use cucumber::{given, when};
use harness::faults::{Effect, Operation, Reach, Rule};

use super::Done;
use super::orders::possessor;
use crate::stage::{Stage, Wrong};

/// The subject of an event, by its name.
pub(super) fn subject(event: &str) -> Result<&'static str, Wrong> {
    static SUBJECTS: LazyLock<BTreeMap<&str, &str>> = LazyLock::new(|| {
        catalogue::all().into_iter().map(|entry| (entry.name, entry.subject)).collect()
    });
    SUBJECTS.get(event).copied().ok_or_else(|| Wrong(format!("there is no event {event}")))
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
    stage.world().faults().add(Rule { service, operation, target, skip: 0, times, effect });
}

#[given(expr = "the acknowledgement of the next {word} at {word} is lost")]
async fn ack_lost(stage: &mut Stage, event: String, service: String) -> Done {
    plan(stage, Some(&service), Operation::Ack, Some(subject(&event)?), 1, Effect::LoseAck);
    Ok(())
}

#[given(expr = "the next {word} to {word} is delivered twice")]
async fn delivered_twice(stage: &mut Stage, event: String, service: String) -> Done {
    plan(stage, Some(&service), Operation::Ack, Some(subject(&event)?), 1, Effect::Redeliver);
    Ok(())
}

#[given(expr = "the next {word} to {word} is held past the ack wait")]
async fn held(stage: &mut Stage, event: String, service: String) -> Done {
    let effect = Effect::Delay(stage.pace().past_ack_wait());
    plan(stage, Some(&service), Operation::Deliver, Some(subject(&event)?), 1, effect);
    Ok(())
}

#[given(expr = "the next {word} to {word} arrives {int} seconds late")]
async fn late(stage: &mut Stage, event: String, service: String, seconds: u64) -> Done {
    let effect = Effect::Delay(stage.pace().of(Duration::from_secs(seconds)));
    plan(stage, Some(&service), Operation::Deliver, Some(subject(&event)?), 1, effect);
    Ok(())
}

#[given(expr = "the connection of {word} breaks when the next {word} arrives")]
async fn connection_breaks(stage: &mut Stage, service: String, event: String) -> Done {
    plan(stage, Some(&service), Operation::Deliver, Some(subject(&event)?), 1, Effect::Fail);
    Ok(())
}

#[given(regex = r"^(\w+) crashes right (before|after) its next write to (\w+)$")]
async fn crashes_at_write(stage: &mut Stage, service: String, when: String, collection: String) {
    let effect = crash(&when);
    plan(stage, Some(&service), Operation::Write, Some(&collection), 1, effect);
}

#[given(regex = r"^(\w+) crashes right (before|after) publishing the next (\w+)$")]
async fn crashes_at_publish(
    stage: &mut Stage,
    service: String,
    when: String,
    event: String,
) -> Done {
    let effect = crash(&when);
    plan(stage, Some(&service), Operation::Publish, Some(subject(&event)?), 1, effect);
    Ok(())
}

#[given(regex = r"^(\w+) crashes right (before|after) acknowledging the next (\w+)$")]
async fn crashes_at_ack(stage: &mut Stage, service: String, when: String, event: String) -> Done {
    let effect = crash(&when);
    plan(stage, Some(&service), Operation::Ack, Some(subject(&event)?), 1, effect);
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

#[given(regex = r"^the next publish of (\w+) (fails|succeeds but reports failure)$")]
async fn publish_fails(stage: &mut Stage, event: String, how: String) -> Done {
    plan(stage, None, Operation::Publish, Some(subject(&event)?), 1, failure(&how));
    Ok(())
}

#[given(regex = r"^the next write of (\w+) to (\w+) (fails|succeeds but reports failure)$")]
async fn write_fails(stage: &mut Stage, service: String, collection: String, how: String) {
    plan(stage, Some(&service), Operation::Write, Some(&collection), 1, failure(&how));
}

#[given(expr = "the next {int} writes of {word} to {word} fail")]
async fn writes_fail(stage: &mut Stage, times: u32, service: String, collection: String) {
    plan(stage, Some(&service), Operation::Write, Some(&collection), times, Effect::Fail);
}

fn failure(how: &str) -> Effect {
    if how == "fails" { Effect::Fail } else { Effect::FailAfter }
}

#[given(regex = r"^the provider's next (?:answer is|(\d+) answers are) lost$")]
async fn answers_lost(stage: &mut Stage, count: String) {
    let times = count.parse().unwrap_or(1);
    plan(stage, Some("payments"), Operation::Send, None, times, Effect::FailAfter);
}

#[given("the provider is out of reach")]
async fn provider_cut(stage: &mut Stage) {
    stage.world().faults().cut(None, Reach::Outside);
}

#[given(expr = "the database of {word} is unreachable")]
#[when(expr = "the database of {word} is unreachable")]
async fn store_cut(stage: &mut Stage, service: String) {
    cut(stage, Some(&service), Reach::Store);
}

#[given("the bus is unreachable")]
#[when("the bus is unreachable")]
async fn bus_cut(stage: &mut Stage) {
    cut(stage, None, Reach::Bus);
}

#[given(expr = "{word} connection to the bus is cut")]
#[when(expr = "{word} connection to the bus is cut")]
async fn bus_cut_for(stage: &mut Stage, service: String) {
    let service = possessor(&service);
    cut(stage, Some(&service), Reach::Bus);
}

#[when("everything is reachable again")]
async fn reachable(stage: &mut Stage) {
    stage.world().faults().heal();
    stage.set_cut(false);
}

fn cut(stage: &mut Stage, service: Option<&str>, reach: Reach) {
    stage.world().faults().cut(service, reach);
    stage.set_cut(true);
}
