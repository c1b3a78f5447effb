//! Messages that cannot be handled, and how often messages were handed over.

use std::collections::BTreeMap;

use bytes::Bytes;
use cucumber::{then, when};
use harness::trace::RecordKind;
use ports::bus::Message;

use super::Done;
use super::faults::subject;
use crate::stage::{Stage, Wrong};

#[when(expr = "an outsider publishes a(n) {word} that reads {string}")]
async fn outsider_publishes(stage: &mut Stage, event: String, payload: String) -> Done {
    let subject = subject(&event)?.to_owned();
    let id = format!("outsider-{event}");
    let payload = Bytes::from(payload);
    let message = Message { subject, id, headers: BTreeMap::new(), payload };
    Ok(stage.world().publish(message).await?)
}

#[when("the dead letters are sent again")]
async fn sent_again(stage: &mut Stage) -> Done {
    for letter in stage.world().dead_letters().await? {
        let id = format!("again-{}", letter.message.id);
        stage.world().publish(Message { id, ..letter.message }).await?;
    }
    Ok(())
}

#[then(regex = r"^(\w+) has put aside (\d+) (\w+) as a dead letter$")]
async fn has_put_aside(stage: &mut Stage, service: String, count: usize, event: String) -> Done {
    let consumer = format!("{service}-{event}");
    let letters = stage.world().dead_letters().await?;
    let found = letters.iter().filter(|letter| letter.consumer == consumer).count();
    let reasoned = letters.iter().all(|letter| !letter.reason.is_empty());
    Wrong::unless(found == count && reasoned, || {
        let letters: Vec<_> =
            letters.iter().map(|l| format!("{}: {}", l.consumer, l.reason)).collect();
        format!("the dead letters are [{}]", letters.join("; "))
    })
}

#[then("there are no dead letters")]
async fn no_dead_letters(stage: &mut Stage) -> Done {
    let letters = stage.world().dead_letters().await?;
    let first = letters.first().map(|letter| format!("{}: {}", letter.consumer, letter.reason));
    Wrong::unless(first.is_none(), || format!("{} dead letters; {first:?}", letters.len()))
}

#[then(regex = r"^(\w+) was handed the (\w+) (\d+) times$")]
async fn was_handed(stage: &mut Stage, service: String, event: String, times: usize) -> Done {
    let consumer = format!("{service}-{event}");
    let delivered = |what: &RecordKind| matches!(what, RecordKind::Deliver { consumer: c, .. } if *c == consumer);
    let records = stage.world().trace().records();
    let handed = records.iter().filter(|record| delivered(&record.kind)).count();
    Wrong::unless(handed == times, || format!("{service} was handed it {handed} times"))
}
