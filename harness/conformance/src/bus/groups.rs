//! Sharing of messages: one subscriber of each group, every subscriber of a broadcast.

use std::collections::BTreeMap;
use std::time::Duration;

use futures::future::{Either, select, try_join};
use ports::bus::{BusError, Consumer, Group, Start};

use super::case::{Case, case};
use super::fixture::{Fixture, Open, PATIENCE, SHORT, broadcast, group};
use crate::outcome::{Nonconformance, Outcome, equal, holds};

pub(super) const CASES: &[Case] = &[
    case!(a_group_receives_each_message_once),
    case!(subscribers_of_a_group_share_its_messages),
    case!(every_group_receives_every_message),
    case!(the_bound_in_flight_covers_the_whole_group),
    case!(every_subscriber_of_a_broadcast_receives_every_message),
    case!(a_group_and_a_broadcast_of_one_name_are_separate),
    case!(a_broadcast_consumer_ends_with_its_subscription),
    case!(replies_to_an_ended_broadcast_fail_as_gone),
    case!(a_broadcast_redelivers_too),
    case!(deliveries_of_a_dropped_subscription_reach_another),
    case!(messages_not_taken_by_a_dropped_subscription_reach_another_at_once),
    case!(a_reply_outlives_its_subscription),
];

async fn a_group_receives_each_message_once(fixture: Fixture) -> Outcome {
    fixture.publish_all("a.b", &["1", "2", "3"]).await?;
    let mut open = fixture.open(group("g")).await?;
    equal(fixture.take(&mut open, 3).await?.concat(), "123".to_owned())?;
    fixture.quiet(&mut open).await
}

async fn subscribers_of_a_group_share_its_messages(fixture: Fixture) -> Outcome {
    let mut one = fixture.open(group("g")).await?;
    let mut two = fixture.other.subscribe(group("g")).await?;
    let publish = async {
        for n in 0..40 {
            fixture.publish("a.b", &format!("m{n}")).await?;
        }
        Outcome::Ok(())
    };
    let receive = async {
        let mut received: BTreeMap<String, u32> = BTreeMap::new();
        while received.len() < 40 {
            let either = async {
                match select(one.next(), two.next()).await {
                    Either::Left((delivery, _)) | Either::Right((delivery, _)) => delivery,
                }
            };
            let delivery = fixture.clock.within(PATIENCE, either).await;
            let missing = || format!("only {} messages are delivered", received.len());
            let delivery = delivery.ok_or_else(|| Nonconformance::Differs(missing()))??;
            delivery.reply.ack().await?;
            *received.entry(delivery.message.id).or_default() += 1;
        }
        Ok(received)
    };
    let (received, ()) = try_join(receive, publish).await?;
    equal(received.values().sum::<u32>(), 40)?;
    fixture.quiet(&mut one).await?;
    fixture.quiet(&mut two).await?;
    fixture.progress(&[("g", 0, 0)]).await
}

async fn every_group_receives_every_message(fixture: Fixture) -> Outcome {
    fixture.publish("a.b", "1").await?;
    let mut one = fixture.open(group("one")).await?;
    let mut two = fixture.open(group("two")).await?;
    fixture.publish("a.b", "2").await?;
    equal(fixture.take(&mut one, 2).await?.concat(), "12".to_owned())?;
    equal(fixture.take(&mut two, 2).await?.concat(), "12".to_owned())
}

async fn the_bound_in_flight_covers_the_whole_group(fixture: Fixture) -> Outcome {
    fixture.publish_all("a.b", &["1", "2"]).await?;
    let narrow = Consumer { max_in_flight: 1, ..group("g") };
    let mut one = fixture.open(narrow.clone()).await?;
    let mut two = fixture.other.subscribe(narrow).await?;
    let held = fixture.expect(&mut one, "1", 1).await?;
    fixture.quiet(&mut two).await?;
    held.reply.ack().await?;
    fixture.expect(&mut two, "2", 1).await.map(drop)
}

async fn every_subscriber_of_a_broadcast_receives_every_message(fixture: Fixture) -> Outcome {
    let mut one = fixture.open(broadcast("b")).await?;
    let mut two = fixture.other.subscribe(broadcast("b")).await?;
    fixture.publish_all("a.b", &["1", "2"]).await?;
    equal(fixture.take(&mut one, 2).await?.concat(), "12".to_owned())?;
    equal(fixture.take(&mut two, 2).await?.concat(), "12".to_owned())?;
    fixture.quiet(&mut one).await?;
    fixture.quiet(&mut two).await
}

