//! Who gets a message: one subscriber of each group, every subscriber of a broadcast.

use std::collections::BTreeMap;
use std::time::Duration;

use futures::future::{Either, select, try_join};
use ports::bus::{BusError, Consumer, Group, Start};

use super::{Case, Open, SHORT, Stage, broadcast, case, equal, group};

pub(super) const CASES: &[Case] = &[
    case!(a_group_gets_each_message_once),
    case!(subscribers_of_a_group_share_its_messages),
    case!(each_group_gets_each_message),
    case!(the_bound_in_flight_is_one_for_the_whole_group),
    case!(every_subscriber_of_a_broadcast_hears_every_message),
    case!(a_group_and_a_broadcast_of_one_name_are_separate),
    case!(a_broadcast_ends_with_its_subscription),
    case!(answers_to_an_ended_broadcast_find_it_gone),
    case!(a_broadcast_delivers_again_too),
    case!(what_a_dropped_subscription_held_reaches_another),
    case!(what_a_dropped_subscription_did_not_take_reaches_another_at_once),
    case!(an_answer_outlives_its_subscription),
];

async fn a_group_gets_each_message_once(stage: Stage) -> anyhow::Result<()> {
    stage.publish_all("a.b", &["1", "2", "3"]).await?;
    let mut open = stage.open(group("g")).await?;
    equal(stage.take(&mut open, 3).await?.concat(), "123".to_owned())?;
    stage.quiet(&mut open).await
}

async fn subscribers_of_a_group_share_its_messages(stage: Stage) -> anyhow::Result<()> {
    let mut one = stage.open(group("g")).await?;
    let mut two = stage.other.subscribe(group("g")).await?;
    let publish = async {
        for n in 0..40 {
            stage.publish("a.b", &format!("m{n}")).await?;
        }
        anyhow::Ok(())
    };
    let heard = async {
        let mut heard: BTreeMap<String, u32> = BTreeMap::new();
        while heard.len() < 40 {
            let either = async {
                match select(one.next(), two.next()).await {
                    Either::Left((delivery, _)) | Either::Right((delivery, _)) => delivery,
                }
            };
            let came = stage.clock.within(super::PATIENCE, either).await;
            let delivery = came.ok_or_else(|| anyhow::anyhow!("only {} came", heard.len()))??;
            delivery.reply.ack().await?;
            *heard.entry(delivery.message.id).or_default() += 1;
        }
        Ok(heard)
    };
    let (heard, ()) = try_join(heard, publish).await?;
    equal(heard.values().sum::<u32>(), 40)?;
    stage.quiet(&mut one).await?;
    stage.quiet(&mut two).await?;
    stage.figures(&[("g", 0, 0)]).await
}

async fn each_group_gets_each_message(stage: Stage) -> anyhow::Result<()> {
    stage.publish("a.b", "1").await?;
    let mut one = stage.open(group("one")).await?;
    let mut two = stage.open(group("two")).await?;
    stage.publish("a.b", "2").await?;
    equal(stage.take(&mut one, 2).await?.concat(), "12".to_owned())?;
    equal(stage.take(&mut two, 2).await?.concat(), "12".to_owned())
}

async fn the_bound_in_flight_is_one_for_the_whole_group(stage: Stage) -> anyhow::Result<()> {
    stage.publish_all("a.b", &["1", "2"]).await?;
    let narrow = Consumer { max_in_flight: 1, ..group("g") };
    let mut one = stage.open(narrow.clone()).await?;
    let mut two = stage.other.subscribe(narrow).await?;
    let held = stage.expect(&mut one, "1", 1).await?;
    stage.quiet(&mut two).await?;
    held.reply.ack().await?;
    stage.expect(&mut two, "2", 1).await.map(drop)
}

async fn every_subscriber_of_a_broadcast_hears_every_message(stage: Stage) -> anyhow::Result<()> {
    let mut one = stage.open(broadcast("b")).await?;
    let mut two = stage.other.subscribe(broadcast("b")).await?;
    stage.publish_all("a.b", &["1", "2"]).await?;
    equal(stage.take(&mut one, 2).await?.concat(), "12".to_owned())?;
    equal(stage.take(&mut two, 2).await?.concat(), "12".to_owned())?;
    stage.quiet(&mut one).await?;
    stage.quiet(&mut two).await
}

