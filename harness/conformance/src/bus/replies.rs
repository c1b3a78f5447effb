//! Replies to a delivery: ack, nak, delayed nak and in progress; late, early and twice.

use std::time::Duration;

use ports::bus::Consumer;

use super::case::{Case, case};
use super::fixture::{Fixture, QUIET, SHORT, brief, group};
use crate::outcome::{Outcome, equal, holds};

const LONG: Duration = Duration::from_secs(1);

pub(super) const CASES: &[Case] = &[
    case!(acknowledging_twice_is_harmless),
    case!(a_late_acknowledgement_counts),
    case!(an_acknowledgement_of_an_earlier_attempt_counts),
    case!(an_acknowledgement_cancels_a_delayed_redelivery),
    case!(a_nak_redelivers_at_once),
    case!(a_delayed_nak_redelivers_no_earlier_than_its_delay),
    case!(a_nak_delay_may_exceed_the_ack_wait),
    case!(a_nak_delay_may_be_shorter_than_the_ack_wait),
    case!(redeliveries_follow_the_order_of_the_naks),
    case!(a_delayed_message_does_not_block_others),
    case!(a_delayed_message_still_counts_as_in_flight),
    case!(a_nak_after_an_acknowledgement_is_ignored),
    case!(a_nak_of_an_earlier_attempt_redelivers),
    case!(in_progress_restarts_the_ack_wait),
    case!(repeated_in_progress_prevents_redelivery),
    case!(in_progress_after_an_acknowledgement_is_ignored),
    case!(in_progress_does_not_count_as_an_attempt),
];

async fn acknowledging_twice_is_harmless(fixture: Fixture) -> Outcome {
    let mut open = fixture.open(brief("g")).await?;
    fixture.publish_all("a.b", &["1", "2"]).await?;
    let first = fixture.expect(&mut open, "1", 1).await?;
    first.reply.ack().await?;
    first.reply.ack().await?;
    fixture.expect(&mut open, "2", 1).await?.reply.ack().await?;
    first.reply.ack().await?;
    fixture.quiet_for(&mut open, SHORT * 2).await
}

async fn a_late_acknowledgement_counts(fixture: Fixture) -> Outcome {
    let mut open = fixture.open(brief("g")).await?;
    fixture.publish("a.b", "1").await?;
    let late = fixture.expect(&mut open, "1", 1).await?;
    fixture.clock.sleep(SHORT * 2).await;
    late.reply.ack().await?;
    fixture.quiet_for(&mut open, SHORT * 2).await?;
    fixture.progress(&[("g", 0, 0)]).await
}

async fn an_acknowledgement_of_an_earlier_attempt_counts(fixture: Fixture) -> Outcome {
    let mut open = fixture.open(brief("g")).await?;
    fixture.publish("a.b", "1").await?;
    let first = fixture.expect(&mut open, "1", 1).await?;
    fixture.expect(&mut open, "1", 2).await?;
    first.reply.ack().await?;
    fixture.quiet_for(&mut open, SHORT * 2).await?;
    fixture.progress(&[("g", 0, 0)]).await
}

async fn an_acknowledgement_cancels_a_delayed_redelivery(fixture: Fixture) -> Outcome {
    let mut open = fixture.open(group("g")).await?;
    fixture.publish("a.b", "1").await?;
    let delivery = fixture.expect(&mut open, "1", 1).await?;
    delivery.reply.nak(SHORT).await?;
    delivery.reply.ack().await?;
    fixture.quiet_for(&mut open, SHORT * 2).await?;
    fixture.progress(&[("g", 0, 0)]).await
}

async fn a_nak_redelivers_at_once(fixture: Fixture) -> Outcome {
    let mut open = fixture.open(group("g")).await?;
    fixture.publish("a.b", "1").await?;
    for attempt in 1..=3 {
        // The ack wait exceeds the patience of the case.
        fixture.expect(&mut open, "1", attempt).await?.reply.nak(Duration::ZERO).await?;
    }
    fixture.expect(&mut open, "1", 4).await?.reply.ack().await?;
    fixture.quiet(&mut open).await
}

async fn a_delayed_nak_redelivers_no_earlier_than_its_delay(fixture: Fixture) -> Outcome {
    let mut open = fixture.open(group("g")).await?;
    fixture.publish("a.b", "1").await?;
    let delivery = fixture.expect(&mut open, "1", 1).await?;
    let before = fixture.clock.now();
    delivery.reply.nak(SHORT).await?;
    fixture.expect(&mut open, "1", 2).await?.reply.ack().await?;
    fixture.elapsed(before, SHORT)?;
    fixture.quiet_for(&mut open, SHORT * 2).await
}

async fn a_nak_delay_may_exceed_the_ack_wait(fixture: Fixture) -> Outcome {
    let mut open = fixture.open(brief("g")).await?;
    fixture.publish("a.b", "1").await?;
    let delivery = fixture.expect(&mut open, "1", 1).await?;
    let before = fixture.clock.now();
    delivery.reply.nak(SHORT * 3).await?;
    fixture.expect(&mut open, "1", 2).await?;
    fixture.elapsed(before, SHORT * 3)?;
    // From then on the regular ack wait applies.
    fixture.expect(&mut open, "1", 3).await?;
    fixture.elapsed(before, SHORT * 4)
}

