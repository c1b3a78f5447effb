//! The start position of a consumer, its resumption and its backlog.

use std::time::Duration;

use futures::future::try_join;
use ports::Timestamp;
use ports::bus::{Consumer, Start};
use ports::clock::after;

use super::case::{Case, case};
use super::fixture::{Fixture, SHORT, broadcast, group};
use crate::outcome::{Outcome, equal, holds};

pub(super) const CASES: &[Case] = &[
    case!(a_consumer_from_the_start_receives_every_message),
    case!(a_consumer_of_new_messages_receives_no_earlier_ones),
    case!(a_consumer_from_a_time_receives_the_messages_since),
    case!(the_start_time_is_inclusive),
    case!(a_start_time_in_the_future_delivers_no_earlier_message),
    case!(a_start_time_before_the_first_message_delivers_all),
    case!(a_group_resumes_at_its_position),
    case!(a_group_resumes_for_another_instance),
    case!(an_existing_group_ignores_the_start_position),
    case!(a_group_opened_twice_concurrently_is_created_once),
    case!(a_group_adopts_a_new_configuration),
    case!(each_broadcast_subscription_starts_afresh),
    case!(the_backlog_counts_the_messages_at_the_subscription),
    case!(the_backlog_of_a_group_counts_undelivered_messages),
    case!(new_messages_follow_the_backlog),
];

const PAUSE: Duration = Duration::from_millis(30);

fn starting(start: Start, consumer: Consumer) -> Consumer {
    Consumer { start, ..consumer }
}

async fn a_consumer_from_the_start_receives_every_message(fixture: Fixture) -> Outcome {
    fixture.publish_all("a.b", &["1", "2", "3"]).await?;
    let mut durable = fixture.open(group("g")).await?;
    let mut ephemeral = fixture.open(broadcast("b")).await?;
    equal(fixture.take(&mut durable, 3).await?, vec!["1", "2", "3"])?;
    equal(fixture.take(&mut ephemeral, 3).await?, vec!["1", "2", "3"])
}

async fn a_consumer_of_new_messages_receives_no_earlier_ones(fixture: Fixture) -> Outcome {
    fixture.publish_all("a.b", &["1", "2"]).await?;
    let mut durable = fixture.open(starting(Start::New, group("g"))).await?;
    let mut ephemeral = fixture.open(starting(Start::New, broadcast("b"))).await?;
    equal((durable.backlog(), ephemeral.backlog()), (0, 0))?;
    fixture.publish("a.b", "3").await?;
    equal(fixture.take(&mut durable, 1).await?, vec!["3"])?;
    equal(fixture.take(&mut ephemeral, 1).await?, vec!["3"])?;
    fixture.quiet(&mut durable).await?;
    fixture.quiet(&mut ephemeral).await
}

async fn a_consumer_from_a_time_receives_the_messages_since(fixture: Fixture) -> Outcome {
    fixture.publish_all("a.b", &["1", "2"]).await?;
    fixture.clock.sleep(PAUSE).await;
    let since = Start::Since(fixture.clock.now());
    fixture.publish_all("a.b", &["3", "4"]).await?;
    let mut durable = fixture.open(starting(since, group("g"))).await?;
    let mut ephemeral = fixture.open(starting(since, broadcast("b"))).await?;
    equal((durable.backlog(), ephemeral.backlog()), (2, 2))?;
    fixture.publish("a.b", "5").await?;
    equal(fixture.take(&mut durable, 3).await?, vec!["3", "4", "5"])?;
    equal(fixture.take(&mut ephemeral, 3).await?, vec!["3", "4", "5"])
}

async fn the_start_time_is_inclusive(fixture: Fixture) -> Outcome {
    let mut all = fixture.open(group("all")).await?;
    for id in ["1", "2", "3"] {
        fixture.publish("a.b", id).await?;
        fixture.clock.sleep(PAUSE).await;
    }
    fixture.expect(&mut all, "1", 1).await?;
    let second = fixture.expect(&mut all, "2", 1).await?.published;
    let mut open = fixture.open(starting(Start::Since(second), broadcast("b"))).await?;
    equal(fixture.take(&mut open, 2).await?, vec!["2", "3"])
}

async fn a_start_time_in_the_future_delivers_no_earlier_message(fixture: Fixture) -> Outcome {
    fixture.publish_all("a.b", &["1", "2"]).await?;
    let since = Start::Since(after(fixture.clock.now(), Duration::from_secs(3600)));
    let mut open = fixture.open(starting(since, broadcast("b"))).await?;
    equal(open.backlog(), 0)?;
    fixture.quiet(&mut open).await
}

async fn a_start_time_before_the_first_message_delivers_all(fixture: Fixture) -> Outcome {
    fixture.publish_all("a.b", &["1", "2"]).await?;
    let since = Start::Since(Timestamp::UNIX_EPOCH);
    let mut open = fixture.open(starting(since, broadcast("b"))).await?;
    equal(open.backlog(), 2)?;
    equal(fixture.take(&mut open, 2).await?, vec!["1", "2"])
}

async fn a_group_resumes_at_its_position(fixture: Fixture) -> Outcome {
    fixture.publish_all("a.b", &["1", "2", "3"]).await?;
    let mut open = fixture.open(group("g")).await?;
    equal(fixture.take(&mut open, 2).await?, vec!["1", "2"])?;
    drop(open);
    fixture.publish("a.b", "4").await?;
    let mut open = fixture.open(group("g")).await?;
    equal(fixture.take(&mut open, 2).await?, vec!["3", "4"])?;
    fixture.quiet(&mut open).await
}

