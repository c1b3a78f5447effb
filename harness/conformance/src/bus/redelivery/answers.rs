//! What an answer does: acknowledge, refuse, put off, ask for time; early, late and twice.

use std::time::Duration;

use ports::bus::Consumer;

use super::brief;
use crate::bus::{Case, QUIET, SHORT, Stage, case, equal, group};

const LONG: Duration = Duration::from_secs(1);

pub(in crate::bus) const CASES: &[Case] = &[
    case!(acknowledging_twice_does_no_harm),
    case!(an_acknowledgement_after_the_ack_wait_still_counts),
    case!(an_acknowledgement_of_an_earlier_attempt_counts),
    case!(an_acknowledgement_takes_a_delay_back),
    case!(a_refused_message_comes_again_at_once),
    case!(a_message_put_off_comes_not_before_its_delay),
    case!(a_delay_may_be_longer_than_the_ack_wait),
    case!(a_delay_may_be_shorter_than_the_ack_wait),
    case!(refused_messages_come_in_the_order_of_their_refusals),
    case!(a_message_put_off_does_not_hold_others_back),
    case!(a_message_put_off_keeps_its_room),
    case!(refusing_what_is_acknowledged_does_nothing),
    case!(refusing_an_earlier_attempt_makes_another),
    case!(progress_starts_the_ack_wait_again),
    case!(progress_again_and_again_keeps_a_message),
    case!(progress_of_what_is_acknowledged_does_nothing),
    case!(progress_does_not_count_an_attempt),
];

async fn acknowledging_twice_does_no_harm(stage: Stage) -> anyhow::Result<()> {
    let mut open = stage.open(brief("g")).await?;
    stage.publish_all("a.b", &["1", "2"]).await?;
    let first = stage.expect(&mut open, "1", 1).await?;
    first.reply.ack().await?;
    first.reply.ack().await?;
    stage.expect(&mut open, "2", 1).await?.reply.ack().await?;
    first.reply.ack().await?;
    stage.quiet_for(&mut open, SHORT * 2).await
}

async fn an_acknowledgement_after_the_ack_wait_still_counts(stage: Stage) -> anyhow::Result<()> {
    let mut open = stage.open(brief("g")).await?;
    stage.publish("a.b", "1").await?;
    let late = stage.expect(&mut open, "1", 1).await?;
    stage.clock.sleep(SHORT * 2).await;
    late.reply.ack().await?;
    stage.quiet_for(&mut open, SHORT * 2).await?;
    stage.figures(&[("g", 0, 0)]).await
}

async fn an_acknowledgement_of_an_earlier_attempt_counts(stage: Stage) -> anyhow::Result<()> {
    let mut open = stage.open(brief("g")).await?;
    stage.publish("a.b", "1").await?;
    let first = stage.expect(&mut open, "1", 1).await?;
    stage.expect(&mut open, "1", 2).await?;
    first.reply.ack().await?;
    stage.quiet_for(&mut open, SHORT * 2).await?;
    stage.figures(&[("g", 0, 0)]).await
}

async fn an_acknowledgement_takes_a_delay_back(stage: Stage) -> anyhow::Result<()> {
    let mut open = stage.open(group("g")).await?;
    stage.publish("a.b", "1").await?;
    let delivery = stage.expect(&mut open, "1", 1).await?;
    delivery.reply.nak(SHORT).await?;
    delivery.reply.ack().await?;
    stage.quiet_for(&mut open, SHORT * 2).await?;
    stage.figures(&[("g", 0, 0)]).await
}

async fn a_refused_message_comes_again_at_once(stage: Stage) -> anyhow::Result<()> {
    let mut open = stage.open(group("g")).await?;
    stage.publish("a.b", "1").await?;
    for attempt in 1..=3 {
        // The ack wait is longer than the case waits.
        stage.expect(&mut open, "1", attempt).await?.reply.nak(Duration::ZERO).await?;
    }
    stage.expect(&mut open, "1", 4).await?.reply.ack().await?;
    stage.quiet(&mut open).await
}

async fn a_message_put_off_comes_not_before_its_delay(stage: Stage) -> anyhow::Result<()> {
    let mut open = stage.open(group("g")).await?;
    stage.publish("a.b", "1").await?;
    let delivery = stage.expect(&mut open, "1", 1).await?;
    let before = stage.clock.now();
    delivery.reply.nak(SHORT).await?;
    stage.expect(&mut open, "1", 2).await?.reply.ack().await?;
    stage.passed(before, SHORT)?;
    stage.quiet_for(&mut open, SHORT * 2).await
}

async fn a_delay_may_be_longer_than_the_ack_wait(stage: Stage) -> anyhow::Result<()> {
    let mut open = stage.open(brief("g")).await?;
    stage.publish("a.b", "1").await?;
    let delivery = stage.expect(&mut open, "1", 1).await?;
    let before = stage.clock.now();
    delivery.reply.nak(SHORT * 3).await?;
    stage.expect(&mut open, "1", 2).await?;
    stage.passed(before, SHORT * 3)?;
    // From then on the ack wait is the usual one.
    stage.expect(&mut open, "1", 3).await?;
    stage.passed(before, SHORT * 4)
}

