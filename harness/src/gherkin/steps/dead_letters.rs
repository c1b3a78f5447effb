//! Dead letters, and how often a message was delivered.

use std::collections::BTreeMap;

use bytes::Bytes;
use cucumber::{then, when};
use ports::bus::Message;

use super::StepResult;
use super::faults::subject;
use crate::gherkin::{ScenarioWorld, StepError};
use crate::trace::RecordKind;

#[when(expr = "a client outside publishes a(n) {word} that reads {string}")]
async fn outside_publish(world: &mut ScenarioWorld, event: String, payload: String) -> StepResult {
    let subject = subject(world, &event)?.to_owned();
    let id = format!("outside-{event}");
    let payload = Bytes::from(payload);
    let message = Message { subject, id, headers: BTreeMap::new(), payload };
    Ok(world.world().publish(message).await?)
}

#[when("the dead letters are replayed")]
async fn replayed(world: &mut ScenarioWorld) -> StepResult {
    for letter in world.world().dead_letters().await? {
        let id = format!("replayed-{}", letter.message.id);
        world.world().publish(Message { id, ..letter.message }).await?;
    }
    Ok(())
}

#[then(regex = r"^(\w+) has given up on (\d+) (\w+)$")]
async fn has_given_up(
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
    StepError::unless(first.is_none(), || format!("{} dead letters; {first:?}", letters.len()))
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
        format!("it was delivered {delivered_times} times")
    })
}