async fn a_group_resumes_for_another_instance(fixture: Fixture) -> Outcome {
    fixture.publish_all("a.b", &["1", "2"]).await?;
    let mut one = fixture.open(group("g")).await?;
    equal(fixture.take(&mut one, 1).await?, vec!["1"])?;
    drop(one);
    let mut two = fixture.other.subscribe(group("g")).await?;
    equal(fixture.take(&mut two, 1).await?, vec!["2"])?;
    fixture.quiet(&mut two).await
}

async fn an_existing_group_ignores_the_start_position(fixture: Fixture) -> Outcome {
    fixture.publish_all("a.b", &["1", "2", "3", "4"]).await?;
    let begin = fixture.clock.now();
    let mut open = fixture.open(starting(Start::Since(Timestamp::UNIX_EPOCH), group("g"))).await?;
    equal(fixture.take(&mut open, 1).await?, vec!["1"])?;
    drop(open);
    let starts = [Start::All, Start::New, Start::Since(after(begin, Duration::from_secs(60)))];
    for (start, id) in starts.into_iter().zip(["2", "3", "4"]) {
        let mut open = fixture.open(starting(start, group("g"))).await?;
        equal(fixture.take(&mut open, 1).await?, vec![id])?;
    }
    Ok(())
}

async fn a_group_opened_twice_concurrently_is_created_once(fixture: Fixture) -> Outcome {
    fixture.publish_all("a.b", &["1", "2"]).await?;
    let long_ago = after(Timestamp::UNIX_EPOCH, Duration::from_secs(1));
    let one = fixture.bus.subscribe(starting(Start::Since(Timestamp::UNIX_EPOCH), group("g")));
    let two = fixture.other.subscribe(starting(Start::Since(long_ago), group("g")));
    let (mut one, mut two) = try_join(one, two).await?;
    equal(fixture.take(&mut one, 1).await?, vec!["1"])?;
    equal(fixture.take(&mut two, 1).await?, vec!["2"])?;
    fixture.quiet(&mut one).await?;
    fixture.progress(&[("g", 0, 0)]).await
}

async fn a_group_adopts_a_new_configuration(fixture: Fixture) -> Outcome {
    fixture.publish_all("a.b", &["1", "2", "3"]).await?;
    drop(fixture.open(Consumer { max_in_flight: 1, ..group("g") }).await?);
    let changed =
        Consumer { ack_wait: SHORT, max_deliver: Some(2), max_in_flight: 2, ..group("g") };
    let mut open = fixture.open(changed).await?;
    let before = fixture.clock.now();
    let first = fixture.expect(&mut open, "1", 1).await?;
    let second = fixture.expect(&mut open, "2", 1).await?;
    fixture.expect(&mut open, "1", 2).await?;
    fixture.elapsed(before, SHORT)?;
    first.reply.ack().await?;
    second.reply.ack().await?;
    let third = fixture.next(&mut open).await?;
    holds(["2", "3"].contains(&third.message.id.as_str()), || format!("{:?}", third.message))?;
    Ok(())
}

async fn each_broadcast_subscription_starts_afresh(fixture: Fixture) -> Outcome {
    fixture.publish("a.b", "1").await?;
    for _ in 0..3 {
        let mut open = fixture.open(broadcast("b")).await?;
        equal(fixture.take(&mut open, 1).await?, vec!["1"])?;
        fixture.quiet(&mut open).await?;
    }
    Ok(())
}

async fn the_backlog_counts_the_messages_at_the_subscription(fixture: Fixture) -> Outcome {
    equal(fixture.open(group("before")).await?.backlog(), 0)?;
    fixture.publish_all("a.b", &["1", "2"]).await?;
    fixture.publish_all("a.c", &["3", "4", "5"]).await?;
    let subjects = vec!["a.c".to_owned()];
    let open = fixture.open(group("all")).await?;
    equal(open.backlog(), 5)?;
    equal(fixture.open(broadcast("all")).await?.backlog(), 5)?;
    equal(fixture.open(Consumer { subjects, ..broadcast("some") }).await?.backlog(), 3)?;
    equal(fixture.open(starting(Start::New, broadcast("new"))).await?.backlog(), 0)?;
    fixture.publish("a.b", "6").await?;
    equal(open.backlog(), 5)
}

async fn the_backlog_of_a_group_counts_undelivered_messages(fixture: Fixture) -> Outcome {
    fixture.publish_all("a.b", &["1", "2", "3", "4"]).await?;
    let mut open = fixture.open(group("g")).await?;
    equal(fixture.take(&mut open, 1).await?, vec!["1"])?;
    // A delivery in flight will be redelivered, but is not part of the backlog.
    fixture.expect(&mut open, "2", 1).await?;
    fixture.progress(&[("g", 2, 1)]).await?;
    equal(fixture.open(group("g")).await?.backlog(), 2)
}

async fn new_messages_follow_the_backlog(fixture: Fixture) -> Outcome {
    let ids: Vec<String> = (0..60).map(|n| format!("m{n}")).collect();
    for id in &ids[..40] {
        fixture.publish("a.b", id).await?;
    }
    let mut open = fixture.open(broadcast("b")).await?;
    equal(open.backlog(), 40)?;
    for id in &ids[40..] {
        fixture.publish("a.b", id).await?;
    }
    equal(fixture.take(&mut open, 60).await?, ids)
}