async fn a_nak_delay_may_be_shorter_than_the_ack_wait(fixture: Fixture) -> Outcome {
    let mut open = fixture.open(group("g")).await?;
    fixture.publish_all("a.b", &["1", "2"]).await?;
    let first = fixture.expect(&mut open, "1", 1).await?;
    let second = fixture.expect(&mut open, "2", 1).await?;
    let before = fixture.clock.now();
    first.reply.nak(SHORT * 2).await?;
    second.reply.nak(SHORT).await?;
    fixture.expect(&mut open, "2", 2).await?;
    fixture.elapsed(before, SHORT)?;
    fixture.expect(&mut open, "1", 2).await?;
    fixture.elapsed(before, SHORT * 2)
}

async fn redeliveries_follow_the_order_of_the_naks(fixture: Fixture) -> Outcome {
    let mut open = fixture.open(group("g")).await?;
    fixture.publish_all("a.b", &["1", "2", "3"]).await?;
    let first = fixture.expect(&mut open, "1", 1).await?;
    fixture.expect(&mut open, "2", 1).await?;
    let third = fixture.expect(&mut open, "3", 1).await?;
    third.reply.nak(Duration::ZERO).await?;
    first.reply.nak(Duration::ZERO).await?;
    fixture.expect(&mut open, "3", 2).await?;
    fixture.expect(&mut open, "1", 2).await.map(drop)
}

async fn a_delayed_message_does_not_block_others(fixture: Fixture) -> Outcome {
    let mut open = fixture.open(group("g")).await?;
    fixture.publish_all("a.b", &["1", "2"]).await?;
    fixture.expect(&mut open, "1", 1).await?.reply.nak(LONG * 2).await?;
    fixture.expect(&mut open, "2", 1).await?.reply.ack().await?;
    fixture.expect(&mut open, "1", 2).await.map(drop)
}

async fn a_delayed_message_still_counts_as_in_flight(fixture: Fixture) -> Outcome {
    let mut open = fixture.open(Consumer { max_in_flight: 1, ..group("g") }).await?;
    fixture.publish_all("a.b", &["1", "2"]).await?;
    fixture.expect(&mut open, "1", 1).await?.reply.nak(SHORT).await?;
    fixture.expect(&mut open, "1", 2).await?.reply.ack().await?;
    fixture.expect(&mut open, "2", 1).await.map(drop)
}

async fn a_nak_after_an_acknowledgement_is_ignored(fixture: Fixture) -> Outcome {
    let mut open = fixture.open(group("g")).await?;
    fixture.publish("a.b", "1").await?;
    let delivery = fixture.expect(&mut open, "1", 1).await?;
    delivery.reply.ack().await?;
    delivery.reply.nak(Duration::ZERO).await?;
    delivery.reply.nak(Duration::from_millis(1)).await?;
    fixture.quiet(&mut open).await?;
    fixture.progress(&[("g", 0, 0)]).await
}

async fn a_nak_of_an_earlier_attempt_redelivers(fixture: Fixture) -> Outcome {
    let mut open = fixture.open(Consumer { ack_wait: SHORT, ..group("g") }).await?;
    fixture.publish("a.b", "1").await?;
    let first = fixture.expect(&mut open, "1", 1).await?;
    let second = fixture.expect(&mut open, "1", 2).await?;
    // From here on the ack wait exceeds the patience of the case.
    drop(open);
    let mut open = fixture.open(group("g")).await?;
    second.reply.in_progress().await?;
    first.reply.nak(Duration::ZERO).await?;
    let third = fixture.next(&mut open).await?;
    holds(third.attempt >= 3, || format!("attempt {}", third.attempt))?;
    Ok(())
}

async fn in_progress_restarts_the_ack_wait(fixture: Fixture) -> Outcome {
    let mut open = fixture.open(Consumer { ack_wait: LONG, ..group("g") }).await?;
    fixture.publish("a.b", "1").await?;
    let delivery = fixture.expect(&mut open, "1", 1).await?;
    fixture.clock.sleep(LONG / 2).await;
    let before = fixture.clock.now();
    delivery.reply.in_progress().await?;
    fixture.expect(&mut open, "1", 2).await?;
    fixture.elapsed(before, LONG)
}

async fn repeated_in_progress_prevents_redelivery(fixture: Fixture) -> Outcome {
    let mut open = fixture.open(Consumer { ack_wait: LONG, ..group("g") }).await?;
    fixture.publish("a.b", "1").await?;
    let delivery = fixture.expect(&mut open, "1", 1).await?;
    for _ in 0..6 {
        fixture.quiet_for(&mut open, LONG / 4).await?;
        delivery.reply.in_progress().await?;
    }
    delivery.reply.ack().await?;
    fixture.quiet(&mut open).await
}

async fn in_progress_after_an_acknowledgement_is_ignored(fixture: Fixture) -> Outcome {
    let mut open = fixture.open(brief("g")).await?;
    fixture.publish("a.b", "1").await?;
    let delivery = fixture.expect(&mut open, "1", 1).await?;
    delivery.reply.ack().await?;
    delivery.reply.in_progress().await?;
    fixture.progress(&[("g", 0, 0)]).await?;
    fixture.quiet_for(&mut open, SHORT + QUIET).await
}

async fn in_progress_does_not_count_as_an_attempt(fixture: Fixture) -> Outcome {
    let mut open = fixture.open(brief("g")).await?;
    fixture.publish("a.b", "1").await?;
    let delivery = fixture.expect(&mut open, "1", 1).await?;
    delivery.reply.in_progress().await?;
    let again = fixture.next(&mut open).await?;
    equal((again.attempt, again.message.id.as_str()), (2, "1"))
}
