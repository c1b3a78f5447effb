//! Dead letters and delivery counts.

use std::collections::BTreeMap;

use bytes::Bytes;
use cucumber::{given, then, when};
use platform::deadletter::{self, Selection};
use ports::bus::Message;

use super::StepResult;
use super::faults::subject;
use crate::evidence;
use crate::gherkin::{ScenarioWorld, StepError};
use crate::trace::RecordKind;

#[given(expr = "an external client publishes a(n) {word} with the payload {string}")]
#[when(expr = "an external client publishes a(n) {word} with the payload {string}")]
async fn external_publish(world: &mut ScenarioWorld, event: String, payload: String) -> StepResult {
    let subject = subject(world, &event)?.to_owned();
    let id = format!("outside-{event}");
    let payload = Bytes::from(payload);
    let message = Message { subject, id, headers: BTreeMap::new(), payload };
    Ok(world.world().publish(message).await?)
}

#[when("the dead letters are replayed")]
async fn replayed(world: &mut ScenarioWorld) -> StepResult {
    replay(world, &Selection::default()).await
}

#[when(expr = "the dead letters of {word} are replayed")]
async fn replayed_of(world: &mut ScenarioWorld, service: String) -> StepResult {
    replay(world, &Selection { services: [service].into(), ..Selection::default() }).await
}

async fn replay(world: &mut ScenarioWorld, selection: &Selection) -> StepResult {
    let letters = world.world().dead_letters().await?;
    for letter in letters.iter().filter(|letter| selection.contains(letter)) {
        // The same letter may be replayed again at once, which must not count as a duplicate.
        let count = world.world().trace().len() as u64;
        let id = evidence::replayed(&letter.message.id, count);
        world.world().publish(deadletter::replayed(letter, id)).await?;
    }
    Ok(())
}

#[then(regex = r"^(\w+) has dead-lettered (\d+) (\w+)$")]
async fn has_dead_lettered(
    world: &mut ScenarioWorld,
    service: String,
    count: usize,
    event: String,
) -> StepResult {
    let consumer = format!("{service}-{event}");
    let letters = world.world().dead_letters().await?;
    let found = letters.iter().filter(|letter| letter.consumer == consumer).count();
    let reasoned = letters.iter().all(|letter| !letter.reason.is_empty());
    StepError::unless(found == count && reasoned, || {
        let letters: Vec<_> =
            letters.iter().map(|l| format!("{}: {}", l.consumer, l.reason)).collect();
        format!("the dead letters are [{}]", letters.join("; "))
    })
}

#[then("there are no dead letters")]
async fn no_dead_letters(world: &mut ScenarioWorld) -> StepResult {
    let letters = world.world().dead_letters().await?;
    let first = letters.first().map(|letter| format!("{}: {}", letter.consumer, letter.reason));
    StepError::unless(letters.is_empty(), || {
        format!(
            "there are {} dead letters, the first of {}",
            letters.len(),
            first.unwrap_or_default()
        )
    })
}

#[then(regex = r"^the (\w+) was delivered to (\w+) (\d+) times$")]
async fn was_delivered(
    world: &mut ScenarioWorld,
    event: String,
    service: String,
    times: usize,
) -> StepResult {
    let consumer = format!("{service}-{event}");
    let delivered = |what: &RecordKind| matches!(what, RecordKind::Deliver { consumer: c, .. } if *c == consumer);
    let records = world.world().trace().records();
    let delivered_times = records.iter().filter(|record| delivered(&record.kind)).count();
    StepError::unless(delivered_times == times, || {
        format!("{event} was delivered to {service} {delivered_times} times")
    })
}
