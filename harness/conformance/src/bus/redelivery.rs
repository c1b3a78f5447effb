//! Delivery again: when, how often, and in which order.

pub(super) mod answers;

use std::time::Duration;

use ports::bus::Consumer;

use super::{Case, SHORT, Stage, case, equal, group};

pub(super) const CASES: &[Case] = &[
    case!(what_is_not_acknowledged_comes_again_after_the_ack_wait),
    case!(each_delivery_counts_one_attempt_more),
    case!(what_is_acknowledged_does_not_come_again),
    case!(only_what_is_not_acknowledged_comes_again),
    case!(what_comes_again_comes_before_what_is_new),
    case!(what_falls_due_together_comes_in_order),
    case!(what_comes_again_needs_no_room),
    case!(a_message_is_given_up_after_its_last_delivery),
    case!(a_message_refused_in_its_last_delivery_is_given_up),
    case!(a_message_put_off_in_its_last_delivery_is_given_up),
    case!(a_message_that_is_given_up_makes_room),
    case!(one_delivery_at_most_is_never_repeated),
    case!(groups_count_attempts_each_for_itself),
    case!(a_shorter_ack_wait_holds_for_what_is_out),
    case!(a_longer_ack_wait_holds_for_what_is_out),
    case!(fewer_deliveries_hold_for_what_is_out),
];

fn brief(name: &str) -> Consumer {
    Consumer { ack_wait: SHORT, ..group(name) }
}

async fn what_is_not_acknowledged_comes_again_after_the_ack_wait(
    stage: Stage,
) -> anyhow::Result<()> {
    let mut open = stage.open(brief("g")).await?;
    let before = stage.clock.now();
    let position = stage.publish("a.b", "1").await?.sequence;
    let first = stage.expect(&mut open, "1", 1).await?;
    let second = stage.expect(&mut open, "1", 2).await?;
    stage.passed(before, SHORT)?;
    equal((first.sequence, second.sequence), (position, position))?;
    equal(first.published, second.published)?;
    equal(first.message, second.message)
}

async fn each_delivery_counts_one_attempt_more(stage: Stage) -> anyhow::Result<()> {
    let mut open = stage.open(brief("g")).await?;
    let before = stage.clock.now();
    stage.publish("a.b", "1").await?;
    for attempt in 1..=4 {
        stage.expect(&mut open, "1", attempt).await?;
        stage.passed(before, SHORT * (attempt - 1))?;
    }
    Ok(())
}

async fn what_is_acknowledged_does_not_come_again(stage: Stage) -> anyhow::Result<()> {
    let mut open = stage.open(brief("g")).await?;
    stage.publish("a.b", "1").await?;
    equal(stage.take(&mut open, 1).await?, vec!["1"])?;
    stage.quiet_for(&mut open, SHORT * 3).await
}

async fn only_what_is_not_acknowledged_comes_again(stage: Stage) -> anyhow::Result<()> {
    let mut open = stage.open(brief("g")).await?;
    stage.publish_all("a.b", &["1", "2", "3"]).await?;
    let first = stage.expect(&mut open, "1", 1).await?;
    stage.expect(&mut open, "2", 1).await?;
    let third = stage.expect(&mut open, "3", 1).await?;
    first.reply.ack().await?;
    third.reply.ack().await?;
    let again = stage.next(&mut open).await?;
    equal(again.message.id.as_str(), "2")?;
    again.reply.ack().await?;
    stage.quiet_for(&mut open, SHORT * 2).await
}

async fn what_comes_again_comes_before_what_is_new(stage: Stage) -> anyhow::Result<()> {
    let mut open = stage.open(group("g")).await?;
    stage.publish_all("a.b", &["1", "2", "3"]).await?;
    let first = stage.expect(&mut open, "1", 1).await?;
    first.reply.nak(Duration::ZERO).await?;
    stage.expect(&mut open, "1", 2).await?;
    stage.expect(&mut open, "2", 1).await?;
    stage.expect(&mut open, "3", 1).await.map(drop)
}

async fn what_falls_due_together_comes_in_order(stage: Stage) -> anyhow::Result<()> {
    stage.publish_all("a.b", &["1", "2", "3"]).await?;
    let mut open = stage.open(brief("g")).await?;
    for id in ["1", "2", "3"] {
        stage.expect(&mut open, id, 1).await?;
    }
    stage.clock.sleep(SHORT * 2).await;
    for id in ["1", "2", "3"] {
        stage.expect(&mut open, id, 2).await?.reply.ack().await?;
    }
    stage.quiet_for(&mut open, SHORT * 2).await
}

async fn what_comes_again_needs_no_room(stage: Stage) -> anyhow::Result<()> {
    stage.publish_all("a.b", &["1", "2"]).await?;
    let mut open = stage.open(Consumer { max_in_flight: 1, ..brief("g") }).await?;
    stage.expect(&mut open, "1", 1).await?;
    stage.expect(&mut open, "1", 2).await?;
    stage.expect(&mut open, "1", 3).await?.reply.ack().await?;
    stage.expect(&mut open, "2", 1).await.map(drop)
}