async fn a_group_and_a_broadcast_of_one_name_are_separate(stage: Stage) -> anyhow::Result<()> {
    stage.publish("a.b", "1").await?;
    let mut durable = stage.open(group("same")).await?;
    let mut passing = stage.open(broadcast("same")).await?;
    equal(stage.take(&mut durable, 1).await?.concat(), "1".to_owned())?;
    equal(stage.take(&mut passing, 1).await?.concat(), "1".to_owned())?;
    stage.figures(&[("same", 0, 0), ("same", 0, 0)]).await
}

async fn a_broadcast_ends_with_its_subscription(stage: Stage) -> anyhow::Result<()> {
    let gone = stage.open(broadcast("gone")).await?;
    let _stays = stage.open(broadcast("stays")).await?;
    stage.figures(&[("gone", 0, 0), ("stays", 0, 0)]).await?;
    drop(gone);
    stage.figures(&[("stays", 0, 0)]).await
}

async fn answers_to_an_ended_broadcast_find_it_gone(stage: Stage) -> anyhow::Result<()> {
    stage.publish("a.b", "1").await?;
    let mut open = stage.open(broadcast("b")).await?;
    let delivery = stage.next(&mut open).await?;
    drop(open);
    stage.figures(&[]).await?;
    for answer in [delivery.reply.ack().await, delivery.reply.nak(Duration::ZERO).await] {
        anyhow::ensure!(matches!(answer, Err(BusError::Gone(_))), "{answer:?}");
    }
    Ok(())
}

async fn a_broadcast_delivers_again_too(stage: Stage) -> anyhow::Result<()> {
    let mut open = stage.open(Consumer { ack_wait: SHORT, ..broadcast("b") }).await?;
    let before = stage.clock.now();
    stage.publish("a.b", "1").await?;
    stage.expect(&mut open, "1", 1).await?;
    let again = stage.expect(&mut open, "1", 2).await?;
    stage.passed(before, SHORT)?;
    again.reply.ack().await?;
    stage.quiet_for(&mut open, SHORT * 2).await
}

async fn what_a_dropped_subscription_held_reaches_another(stage: Stage) -> anyhow::Result<()> {
    let brief = Consumer { ack_wait: SHORT, ..group("g") };
    let before = stage.clock.now();
    stage.publish_all("a.b", &["1", "2"]).await?;
    let mut one = stage.open(brief.clone()).await?;
    stage.expect(&mut one, "1", 1).await?;
    stage.expect(&mut one, "2", 1).await?;
    drop(one);
    let mut two = stage.other.subscribe(brief).await?;
    stage.expect(&mut two, "1", 2).await?.reply.ack().await?;
    stage.passed(before, SHORT)?;
    stage.expect(&mut two, "2", 2).await?.reply.ack().await?;
    stage.quiet_for(&mut two, SHORT * 2).await
}

async fn what_a_dropped_subscription_did_not_take_reaches_another_at_once(
    stage: Stage,
) -> anyhow::Result<()> {
    stage.publish_all("a.b", &["1", "2", "3"]).await?;
    let mut one: Open = stage.open(group("g")).await?;
    let held = stage.expect(&mut one, "1", 1).await?;
    drop(one);
    // Its ack wait is longer than the case waits: nothing may lie in the dropped one.
    let mut two = stage.other.subscribe(group("g")).await?;
    stage.expect(&mut two, "2", 1).await?;
    stage.expect(&mut two, "3", 1).await?;
    held.reply.ack().await?;
    stage.figures(&[("g", 0, 2)]).await
}

async fn an_answer_outlives_its_subscription(stage: Stage) -> anyhow::Result<()> {
    stage.publish_all("a.b", &["1", "2"]).await?;
    let mut open = stage.open(group("g")).await?;
    let first = stage.expect(&mut open, "1", 1).await?;
    let second = stage.expect(&mut open, "2", 1).await?;
    drop(open);
    first.reply.ack().await?;
    second.reply.nak(Duration::ZERO).await?;
    let again = Consumer { group: Group::Durable, start: Start::New, ..group("g") };
    let mut open = stage.open(again).await?;
    stage.expect(&mut open, "2", 2).await.map(drop)
}
