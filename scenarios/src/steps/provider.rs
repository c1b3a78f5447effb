//! Faults at the payment provider.

use cucumber::given;
use harness::faults::{Effect, FaultRule, Operation, Port};
use harness::gherkin::ScenarioWorld;

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

#[given("the provider is unreachable")]
async fn provider_cut(world: &mut ScenarioWorld) {
    world.world().faults().cut(None, Port::Http);
}
