//! Requests for a message, which cannot be taken back, and the counts that depend on them.

use std::time::Duration;

use ports::bus::Consumer;

use super::case::{Case, case};
use super::fixture::{Fixture, Open, QUIET, SHORT, brief, group};
use crate::outcome::{Nonconformance, Outcome, equal};

pub(super) const CASES: &[Case] = &[
    case!(a_dropped_wait_keeps_its_message_until_the_ack_wait_is_over),
    case!(the_message_of_a_dropped_wait_may_be_its_only_delivery),
    case!(the_message_of_a_dropped_wait_is_returned_later_as_the_attempt_that_it_was),
    case!(waits_are_served_in_their_order),
    case!(a_dropped_wait_takes_a_redelivery_too),
    case!(a_dropped_subscription_gives_up_its_place),
    case!(the_message_of_a_dropped_subscription_is_lost_until_the_ack_wait_is_over),
    case!(a_wait_that_was_served_meanwhile_sends_no_other_request),
    case!(a_dropped_subscription_keeps_what_it_was_served_before),
    case!(a_dropped_subscription_asks_no_more_when_its_consumer_is_reopened),
    case!(a_message_counts_after_its_last_attempt_until_somebody_asks),
    case!(the_only_attempt_stops_counting_after_the_ack_wait),
    case!(a_nak_above_a_lowered_bound_counts_until_somebody_asks),
    case!(a_delayed_nak_postpones_a_redelivery_that_is_due),
    case!(in_progress_does_not_postpone_a_redelivery_that_is_due),
];

/// Waits for nothing, and drops the wait.
async fn wait_in_vain(fixture: &Fixture, open: &mut Open) -> Outcome {
    fixture.quiet(open).await
}

/// Two subscribers of one consumer, of which the first has dropped its wait.
async fn first_has_waited(
    fixture: &Fixture,
    consumer: Consumer,
) -> Result<(Open, Open), Nonconformance> {
    let mut one = fixture.open(consumer.clone()).await?;
    let two = fixture.other.subscribe(consumer).await?;
    wait_in_vain(fixture, &mut one).await?;
    Ok((one, two))
}

async fn a_dropped_wait_keeps_its_message_until_the_ack_wait_is_over(fixture: Fixture) -> Outcome {
    let (_one, mut two) = first_has_waited(&fixture, brief("g")).await?;
    let before = fixture.clock.now();
    fixture.publish("a.b", "1").await?;
    fixture.progress(&[("g", 0, 1)]).await?;
    fixture.expect(&mut two, "1", 2).await?.reply.ack().await?;
    fixture.elapsed(before, SHORT)?;
    fixture.progress(&[("g", 0, 0)]).await
}

async fn the_message_of_a_dropped_wait_may_be_its_only_delivery(fixture: Fixture) -> Outcome {
    let once = Consumer { max_deliver: Some(1), ..brief("g") };
    let mut one = fixture.open(once.clone()).await?;
    let mut two = fixture.other.subscribe(once).await?;
    wait_in_vain(&fixture, &mut one).await?;
    fixture.publish("a.b", "1").await?;
    fixture.quiet_for(&mut two, SHORT * 2).await?;
    fixture.progress(&[("g", 0, 0)]).await?;
    fixture.expect(&mut one, "1", 1).await.map(drop)
}

async fn the_message_of_a_dropped_wait_is_returned_later_as_the_attempt_that_it_was(
    fixture: Fixture,
) -> Outcome {
    let (mut one, mut two) = first_has_waited(&fixture, brief("g")).await?;
    fixture.publish("a.b", "1").await?;
    fixture.expect(&mut two, "1", 2).await?.reply.ack().await?;
    // Late, and acknowledged by then.
    fixture.expect(&mut one, "1", 1).await?.reply.ack().await?;
    fixture.quiet(&mut one).await
}

async fn waits_are_served_in_their_order(fixture: Fixture) -> Outcome {
    let mut one = fixture.open(group("g")).await?;
    let mut two = fixture.other.subscribe(group("g")).await?;
    wait_in_vain(&fixture, &mut two).await?;
    wait_in_vain(&fixture, &mut one).await?;
    fixture.publish_all("a.b", &["1", "2", "3"]).await?;
    fixture.progress(&[("g", 1, 2)]).await?;
    fixture.expect(&mut one, "2", 1).await?;
    fixture.expect(&mut one, "3", 1).await?;
    fixture.expect(&mut two, "1", 1).await.map(drop)
}

async fn a_dropped_wait_takes_a_redelivery_too(fixture: Fixture) -> Outcome {
    let mut one = fixture.open(group("g")).await?;
    let mut two = fixture.other.subscribe(group("g")).await?;
    fixture.publish("a.b", "1").await?;
    let delivery = fixture.expect(&mut two, "1", 1).await?;
    wait_in_vain(&fixture, &mut one).await?;
    delivery.reply.nak(Duration::ZERO).await?;
    fixture.quiet(&mut two).await?;
    fixture.expect(&mut one, "1", 2).await.map(drop)
}

async fn a_dropped_subscription_gives_up_its_place(fixture: Fixture) -> Outcome {
    let (one, mut two) = first_has_waited(&fixture, group("g")).await?;
    drop(one);
    fixture.clock.sleep(QUIET).await;
    fixture.publish("a.b", "1").await?;
    fixture.expect(&mut two, "1", 1).await.map(drop)
}

async fn the_message_of_a_dropped_subscription_is_lost_until_the_ack_wait_is_over(
    fixture: Fixture,
) -> Outcome {
    let (one, mut two) = first_has_waited(&fixture, brief("g")).await?;
    let before = fixture.clock.now();
    fixture.publish("a.b", "1").await?;
    fixture.progress(&[("g", 0, 1)]).await?;
    drop(one);
    fixture.expect(&mut two, "1", 2).await?;
    fixture.elapsed(before, SHORT)
}

