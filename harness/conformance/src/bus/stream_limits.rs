//! Limits of a stream: messages leave by their age, a full stream refuses, and both limits can be
//! changed.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use ports::bus::{
    Bus, BusError, Consumer, MAX_WAIT, Message, PublishError, Start, Stream, StreamLimits,
};

use super::case::{Case, case};
use super::fixture::{Fixture, Open, PATIENCE, brief, broadcast, group, message};
use crate::outcome::{Nonconformance, Outcome, equal, holds};

pub(super) const CASES: &[Case] = &[
    case!(a_message_leaves_at_its_age_and_not_before).with_window(WINDOW),
    case!(a_message_that_has_left_is_not_delivered_again).with_window(WINDOW),
    case!(a_message_that_has_left_no_longer_counts).with_window(WINDOW),
    case!(a_message_in_flight_that_leaves_makes_room).with_window(WINDOW),
    case!(a_reply_to_a_message_that_has_left_is_confirmed).with_window(WINDOW),
    case!(a_consumer_that_was_away_too_long_has_a_gap).with_window(WINDOW),
    case!(a_consumer_that_has_passed_what_left_has_no_gap).with_window(WINDOW),
    case!(a_new_consumer_has_no_gap).with_window(WINDOW),
    case!(positions_go_on_after_all_messages_have_left).with_window(WINDOW),
    case!(a_shorter_age_removes_what_is_older).with_window(WINDOW),
    case!(without_limits_again_nothing_leaves).with_window(WINDOW),
    case!(a_full_stream_refuses_a_message_and_keeps_the_others),
    case!(a_full_stream_confirms_a_message_that_it_has),
    case!(a_removal_makes_room_in_a_full_stream),
    case!(fewer_bytes_remove_nothing),
    case!(more_bytes_make_room),
    case!(limits_that_the_server_refuses_are_rejected).with_window(WINDOW),
];

/// A window that is shorter than any age here.
const WINDOW: Duration = Duration::from_millis(100);
/// The age at which messages leave.
const AGE: Duration = Duration::from_millis(900);
/// The pause between two looks.
const PAUSE: Duration = Duration::from_millis(20);

fn age(age: Duration) -> StreamLimits {
    StreamLimits { max_age: Some(age), max_bytes: None }
}

/// Room for two messages of [`large`] and not for three.
fn two() -> StreamLimits {
    StreamLimits { max_age: None, max_bytes: Some(25_000) }
}

/// So large that the length of a namespace makes no difference.
fn large(id: &str) -> Message {
    Message { payload: Bytes::from(vec![b'x'; 10_000]), ..message("a.b", id) }
}

/// Gives the event stream these limits; returns a bus that agrees.
async fn limit(fixture: &Fixture, limits: StreamLimits) -> Outcome<Arc<dyn Bus>> {
    let bus = (fixture.limited)(limits);
    bus.ensure().await?;
    Ok(bus)
}

/// Waits until the event stream is empty.
async fn emptied(fixture: &Fixture) -> Outcome {
    left(fixture, 0).await
}

/// Waits until the event stream has this many messages.
async fn left(fixture: &Fixture, count: u64) -> Outcome {
    let mut backlog = u64::MAX;
    let looks = PATIENCE.as_millis() / PAUSE.as_millis();
    for _ in 0..looks {
        backlog = fixture.open(broadcast("look")).await?.backlog();
        if backlog == count {
            return Ok(());
        }
        fixture.clock.sleep(PAUSE).await;
    }
    equal(backlog, count)
}

async fn refused(fixture: &Fixture, id: &str) -> Outcome {
    let refused = fixture.bus.publish(Stream::Events, large(id)).await;
    holds(matches!(refused, Err(PublishError::Unknown(_))), || format!("{refused:?}"))
}

async fn accepted(fixture: &Fixture, id: &str) -> Outcome<u64> {
    Ok(fixture.bus.publish(Stream::Events, large(id)).await?.sequence)
}

async fn a_message_leaves_at_its_age_and_not_before(fixture: Fixture) -> Outcome {
    limit(&fixture, age(AGE)).await?;
    let published = fixture.clock.now();
    fixture.publish("a.b", "1").await?;
    emptied(&fixture).await?;
    fixture.elapsed(published, AGE)?;
    for consumer in [group("g"), broadcast("b")] {
        let mut open = fixture.open(consumer).await?;
        equal(open.backlog(), 0)?;
        fixture.quiet(&mut open).await?;
    }
    Ok(())
}

