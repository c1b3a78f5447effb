//! Making the streams, and what is not accepted.

use futures::future::join_all;
use ports::bus::{BusError, Consumer, PublishError, Stream};

use super::{Case, Stage, broadcast, case, equal, group, message};

pub(super) const CASES: &[Case] = &[
    case!(a_bus_answers_a_ping),
    case!(streams_can_be_ensured_again).bare(),
    case!(streams_can_be_ensured_by_many_at_once).bare(),
    case!(ensuring_again_keeps_messages_and_positions),
    case!(publishing_without_streams_is_unavailable).bare(),
    case!(subscribing_without_streams_is_rejected).bare(),
    case!(a_consumer_without_a_proper_name_is_rejected),
    case!(a_filter_that_is_not_one_subject_is_rejected),
    case!(overlapping_filters_are_rejected),
    case!(a_consumer_that_could_never_work_is_rejected),
];

async fn a_bus_answers_a_ping(stage: Stage) -> anyhow::Result<()> {
    stage.bus.ping().await?;
    Ok(stage.other.ping().await?)
}

async fn streams_can_be_ensured_again(stage: Stage) -> anyhow::Result<()> {
    stage.bus.ensure().await?;
    stage.bus.ensure().await?;
    stage.other.ensure().await?;
    equal(stage.publish("a.b", "1").await?.sequence, 1)
}

async fn streams_can_be_ensured_by_many_at_once(stage: Stage) -> anyhow::Result<()> {
    let many = (0..8).map(|n| if n % 2 == 0 { &stage.bus } else { &stage.other });
    for ensured in join_all(many.map(|bus| bus.ensure())).await {
        ensured?;
    }
    equal(stage.publish("a.b", "1").await?.sequence, 1)
}

async fn ensuring_again_keeps_messages_and_positions(stage: Stage) -> anyhow::Result<()> {
    stage.publish_all("a.b", &["1", "2"]).await?;
    let mut open = stage.open(group("g")).await?;
    equal(stage.take(&mut open, 1).await?, vec!["1".to_owned()])?;
    stage.other.ensure().await?;
    equal(stage.take(&mut open, 1).await?, vec!["2".to_owned()])?;
    equal(stage.publish("a.b", "3").await?.sequence, 3)
}

async fn publishing_without_streams_is_unavailable(stage: Stage) -> anyhow::Result<()> {
    let refused = stage.publish("a.b", "1").await;
    anyhow::ensure!(matches!(refused, Err(PublishError::Unavailable(_))), "{refused:?}");
    Ok(())
}

async fn subscribing_without_streams_is_rejected(stage: Stage) -> anyhow::Result<()> {
    for consumer in [group("g"), broadcast("b")] {
        rejected(&stage, consumer).await?;
    }
    let refused = stage.bus.pending().await;
    anyhow::ensure!(matches!(refused, Err(BusError::Rejected(_))), "{refused:?}");
    Ok(())
}

async fn a_consumer_without_a_proper_name_is_rejected(stage: Stage) -> anyhow::Result<()> {
    for name in ["", "a.b", "a b", "a*", ">", "a/b", "a\\b"] {
        rejected(&stage, group(name)).await?;
        rejected(&stage, broadcast(name)).await?;
    }
    stage.open(group("Some-name_1")).await.map(drop)
}

async fn a_filter_that_is_not_one_subject_is_rejected(stage: Stage) -> anyhow::Result<()> {
    for subject in ["", "a..b", ".a", "a.", "a.*", "a.>", "*", "a b"] {
        rejected(&stage, Consumer { subjects: vec![subject.to_owned()], ..group("g") }).await?;
    }
    Ok(())
}

async fn overlapping_filters_are_rejected(stage: Stage) -> anyhow::Result<()> {
    let subjects = vec!["a.b".to_owned(), "a.c".to_owned(), "a.b".to_owned()];
    rejected(&stage, Consumer { subjects, ..group("g") }).await
}

async fn a_consumer_that_could_never_work_is_rejected(stage: Stage) -> anyhow::Result<()> {
    let no_wait = Consumer { ack_wait: std::time::Duration::ZERO, ..group("g") };
    let no_room = Consumer { max_in_flight: 0, ..group("g") };
    let no_delivery = Consumer { max_deliver: Some(0), ..group("g") };
    for consumer in [no_wait, no_room, no_delivery] {
        rejected(&stage, consumer).await?;
    }
    // None of them was made.
    stage.figures(&[]).await?;
    stage.bus.publish(Stream::DeadLetters, message("a.b", "1")).await?;
    Ok(())
}

async fn rejected(stage: &Stage, consumer: Consumer) -> anyhow::Result<()> {
    match stage.bus.subscribe(consumer.clone()).await.map(drop) {
        Err(BusError::Rejected(_)) => Ok(()),
        other => anyhow::bail!("{consumer:?}: {other:?}"),
    }
}