async fn a_group_and_a_broadcast_of_one_name_are_separate(fixture: Fixture) -> Outcome {
    fixture.publish("a.b", "1").await?;
    let mut durable = fixture.open(group("same")).await?;
    let mut ephemeral = fixture.open(broadcast("same")).await?;
    equal(fixture.take(&mut durable, 1).await?.concat(), "1".to_owned())?;
    equal(fixture.take(&mut ephemeral, 1).await?.concat(), "1".to_owned())?;
    fixture.progress(&[("same", 0, 0), ("same", 0, 0)]).await
}

async fn a_broadcast_consumer_ends_with_its_subscription(fixture: Fixture) -> Outcome {
    let gone = fixture.open(broadcast("gone")).await?;
    let _stays = fixture.open(broadcast("stays")).await?;
    fixture.progress(&[("gone", 0, 0), ("stays", 0, 0)]).await?;
    drop(gone);
    fixture.progress(&[("stays", 0, 0)]).await
}

async fn replies_to_an_ended_broadcast_fail_as_gone(fixture: Fixture) -> Outcome {
    fixture.publish("a.b", "1").await?;
    let mut open = fixture.open(broadcast("b")).await?;
    let delivery = fixture.next(&mut open).await?;
    drop(open);
    fixture.progress(&[]).await?;
    for answer in [delivery.reply.ack().await, delivery.reply.nak(Duration::ZERO).await] {
        holds(matches!(answer, Err(BusError::Gone(_))), || format!("{answer:?}"))?;
    }
    Ok(())
}

async fn a_broadcast_redelivers_too(fixture: Fixture) -> Outcome {
    let mut open = fixture.open(Consumer { ack_wait: SHORT, ..broadcast("b") }).await?;
    let before = fixture.clock.now();
    fixture.publish("a.b", "1").await?;
    fixture.expect(&mut open, "1", 1).await?;
    let again = fixture.expect(&mut open, "1", 2).await?;
    fixture.elapsed(before, SHORT)?;
    again.reply.ack().await?;
    fixture.quiet_for(&mut open, SHORT * 2).await
}

async fn deliveries_of_a_dropped_subscription_reach_another(fixture: Fixture) -> Outcome {
    let brief = Consumer { ack_wait: SHORT, ..group("g") };
    let before = fixture.clock.now();
    fixture.publish_all("a.b", &["1", "2"]).await?;
    let mut one = fixture.open(brief.clone()).await?;
    fixture.expect(&mut one, "1", 1).await?;
    fixture.expect(&mut one, "2", 1).await?;
    drop(one);
    let mut two = fixture.other.subscribe(brief).await?;
    fixture.expect(&mut two, "1", 2).await?.reply.ack().await?;
    fixture.elapsed(before, SHORT)?;
    fixture.expect(&mut two, "2", 2).await?.reply.ack().await?;
    fixture.quiet_for(&mut two, SHORT * 2).await
}

async fn messages_not_taken_by_a_dropped_subscription_reach_another_at_once(
    fixture: Fixture,
) -> Outcome {
    fixture.publish_all("a.b", &["1", "2", "3"]).await?;
    let mut one: Open = fixture.open(group("g")).await?;
    let held = fixture.expect(&mut one, "1", 1).await?;
    drop(one);
    // The ack wait exceeds the patience of the case, so the dropped subscription held nothing.
    let mut two = fixture.other.subscribe(group("g")).await?;
    fixture.expect(&mut two, "2", 1).await?;
    fixture.expect(&mut two, "3", 1).await?;
    held.reply.ack().await?;
    fixture.progress(&[("g", 0, 2)]).await
}

async fn a_reply_outlives_its_subscription(fixture: Fixture) -> Outcome {
    fixture.publish_all("a.b", &["1", "2"]).await?;
    let mut open = fixture.open(group("g")).await?;
    let first = fixture.expect(&mut open, "1", 1).await?;
    let second = fixture.expect(&mut open, "2", 1).await?;
    drop(open);
    first.reply.ack().await?;
    second.reply.nak(Duration::ZERO).await?;
    let again = Consumer { group: Group::Durable, start: Start::New, ..group("g") };
    let mut open = fixture.open(again).await?;
    fixture.expect(&mut open, "2", 2).await.map(drop)
}