async fn a_message_that_has_left_is_not_delivered_again(fixture: Fixture) -> Outcome {
    let mut open = fixture.open(brief("g")).await?;
    fixture.publish_all("a.b", &["1", "2"]).await?;
    let first = fixture.expect(&mut open, "1", 1).await?;
    let second = fixture.expect(&mut open, "2", 1).await?;
    second.reply.nak(Duration::from_secs(3)).await?;
    first.reply.nak(Duration::from_secs(3)).await?;
    limit(&fixture, age(AGE)).await?;
    emptied(&fixture).await?;
    fixture.quiet_for(&mut open, Duration::from_millis(3_500)).await
}

async fn a_message_that_has_left_no_longer_counts(fixture: Fixture) -> Outcome {
    let mut open = fixture.open(group("g")).await?;
    fixture.publish_all("a.b", &["1", "2"]).await?;
    let _first = fixture.expect(&mut open, "1", 1).await?;
    fixture.progress(&[("g", 1, 1)]).await?;
    limit(&fixture, age(AGE)).await?;
    fixture.progress(&[("g", 0, 0)]).await
}

async fn a_message_in_flight_that_leaves_makes_room(fixture: Fixture) -> Outcome {
    limit(&fixture, age(AGE)).await?;
    let mut open = fixture.open(Consumer { max_in_flight: 1, ..group("g") }).await?;
    fixture.publish("a.b", "1").await?;
    let _held = fixture.expect(&mut open, "1", 1).await?;
    let mut next = std::pin::pin!(fixture.clock.within(AGE * 8, open.next()));
    let meanwhile = async {
        fixture.clock.sleep(AGE / 2).await;
        fixture.publish("a.b", "2").await
    };
    let (delivery, published) = futures::join!(&mut next, meanwhile);
    published?;
    let missing = || Nonconformance::Differs("no message is delivered".to_owned());
    equal(delivery.ok_or_else(missing)??.message.id.as_str(), "2")
}

async fn a_reply_to_a_message_that_has_left_is_confirmed(fixture: Fixture) -> Outcome {
    limit(&fixture, age(AGE)).await?;
    let mut open = fixture.open(group("g")).await?;
    fixture.publish_all("a.b", &["1", "2"]).await?;
    let first = fixture.expect(&mut open, "1", 1).await?;
    let second = fixture.expect(&mut open, "2", 1).await?;
    emptied(&fixture).await?;
    first.reply.ack().await?;
    second.reply.nak(Duration::ZERO).await?;
    fixture.quiet(&mut open).await
}

/// True if this consumer has a gap; closed again.
async fn gap(fixture: &Fixture, consumer: Consumer) -> Outcome<bool> {
    let open: Open = fixture.open(consumer).await?;
    Ok(open.has_gap())
}

async fn a_consumer_that_was_away_too_long_has_a_gap(fixture: Fixture) -> Outcome {
    limit(&fixture, age(AGE)).await?;
    let mut open = fixture.open(group("g")).await?;
    holds(!open.has_gap(), || "a new consumer has a gap".to_owned())?;
    fixture.publish_all("a.b", &["1", "2", "3"]).await?;
    fixture.take(&mut open, 1).await?;
    drop(open);
    emptied(&fixture).await?;
    fixture.publish("a.b", "4").await?;
    let mut open = fixture.open(group("g")).await?;
    holds(open.has_gap(), || "no gap".to_owned())?;
    fixture.expect(&mut open, "4", 1).await?.reply.ack().await?;
    drop(open);
    equal(gap(&fixture, group("g")).await?, false)
}

async fn a_consumer_that_has_passed_what_left_has_no_gap(fixture: Fixture) -> Outcome {
    limit(&fixture, age(AGE)).await?;
    let mut open = fixture.open(group("g")).await?;
    fixture.publish_all("a.b", &["1", "2"]).await?;
    fixture.take(&mut open, 2).await?;
    drop(open);
    emptied(&fixture).await?;
    equal(gap(&fixture, group("g")).await?, false)?;
    fixture.publish("a.b", "3").await?;
    equal(gap(&fixture, group("g")).await?, false)
}