async fn a_message_is_given_up_after_its_last_delivery(stage: Stage) -> anyhow::Result<()> {
    let mut open = stage.open(Consumer { max_deliver: Some(2), ..brief("g") }).await?;
    stage.publish("a.b", "1").await?;
    stage.expect(&mut open, "1", 1).await?;
    let last = stage.expect(&mut open, "1", 2).await?;
    stage.quiet_for(&mut open, SHORT * 3).await?;
    stage.figures(&[("g", 0, 0)]).await?;
    // Too late, and no harm.
    Ok(last.reply.ack().await?)
}

async fn a_message_refused_in_its_last_delivery_is_given_up(stage: Stage) -> anyhow::Result<()> {
    let mut open = stage.open(Consumer { max_deliver: Some(2), ..group("g") }).await?;
    stage.publish("a.b", "1").await?;
    stage.expect(&mut open, "1", 1).await?.reply.nak(Duration::ZERO).await?;
    stage.expect(&mut open, "1", 2).await?.reply.nak(Duration::ZERO).await?;
    stage.quiet(&mut open).await?;
    stage.figures(&[("g", 0, 0)]).await
}

async fn a_message_put_off_in_its_last_delivery_is_given_up(stage: Stage) -> anyhow::Result<()> {
    let mut open = stage.open(Consumer { max_deliver: Some(1), ..group("g") }).await?;
    stage.publish("a.b", "1").await?;
    stage.expect(&mut open, "1", 1).await?.reply.nak(SHORT).await?;
    stage.quiet_for(&mut open, SHORT * 2).await?;
    stage.figures(&[("g", 0, 0)]).await
}

async fn a_message_that_is_given_up_makes_room(stage: Stage) -> anyhow::Result<()> {
    let narrow = Consumer { max_deliver: Some(2), max_in_flight: 1, ..brief("g") };
    let mut open = stage.open(narrow).await?;
    stage.publish_all("a.b", &["1", "2"]).await?;
    stage.expect(&mut open, "1", 1).await?;
    stage.expect(&mut open, "1", 2).await?;
    stage.expect(&mut open, "2", 1).await.map(drop)
}

async fn one_delivery_at_most_is_never_repeated(stage: Stage) -> anyhow::Result<()> {
    let mut open = stage.open(Consumer { max_deliver: Some(1), ..brief("g") }).await?;
    stage.publish_all("a.b", &["1", "2"]).await?;
    stage.expect(&mut open, "1", 1).await?;
    stage.expect(&mut open, "2", 1).await?;
    stage.quiet_for(&mut open, SHORT * 2).await
}

async fn groups_count_attempts_each_for_itself(stage: Stage) -> anyhow::Result<()> {
    let mut bounded = stage.open(Consumer { max_deliver: Some(1), ..brief("bounded") }).await?;
    let mut free = stage.open(brief("free")).await?;
    stage.publish("a.b", "1").await?;
    stage.expect(&mut bounded, "1", 1).await?;
    stage.expect(&mut free, "1", 1).await?;
    stage.expect(&mut free, "1", 2).await?;
    stage.expect(&mut free, "1", 3).await?;
    stage.quiet_for(&mut bounded, SHORT).await
}

async fn a_shorter_ack_wait_holds_for_what_is_out(stage: Stage) -> anyhow::Result<()> {
    let mut open = stage.open(group("g")).await?;
    stage.publish("a.b", "1").await?;
    stage.expect(&mut open, "1", 1).await?;
    // The first ack wait is longer than the case waits.
    let _shorter = stage.other.subscribe(brief("g")).await?;
    stage.expect(&mut open, "1", 2).await.map(drop)
}

async fn a_longer_ack_wait_holds_for_what_is_out(stage: Stage) -> anyhow::Result<()> {
    let patient = Consumer { ack_wait: SHORT * 8, ..group("g") };
    let mut open = stage.open(patient).await?;
    let before = stage.clock.now();
    stage.publish("a.b", "1").await?;
    stage.expect(&mut open, "1", 1).await?;
    let _longer = stage.other.subscribe(Consumer { ack_wait: SHORT * 12, ..group("g") }).await?;
    stage.expect(&mut open, "1", 2).await?;
    stage.passed(before, SHORT * 12)
}

async fn fewer_deliveries_hold_for_what_is_out(stage: Stage) -> anyhow::Result<()> {
    let mut open = stage.open(brief("g")).await?;
    stage.publish("a.b", "1").await?;
    for attempt in 1..=3 {
        stage.expect(&mut open, "1", attempt).await?;
    }
    let fewer = Consumer { max_deliver: Some(2), ..brief("g") };
    let _fewer = stage.other.subscribe(fewer).await?;
    stage.quiet_for(&mut open, SHORT * 3).await?;
    stage.figures(&[("g", 0, 0)]).await
}
