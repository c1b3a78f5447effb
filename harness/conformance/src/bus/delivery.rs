//! Delivery without failures: order, waiting, room, and the two streams.

use std::time::Duration;

use futures::future::try_join;
use ports::bus::{Consumer, Start, Stream};

use super::{Case, QUIET, Stage, broadcast, case, equal, group, message};

pub(super) const CASES: &[Case] = &[
    case!(a_subscriber_hears_what_was_there_before_and_what_comes),
    case!(a_subscriber_waits_for_what_is_not_there_yet),
    case!(messages_of_a_subject_come_in_order),
    case!(messages_of_several_subjects_come_in_order),
    case!(a_dropped_wait_loses_nothing),
    case!(a_wait_dropped_again_and_again_loses_nothing),
    case!(no_more_than_the_bound_is_in_flight),
    case!(an_acknowledgement_makes_room),
    case!(dead_letters_are_not_events),
    case!(consumers_of_one_name_on_both_streams_are_two),
];

async fn a_subscriber_hears_what_was_there_before_and_what_comes(
    stage: Stage,
) -> anyhow::Result<()> {
    stage.publish_all("a.b", &["1", "2"]).await?;
    let mut open = stage.open(group("g")).await?;
    equal(stage.take(&mut open, 2).await?.concat(), "12".to_owned())?;
    stage.publish_all("a.b", &["3", "4"]).await?;
    equal(stage.take(&mut open, 2).await?.concat(), "34".to_owned())?;
    stage.quiet(&mut open).await
}

async fn a_subscriber_waits_for_what_is_not_there_yet(stage: Stage) -> anyhow::Result<()> {
    let mut durable = stage.open(group("g")).await?;
    let mut passing = stage.open(broadcast("b")).await?;
    let later = async {
        stage.clock.sleep(Duration::from_millis(50)).await;
        Ok(stage.publish("a.b", "1").await?)
    };
    let waits = try_join(stage.take(&mut durable, 1), stage.take(&mut passing, 1));
    let (taken, _) = try_join(waits, later).await?;
    equal(taken, (vec!["1".to_owned()], vec!["1".to_owned()]))
}

async fn messages_of_a_subject_come_in_order(stage: Stage) -> anyhow::Result<()> {
    let ids: Vec<String> = (0..100).map(|n| format!("m{n}")).collect();
    let mut open = stage.open(group("g")).await?;
    let publish = async {
        for id in &ids {
            stage.publish("a.b", id).await?;
        }
        Ok(())
    };
    let (taken, ()) = try_join(stage.take(&mut open, ids.len()), publish).await?;
    equal(taken, ids)
}

async fn messages_of_several_subjects_come_in_order(stage: Stage) -> anyhow::Result<()> {
    let subjects = ["a.b", "a.c", "x.y"];
    for n in 0..30 {
        stage.publish(subjects[n % 3], &format!("m{n}")).await?;
    }
    let subjects = vec!["a.c".to_owned(), "a.b".to_owned()];
    let mut open = stage.open(Consumer { subjects, ..group("g") }).await?;
    let expected: Vec<String> = (0..30).filter(|n| n % 3 < 2).map(|n| format!("m{n}")).collect();
    equal(stage.take(&mut open, 20).await?, expected)
}

async fn a_dropped_wait_loses_nothing(stage: Stage) -> anyhow::Result<()> {
    for consumer in [group("g"), broadcast("b")] {
        let mut open = stage.open(Consumer { start: Start::New, ..consumer }).await?;
        stage.quiet(&mut open).await?;
        let id = format!("after the wait, {}", stage.clock.now());
        stage.publish("a.b", &id).await?;
        stage.clock.sleep(QUIET).await;
        stage.expect(&mut open, &id, 1).await?.reply.ack().await?;
    }
    Ok(())
}

async fn a_wait_dropped_again_and_again_loses_nothing(stage: Stage) -> anyhow::Result<()> {
    let mut open = stage.open(group("g")).await?;
    let mut taken = Vec::new();
    let mut published = 0;
    while taken.len() < 10 {
        if published < 10 {
            published += 1;
            stage.publish("a.b", &format!("m{published}")).await?;
        }
        // Too short for some of them on purpose.
        let brief = Duration::from_millis(published % 3);
        if let Some(delivery) = stage.clock.within(brief, open.next()).await {
            let delivery = delivery?;
            equal(delivery.attempt, 1)?;
            delivery.reply.ack().await?;
            taken.push(delivery.message.id);
        } else if published == 10 {
            taken.extend(stage.take(&mut open, 10 - taken.len()).await?);
        }
    }
    equal(taken, (1..=10).map(|n| format!("m{n}")).collect::<Vec<_>>())?;
    stage.quiet(&mut open).await
}

async fn no_more_than_the_bound_is_in_flight(stage: Stage) -> anyhow::Result<()> {
    stage.publish_all("a.b", &["1", "2", "3"]).await?;
    let mut open = stage.open(Consumer { max_in_flight: 2, ..group("g") }).await?;
    let _first = stage.expect(&mut open, "1", 1).await?;
    let _second = stage.expect(&mut open, "2", 1).await?;
    stage.quiet(&mut open).await
}

async fn an_acknowledgement_makes_room(stage: Stage) -> anyhow::Result<()> {
    stage.publish_all("a.b", &["1", "2", "3", "4"]).await?;
    let mut open = stage.open(Consumer { max_in_flight: 2, ..group("g") }).await?;
    let _first = stage.expect(&mut open, "1", 1).await?;
    let second = stage.expect(&mut open, "2", 1).await?;
    stage.quiet(&mut open).await?;
    second.reply.ack().await?;
    stage.expect(&mut open, "3", 1).await?;
    stage.quiet(&mut open).await
}

async fn dead_letters_are_not_events(stage: Stage) -> anyhow::Result<()> {
    let mut events = stage.open(group("g")).await?;
    let dead = Consumer { stream: Stream::DeadLetters, ..group("d") };
    let mut dead = stage.open(dead).await?;
    stage.bus.publish(Stream::DeadLetters, message("a.b", "dead")).await?;
    stage.publish("a.b", "event").await?;
    equal(stage.take(&mut dead, 1).await?.concat(), "dead".to_owned())?;
    equal(stage.take(&mut events, 1).await?.concat(), "event".to_owned())?;
    stage.quiet(&mut dead).await?;
    stage.quiet(&mut events).await
}

async fn consumers_of_one_name_on_both_streams_are_two(stage: Stage) -> anyhow::Result<()> {
    let dead = Consumer { stream: Stream::DeadLetters, ..group("g") };
    stage.publish_all("a.b", &["1", "2"]).await?;
    stage.bus.publish(Stream::DeadLetters, message("a.b", "dead")).await?;
    equal(stage.open(group("g")).await?.backlog(), 2)?;
    equal(stage.open(dead).await?.backlog(), 1)
}