async fn a_delay_may_be_shorter_than_the_ack_wait(stage: Stage) -> anyhow::Result<()> {
    let mut open = stage.open(group("g")).await?;
    stage.publish_all("a.b", &["1", "2"]).await?;
    let first = stage.expect(&mut open, "1", 1).await?;
    let second = stage.expect(&mut open, "2", 1).await?;
    let before = stage.clock.now();
    first.reply.nak(SHORT * 2).await?;
    second.reply.nak(SHORT).await?;
    stage.expect(&mut open, "2", 2).await?;
    stage.passed(before, SHORT)?;
    stage.expect(&mut open, "1", 2).await?;
    stage.passed(before, SHORT * 2)
}

async fn refused_messages_come_in_the_order_of_their_refusals(stage: Stage) -> anyhow::Result<()> {
    let mut open = stage.open(group("g")).await?;
    stage.publish_all("a.b", &["1", "2", "3"]).await?;
    let first = stage.expect(&mut open, "1", 1).await?;
    stage.expect(&mut open, "2", 1).await?;
    let third = stage.expect(&mut open, "3", 1).await?;
    third.reply.nak(Duration::ZERO).await?;
    first.reply.nak(Duration::ZERO).await?;
    stage.expect(&mut open, "3", 2).await?;
    stage.expect(&mut open, "1", 2).await.map(drop)
}

async fn a_message_put_off_does_not_hold_others_back(stage: Stage) -> anyhow::Result<()> {
    let mut open = stage.open(group("g")).await?;
    stage.publish_all("a.b", &["1", "2"]).await?;
    stage.expect(&mut open, "1", 1).await?.reply.nak(LONG * 2).await?;
    stage.expect(&mut open, "2", 1).await?.reply.ack().await?;
    stage.expect(&mut open, "1", 2).await.map(drop)
}

async fn a_message_put_off_keeps_its_room(stage: Stage) -> anyhow::Result<()> {
    let mut open = stage.open(Consumer { max_in_flight: 1, ..group("g") }).await?;
    stage.publish_all("a.b", &["1", "2"]).await?;
    stage.expect(&mut open, "1", 1).await?.reply.nak(SHORT).await?;
    stage.expect(&mut open, "1", 2).await?.reply.ack().await?;
    stage.expect(&mut open, "2", 1).await.map(drop)
}

async fn refusing_what_is_acknowledged_does_nothing(stage: Stage) -> anyhow::Result<()> {
    let mut open = stage.open(group("g")).await?;
    stage.publish("a.b", "1").await?;
    let delivery = stage.expect(&mut open, "1", 1).await?;
    delivery.reply.ack().await?;
    delivery.reply.nak(Duration::ZERO).await?;
    delivery.reply.nak(Duration::from_millis(1)).await?;
    stage.quiet(&mut open).await?;
    stage.figures(&[("g", 0, 0)]).await
}

async fn refusing_an_earlier_attempt_makes_another(stage: Stage) -> anyhow::Result<()> {
    let mut open = stage.open(Consumer { ack_wait: SHORT, ..group("g") }).await?;
    stage.publish("a.b", "1").await?;
    let first = stage.expect(&mut open, "1", 1).await?;
    let second = stage.expect(&mut open, "1", 2).await?;
    // From here on the ack wait is longer than the case waits.
    drop(open);
    let mut open = stage.open(group("g")).await?;
    second.reply.in_progress().await?;
    first.reply.nak(Duration::ZERO).await?;
    let third = stage.next(&mut open).await?;
    anyhow::ensure!(third.attempt >= 3, "attempt {}", third.attempt);
    Ok(())
}

async fn progress_starts_the_ack_wait_again(stage: Stage) -> anyhow::Result<()> {
    let mut open = stage.open(Consumer { ack_wait: LONG, ..group("g") }).await?;
    stage.publish("a.b", "1").await?;
    let delivery = stage.expect(&mut open, "1", 1).await?;
    stage.clock.sleep(LONG / 2).await;
    let before = stage.clock.now();
    delivery.reply.in_progress().await?;
    stage.expect(&mut open, "1", 2).await?;
    stage.passed(before, LONG)
}

async fn progress_again_and_again_keeps_a_message(stage: Stage) -> anyhow::Result<()> {
    let mut open = stage.open(Consumer { ack_wait: LONG, ..group("g") }).await?;
    stage.publish("a.b", "1").await?;
    let delivery = stage.expect(&mut open, "1", 1).await?;
    for _ in 0..6 {
        stage.quiet_for(&mut open, LONG / 4).await?;
        delivery.reply.in_progress().await?;
    }
    delivery.reply.ack().await?;
    stage.quiet(&mut open).await
}

async fn progress_of_what_is_acknowledged_does_nothing(stage: Stage) -> anyhow::Result<()> {
    let mut open = stage.open(brief("g")).await?;
    stage.publish("a.b", "1").await?;
    let delivery = stage.expect(&mut open, "1", 1).await?;
    delivery.reply.ack().await?;
    delivery.reply.in_progress().await?;
    stage.figures(&[("g", 0, 0)]).await?;
    stage.quiet_for(&mut open, SHORT + QUIET).await
}

async fn progress_does_not_count_an_attempt(stage: Stage) -> anyhow::Result<()> {
    let mut open = stage.open(brief("g")).await?;
    stage.publish("a.b", "1").await?;
    let delivery = stage.expect(&mut open, "1", 1).await?;
    delivery.reply.in_progress().await?;
    let again = stage.next(&mut open).await?;
    equal((again.attempt, again.message.id.as_str()), (2, "1"))
}
