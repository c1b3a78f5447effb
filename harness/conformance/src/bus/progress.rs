//! The progress of the consumers: undelivered and unacknowledged messages.

use std::time::Duration;

use ports::bus::{Consumer, Group, Start, Stream};

use super::case::{Case, case};
use super::fixture::{Fixture, SHORT, broadcast, group, message};
use crate::outcome::Outcome;

pub(super) const CASES: &[Case] = &[
    case!(without_consumers_nothing_is_pending),
    case!(counts_follow_a_message_to_its_acknowledgement),
    case!(idle_consumers_are_listed),
    case!(only_messages_that_pass_the_filter_are_counted),
    case!(dead_letters_are_not_counted),
    case!(counts_outlive_a_subscription),
    case!(a_delayed_redelivery_counts_as_unacknowledged),
    case!(a_redelivered_message_counts_once),
    case!(broadcast_consumers_are_counted),
    case!(many_consumers_are_all_counted),
];

async fn without_consumers_nothing_is_pending(fixture: Fixture) -> Outcome {
    fixture.publish("a.b", "1").await?;
    fixture.progress(&[]).await
}

async fn counts_follow_a_message_to_its_acknowledgement(fixture: Fixture) -> Outcome {
    let mut open = fixture.open(group("g")).await?;
    fixture.progress(&[("g", 0, 0)]).await?;
    fixture.publish_all("a.b", &["1", "2", "3"]).await?;
    fixture.progress(&[("g", 3, 0)]).await?;
    let first = fixture.expect(&mut open, "1", 1).await?;
    fixture.progress(&[("g", 2, 1)]).await?;
    let second = fixture.expect(&mut open, "2", 1).await?;
    fixture.progress(&[("g", 1, 2)]).await?;
    first.reply.ack().await?;
    fixture.progress(&[("g", 1, 1)]).await?;
    fixture.expect(&mut open, "3", 1).await?.reply.ack().await?;
    fixture.progress(&[("g", 0, 1)]).await?;
    second.reply.ack().await?;
    fixture.progress(&[("g", 0, 0)]).await
}

async fn idle_consumers_are_listed(fixture: Fixture) -> Outcome {
    fixture.publish("a.b", "1").await?;
    let _new = fixture.open(Consumer { start: Start::New, ..group("z-new") }).await?;
    let mut done = fixture.open(group("m-done")).await?;
    let _all = fixture.open(group("a-all")).await?;
    fixture.take(&mut done, 1).await?;
    fixture.progress(&[("a-all", 1, 0), ("m-done", 0, 0), ("z-new", 0, 0)]).await
}

async fn only_messages_that_pass_the_filter_are_counted(fixture: Fixture) -> Outcome {
    let subjects = vec!["a.b".to_owned(), "a.c".to_owned()];
    let _open = fixture.open(Consumer { subjects, ..group("g") }).await?;
    for (subject, id) in [("a.b", "1"), ("a.d", "2"), ("a.c", "3"), ("x.y", "4")] {
        fixture.publish(subject, id).await?;
    }
    fixture.progress(&[("g", 2, 0)]).await
}

async fn dead_letters_are_not_counted(fixture: Fixture) -> Outcome {
    let _dead = fixture.open(Consumer { stream: Stream::DeadLetters, ..group("dead") }).await?;
    let _open = fixture.open(group("g")).await?;
    fixture.bus.publish(Stream::DeadLetters, message("a.b", "1")).await?;
    fixture.progress(&[("g", 0, 0)]).await
}

async fn counts_outlive_a_subscription(fixture: Fixture) -> Outcome {
    let mut open = fixture.open(group("g")).await?;
    fixture.publish_all("a.b", &["1", "2"]).await?;
    fixture.expect(&mut open, "1", 1).await?;
    drop(open);
    fixture.publish("a.b", "3").await?;
    fixture.progress(&[("g", 2, 1)]).await
}

async fn a_delayed_redelivery_counts_as_unacknowledged(fixture: Fixture) -> Outcome {
    let mut open = fixture.open(group("g")).await?;
    fixture.publish("a.b", "1").await?;
    fixture.expect(&mut open, "1", 1).await?.reply.nak(Duration::from_secs(30)).await?;
    fixture.progress(&[("g", 0, 1)]).await
}

async fn a_redelivered_message_counts_once(fixture: Fixture) -> Outcome {
    let mut open = fixture.open(Consumer { ack_wait: SHORT, ..group("g") }).await?;
    fixture.publish("a.b", "1").await?;
    fixture.expect(&mut open, "1", 1).await?;
    let again = fixture.expect(&mut open, "1", 2).await?;
    fixture.progress(&[("g", 0, 1)]).await?;
    again.reply.ack().await?;
    fixture.progress(&[("g", 0, 0)]).await
}

async fn broadcast_consumers_are_counted(fixture: Fixture) -> Outcome {
    let mut one = fixture.open(broadcast("b")).await?;
    let two = fixture.other.subscribe(broadcast("b")).await?;
    fixture.publish("a.b", "1").await?;
    fixture.progress(&[("b", 1, 0), ("b", 1, 0)]).await?;
    drop(two);
    fixture.expect(&mut one, "1", 1).await?.reply.ack().await?;
    fixture.progress(&[("b", 0, 0)]).await
}

async fn many_consumers_are_all_counted(fixture: Fixture) -> Outcome {
    let names: Vec<String> = (100..140).map(|n| format!("g{n}")).collect();
    let mut opened = Vec::new();
    for (n, name) in names.iter().enumerate() {
        let kind = if n % 4 == 0 { Group::Broadcast } else { Group::Durable };
        opened.push(fixture.open(Consumer { group: kind, ..group(name) }).await?);
    }
    fixture.publish("a.b", "1").await?;
    let expected: Vec<(&str, u64, u64)> = names.iter().map(|n| (n.as_str(), 1, 0)).collect();
    fixture.progress(&expected).await
}