async fn a_message_counts_after_its_last_attempt_until_somebody_asks(fixture: Fixture) -> Outcome {
    let mut open = fixture.open(Consumer { max_deliver: Some(2), ..brief("g") }).await?;
    fixture.publish_all("a.b", &["1", "2", "3"]).await?;
    for attempt in 1..=2 {
        for id in ["1", "2", "3"] {
            fixture.expect(&mut open, id, attempt).await?;
        }
    }
    fixture.clock.sleep(SHORT * 2).await;
    equal(fixture.bus.pending().await?[0].unacknowledged, 3)?;
    fixture.quiet(&mut open).await?;
    fixture.progress(&[("g", 0, 0)]).await
}

async fn the_only_attempt_stops_counting_after_the_ack_wait(fixture: Fixture) -> Outcome {
    let mut open = fixture.open(Consumer { max_deliver: Some(1), ..brief("g") }).await?;
    fixture.publish("a.b", "1").await?;
    fixture.expect(&mut open, "1", 1).await?;
    fixture.progress(&[("g", 0, 1)]).await?;
    fixture.progress(&[("g", 0, 0)]).await
}

async fn a_nak_above_a_lowered_bound_counts_until_somebody_asks(fixture: Fixture) -> Outcome {
    let mut open = fixture.open(group("g")).await?;
    fixture.publish("a.b", "1").await?;
    fixture.expect(&mut open, "1", 1).await?.reply.nak(Duration::ZERO).await?;
    let second = fixture.expect(&mut open, "1", 2).await?;
    let mut open = fixture.open(Consumer { max_deliver: Some(2), ..group("g") }).await?;
    second.reply.nak(Duration::ZERO).await?;
    fixture.clock.sleep(QUIET).await;
    equal(fixture.bus.pending().await?[0].unacknowledged, 1)?;
    fixture.quiet(&mut open).await?;
    fixture.progress(&[("g", 0, 0)]).await
}

async fn a_delayed_nak_postpones_a_redelivery_that_is_due(fixture: Fixture) -> Outcome {
    let mut open = fixture.open(brief("g")).await?;
    fixture.publish("a.b", "1").await?;
    let first = fixture.expect(&mut open, "1", 1).await?;
    fixture.clock.sleep(SHORT * 2).await;
    let before = fixture.clock.now();
    first.reply.nak(SHORT * 3).await?;
    fixture.expect(&mut open, "1", 2).await?;
    fixture.elapsed(before, SHORT * 3)
}

async fn in_progress_does_not_postpone_a_redelivery_that_is_due(fixture: Fixture) -> Outcome {
    let mut open = fixture.open(group("g")).await?;
    fixture.publish("a.b", "1").await?;
    let first = fixture.expect(&mut open, "1", 1).await?;
    first.reply.nak(Duration::ZERO).await?;
    first.reply.in_progress().await?;
    // The ack wait exceeds the patience of the case.
    fixture.expect(&mut open, "1", 2).await.map(drop)
}

async fn a_wait_that_was_served_meanwhile_sends_no_other_request(fixture: Fixture) -> Outcome {
    let narrow = Consumer { max_deliver: Some(1), max_in_flight: 1, ..brief("g") };
    let mut open = fixture.open(narrow).await?;
    fixture.publish_all("a.b", &["1", "2"]).await?;
    fixture.expect(&mut open, "1", 1).await?;
    wait_in_vain(&fixture, &mut open).await?;
    // Giving up the first message makes room for the second, which goes to the dropped wait.
    fixture.clock.sleep(SHORT).await;
    fixture.expect(&mut open, "2", 1).await?;
    fixture.clock.sleep(SHORT * 2).await;
    fixture.publish("a.b", "3").await?;
    fixture.progress(&[("g", 1, 0)]).await
}

async fn a_dropped_subscription_asks_no_more_when_its_consumer_is_reopened(
    fixture: Fixture,
) -> Outcome {
    let subjects = |all: &[&str]| all.iter().map(|&s| s.to_owned()).collect();
    let one = Consumer { subjects: subjects(&["a.b"]), ..group("g") };
    let mut open = fixture.open(one.clone()).await?;
    wait_in_vain(&fixture, &mut open).await?;
    fixture.publish("a.c", "1").await?;
    drop(open);
    // Another bound makes the server look for messages, but nobody asks.
    drop(fixture.open(Consumer { max_in_flight: 1, ..one.clone() }).await?);
    let two = Consumer { subjects: subjects(&["a.b", "a.c"]), ..one };
    let mut open = fixture.open(two).await?;
    equal(open.backlog(), 1)?;
    fixture.expect(&mut open, "1", 1).await.map(drop)
}

async fn a_dropped_subscription_keeps_what_it_was_served_before(fixture: Fixture) -> Outcome {
    let narrow = Consumer { max_in_flight: 1, ..brief("g") };
    let mut open = fixture.open(narrow).await?;
    fixture.publish("a.b", "1").await?;
    fixture.expect(&mut open, "1", 1).await?;
    wait_in_vain(&fixture, &mut open).await?;
    // The redelivery goes to the dropped wait, and is lost with its subscription.
    fixture.clock.sleep(SHORT).await;
    drop(open);
    let mut open = fixture.open(group("g")).await?;
    fixture.quiet(&mut open).await?;
    drop(open);
    let mut open = fixture.open(brief("g")).await?;
    fixture.expect(&mut open, "1", 3).await.map(drop)
}