async fn a_new_consumer_has_no_gap(fixture: Fixture) -> Outcome {
    limit(&fixture, age(AGE)).await?;
    fixture.publish("a.b", "1").await?;
    emptied(&fixture).await?;
    fixture.publish("a.b", "2").await?;
    for start in [Start::All, Start::New, Start::Since(fixture.clock.now())] {
        for consumer in [group("g"), broadcast("b")] {
            let name = format!("{}-{start:?}", consumer.name).replace([':', '.', '(', ')'], "-");
            equal(gap(&fixture, Consumer { start, name, ..consumer }).await?, false)?;
        }
    }
    Ok(())
}

async fn positions_go_on_after_all_messages_have_left(fixture: Fixture) -> Outcome {
    limit(&fixture, age(AGE)).await?;
    fixture.publish_all("a.b", &["1", "2"]).await?;
    emptied(&fixture).await?;
    let published = fixture.publish("a.b", "1").await?;
    equal((published.sequence, published.duplicate), (3, false))
}

async fn a_shorter_age_removes_what_is_older(fixture: Fixture) -> Outcome {
    limit(&fixture, age(Duration::from_secs(60))).await?;
    fixture.publish_all("a.b", &["1", "2"]).await?;
    fixture.clock.sleep(AGE).await;
    left(&fixture, 2).await?;
    limit(&fixture, age(AGE)).await?;
    emptied(&fixture).await
}

async fn without_limits_again_nothing_leaves(fixture: Fixture) -> Outcome {
    limit(&fixture, age(AGE)).await?;
    fixture.publish("a.b", "1").await?;
    fixture.bus.ensure().await?;
    fixture.clock.sleep(AGE * 3 / 2).await;
    left(&fixture, 1).await
}

async fn a_full_stream_refuses_a_message_and_keeps_the_others(fixture: Fixture) -> Outcome {
    limit(&fixture, two()).await?;
    accepted(&fixture, "1").await?;
    accepted(&fixture, "2").await?;
    refused(&fixture, "3").await?;
    left(&fixture, 2).await?;
    // What is small enough has room.
    equal(fixture.publish("a.b", "4").await?.sequence, 3)
}

async fn a_full_stream_confirms_a_message_that_it_has(fixture: Fixture) -> Outcome {
    limit(&fixture, two()).await?;
    accepted(&fixture, "1").await?;
    accepted(&fixture, "2").await?;
    let again = fixture.bus.publish(Stream::Events, large("2")).await?;
    equal((again.sequence, again.duplicate), (2, true))
}

async fn a_removal_makes_room_in_a_full_stream(fixture: Fixture) -> Outcome {
    limit(&fixture, two()).await?;
    accepted(&fixture, "1").await?;
    accepted(&fixture, "2").await?;
    refused(&fixture, "3").await?;
    fixture.bus.remove(Stream::Events, 1).await?;
    // A refused message was not noted in the deduplication window.
    equal(accepted(&fixture, "3").await?, 3)?;
    refused(&fixture, "4").await
}

async fn fewer_bytes_remove_nothing(fixture: Fixture) -> Outcome {
    for id in ["1", "2", "3"] {
        accepted(&fixture, id).await?;
    }
    limit(&fixture, two()).await?;
    left(&fixture, 3).await?;
    let refused = fixture.publish("a.b", "4").await;
    holds(matches!(refused, Err(PublishError::Unknown(_))), || format!("{refused:?}"))
}

async fn more_bytes_make_room(fixture: Fixture) -> Outcome {
    limit(&fixture, two()).await?;
    accepted(&fixture, "1").await?;
    accepted(&fixture, "2").await?;
    refused(&fixture, "3").await?;
    limit(&fixture, StreamLimits { max_age: None, max_bytes: Some(100_000) }).await?;
    equal(accepted(&fixture, "3").await?, 3)
}

async fn limits_that_the_server_refuses_are_rejected(fixture: Fixture) -> Outcome {
    let bytes = |bytes| StreamLimits { max_age: None, max_bytes: Some(bytes) };
    for limits in [age(WINDOW / 2), age(MAX_WAIT * 2), bytes(0), bytes(u64::MAX)] {
        let refused = (fixture.limited)(limits).ensure().await;
        holds(matches!(refused, Err(BusError::Rejected(_))), || {
            format!("{limits:?}: {refused:?}")
        })?;
    }
    for limits in [age(WINDOW), age(MAX_WAIT), bytes(1)] {
        (fixture.limited)(limits).ensure().await?;
    }
    Ok(())
}
