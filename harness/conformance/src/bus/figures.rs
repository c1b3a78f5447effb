//! What the consumers still have to do, at each stage.

use std::time::Duration;

use ports::bus::{Consumer, Group, Start, Stream};

use super::{Case, SHORT, Stage, broadcast, case, group, message};

pub(super) const CASES: &[Case] = &[
    case!(without_consumers_nothing_is_pending),
    case!(figures_follow_a_message_to_its_acknowledgement),
    case!(figures_name_consumers_with_nothing_to_do),
    case!(figures_count_only_what_a_consumer_hears),
    case!(figures_leave_dead_letters_out),
    case!(figures_outlive_a_subscription),
    case!(figures_count_a_message_put_off_as_unacknowledged),
    case!(figures_count_a_repeated_delivery_once),
    case!(figures_count_broadcasts_too),
    case!(many_consumers_are_all_counted),
];

async fn without_consumers_nothing_is_pending(stage: Stage) -> anyhow::Result<()> {
    stage.publish("a.b", "1").await?;
    stage.figures(&[]).await
}

async fn figures_follow_a_message_to_its_acknowledgement(stage: Stage) -> anyhow::Result<()> {
    let mut open = stage.open(group("g")).await?;
    stage.figures(&[("g", 0, 0)]).await?;
    stage.publish_all("a.b", &["1", "2", "3"]).await?;
    stage.figures(&[("g", 3, 0)]).await?;
    let first = stage.expect(&mut open, "1", 1).await?;
    stage.figures(&[("g", 2, 1)]).await?;
    let second = stage.expect(&mut open, "2", 1).await?;
    stage.figures(&[("g", 1, 2)]).await?;
    first.reply.ack().await?;
    stage.figures(&[("g", 1, 1)]).await?;
    stage.expect(&mut open, "3", 1).await?.reply.ack().await?;
    stage.figures(&[("g", 0, 1)]).await?;
    second.reply.ack().await?;
    stage.figures(&[("g", 0, 0)]).await
}

async fn figures_name_consumers_with_nothing_to_do(stage: Stage) -> anyhow::Result<()> {
    stage.publish("a.b", "1").await?;
    let _new = stage.open(Consumer { start: Start::New, ..group("z-new") }).await?;
    let mut done = stage.open(group("m-done")).await?;
    let _all = stage.open(group("a-all")).await?;
    stage.take(&mut done, 1).await?;
    stage.figures(&[("a-all", 1, 0), ("m-done", 0, 0), ("z-new", 0, 0)]).await
}

async fn figures_count_only_what_a_consumer_hears(stage: Stage) -> anyhow::Result<()> {
    let subjects = vec!["a.b".to_owned(), "a.c".to_owned()];
    let _open = stage.open(Consumer { subjects, ..group("g") }).await?;
    for (subject, id) in [("a.b", "1"), ("a.d", "2"), ("a.c", "3"), ("x.y", "4")] {
        stage.publish(subject, id).await?;
    }
    stage.figures(&[("g", 2, 0)]).await
}

async fn figures_leave_dead_letters_out(stage: Stage) -> anyhow::Result<()> {
    let _dead = stage.open(Consumer { stream: Stream::DeadLetters, ..group("dead") }).await?;
    let _open = stage.open(group("g")).await?;
    stage.bus.publish(Stream::DeadLetters, message("a.b", "1")).await?;
    stage.figures(&[("g", 0, 0)]).await
}

async fn figures_outlive_a_subscription(stage: Stage) -> anyhow::Result<()> {
    let mut open = stage.open(group("g")).await?;
    stage.publish_all("a.b", &["1", "2"]).await?;
    stage.expect(&mut open, "1", 1).await?;
    drop(open);
    stage.publish("a.b", "3").await?;
    stage.figures(&[("g", 2, 1)]).await
}

async fn figures_count_a_message_put_off_as_unacknowledged(stage: Stage) -> anyhow::Result<()> {
    let mut open = stage.open(group("g")).await?;
    stage.publish("a.b", "1").await?;
    stage.expect(&mut open, "1", 1).await?.reply.nak(Duration::from_secs(30)).await?;
    stage.figures(&[("g", 0, 1)]).await
}

async fn figures_count_a_repeated_delivery_once(stage: Stage) -> anyhow::Result<()> {
    let mut open = stage.open(Consumer { ack_wait: SHORT, ..group("g") }).await?;
    stage.publish("a.b", "1").await?;
    stage.expect(&mut open, "1", 1).await?;
    let again = stage.expect(&mut open, "1", 2).await?;
    stage.figures(&[("g", 0, 1)]).await?;
    again.reply.ack().await?;
    stage.figures(&[("g", 0, 0)]).await
}

async fn figures_count_broadcasts_too(stage: Stage) -> anyhow::Result<()> {
    let mut one = stage.open(broadcast("b")).await?;
    let two = stage.other.subscribe(broadcast("b")).await?;
    stage.publish("a.b", "1").await?;
    stage.figures(&[("b", 1, 0), ("b", 1, 0)]).await?;
    drop(two);
    stage.expect(&mut one, "1", 1).await?.reply.ack().await?;
    stage.figures(&[("b", 0, 0)]).await
}

async fn many_consumers_are_all_counted(stage: Stage) -> anyhow::Result<()> {
    let names: Vec<String> = (100..140).map(|n| format!("g{n}")).collect();
    let mut opened = Vec::new();
    for (n, name) in names.iter().enumerate() {
        let kind = if n % 4 == 0 { Group::Broadcast } else { Group::Durable };
        opened.push(stage.open(Consumer { group: kind, ..group(name) }).await?);
    }
    stage.publish("a.b", "1").await?;
    let expected: Vec<(&str, u64, u64)> = names.iter().map(|n| (n.as_str(), 1, 0)).collect();
    stage.figures(&expected).await
}
