//! Faults at the payment provider.

use cucumber::{given, when};
use harness::faults::{Effect, FaultRule, Operation, Port};
use harness::gherkin::{ScenarioWorld, StepError};

use super::{Done, Ticketing as _};
use crate::operation;
use crate::provider::misbehavior::Misbehavior;

fn plan(world: &mut ScenarioWorld, times: u32, effect: Effect) {
    world.world().faults().add(FaultRule {
        service: Some("payments".to_owned()),
        operation: Operation::Send,
        target: None,
        skip: 0,
        times,
        effect,
    });
}

#[given(regex = r"^payments crashes right (before|after) its next request to the provider$")]
async fn crashes_at_provider(world: &mut ScenarioWorld, when: String) {
    let effect = if when == "before" { Effect::CrashBefore } else { Effect::CrashAfter };
    plan(world, 1, effect);
}

#[given(regex = r"^the provider's next (?:response is|(\d+) responses are) lost$")]
async fn responses_lost(world: &mut ScenarioWorld, count: String) {
    plan(world, count.parse().unwrap_or(1), Effect::FailAfter);
}

#[given(
    regex = r"^the provider ((?:answers|carries|takes|leaves|lets|refuses|has refunded|is down for) .+)$"
)]
async fn misbehaves(world: &mut ScenarioWorld, sentence: String) -> Done {
    let how = Misbehavior::read(&sentence).ok_or_else(|| {
        let known: Vec<_> = Misbehavior::ALL.iter().map(ToString::to_string).collect();
        StepError::new(format!("the provider does none of that; it {}", known.join(", or ")))
    })?;
    world.perform([operation::Operation::Misbehave { how }]).await
}

#[when("the provider ends what is pending")]
async fn settles(world: &mut ScenarioWorld) {
    world.provider().settle();
}

#[given("the provider is unreachable")]
async fn provider_cut(world: &mut ScenarioWorld) {
    world.world().faults().cut(None, Port::Http);
}
