//! The creation of the streams, and the validation of consumers.

use futures::future::join_all;
use ports::bus::{BusError, Consumer, PublishError, Stream};

use super::case::{Case, case};
use super::fixture::{Fixture, broadcast, group, message};
use crate::outcome::{Nonconformance, Outcome, equal, holds};

pub(super) const CASES: &[Case] = &[
    case!(a_bus_responds_to_ping),
    case!(a_bus_without_its_streams_does_not_respond_to_ping).bare(),
    case!(ensuring_streams_is_idempotent).bare(),
    case!(streams_can_be_ensured_concurrently).bare(),
    case!(ensuring_again_keeps_messages_and_positions),
    case!(publishing_without_streams_is_unavailable).bare(),
    case!(subscribing_without_streams_is_rejected).bare(),
    case!(an_invalid_consumer_name_is_rejected),
    case!(an_invalid_filter_is_rejected),
    case!(overlapping_filters_are_rejected),
    case!(a_consumer_without_ack_wait_room_or_deliveries_is_rejected),
];

async fn a_bus_responds_to_ping(fixture: Fixture) -> Outcome {
    fixture.bus.ping().await?;
    Ok(fixture.other.ping().await?)
}

async fn a_bus_without_its_streams_does_not_respond_to_ping(fixture: Fixture) -> Outcome {
    let missing = fixture.bus.ping().await;
    holds(matches!(missing, Err(BusError::Unavailable(_))), || format!("{missing:?}"))?;
    fixture.other.ensure().await?;
    Ok(fixture.bus.ping().await?)
}

async fn ensuring_streams_is_idempotent(fixture: Fixture) -> Outcome {
    fixture.bus.ensure().await?;
    fixture.bus.ensure().await?;
    fixture.other.ensure().await?;
    equal(fixture.publish("a.b", "1").await?.sequence, 1)
}

async fn streams_can_be_ensured_concurrently(fixture: Fixture) -> Outcome {
    let many = (0..8).map(|n| if n % 2 == 0 { &fixture.bus } else { &fixture.other });
    for ensured in join_all(many.map(|bus| bus.ensure())).await {
        ensured?;
    }
    equal(fixture.publish("a.b", "1").await?.sequence, 1)
}

async fn ensuring_again_keeps_messages_and_positions(fixture: Fixture) -> Outcome {
    fixture.publish_all("a.b", &["1", "2"]).await?;
    let mut open = fixture.open(group("g")).await?;
    equal(fixture.take(&mut open, 1).await?, vec!["1".to_owned()])?;
    fixture.other.ensure().await?;
    equal(fixture.take(&mut open, 1).await?, vec!["2".to_owned()])?;
    equal(fixture.publish("a.b", "3").await?.sequence, 3)
}

async fn publishing_without_streams_is_unavailable(fixture: Fixture) -> Outcome {
    let refused = fixture.publish("a.b", "1").await;
    holds(matches!(refused, Err(PublishError::Unavailable(_))), || format!("{refused:?}"))?;
    Ok(())
}

async fn subscribing_without_streams_is_rejected(fixture: Fixture) -> Outcome {
    for consumer in [group("g"), broadcast("b")] {
        rejected(&fixture, consumer).await?;
    }
    let refused = fixture.bus.pending().await;
    holds(matches!(refused, Err(BusError::Rejected(_))), || format!("{refused:?}"))?;
    Ok(())
}

async fn an_invalid_consumer_name_is_rejected(fixture: Fixture) -> Outcome {
    for name in ["", "a.b", "a b", "a*", ">", "a/b", "a\\b"] {
        rejected(&fixture, group(name)).await?;
        rejected(&fixture, broadcast(name)).await?;
    }
    fixture.open(group("Some-name_1")).await.map(drop)
}

async fn an_invalid_filter_is_rejected(fixture: Fixture) -> Outcome {
    for subject in ["", "a..b", ".a", "a.", "a.*", "a.>", "*", "a b"] {
        rejected(&fixture, Consumer { subjects: vec![subject.to_owned()], ..group("g") }).await?;
    }
    Ok(())
}

async fn overlapping_filters_are_rejected(fixture: Fixture) -> Outcome {
    let subjects = vec!["a.b".to_owned(), "a.c".to_owned(), "a.b".to_owned()];
    rejected(&fixture, Consumer { subjects, ..group("g") }).await
}

async fn a_consumer_without_ack_wait_room_or_deliveries_is_rejected(fixture: Fixture) -> Outcome {
    let no_wait = Consumer { ack_wait: std::time::Duration::ZERO, ..group("g") };
    let no_room = Consumer { max_in_flight: 0, ..group("g") };
    let no_delivery = Consumer { max_deliver: Some(0), ..group("g") };
    for consumer in [no_wait, no_room, no_delivery] {
        rejected(&fixture, consumer).await?;
    }
    // None of them was created.
    fixture.progress(&[]).await?;
    fixture.bus.publish(Stream::DeadLetters, message("a.b", "1")).await?;
    Ok(())
}

async fn rejected(fixture: &Fixture, consumer: Consumer) -> Outcome {
    match fixture.bus.subscribe(consumer.clone()).await.map(drop) {
        Err(BusError::Rejected(_)) => Ok(()),
        other => Err(Nonconformance::Differs(format!("{consumer:?}: {other:?}"))),
    }
}
