//! Where a consumer begins, where it goes on, and what waits for it.

use std::time::Duration;

use futures::future::try_join;
use ports::Timestamp;
use ports::bus::{Consumer, Start};
use ports::clock::after;

use super::{Case, SHORT, Stage, broadcast, case, equal, group};

pub(super) const CASES: &[Case] = &[
    case!(from_the_start_a_consumer_hears_all),
    case!(a_new_consumer_hears_only_what_comes),
    case!(a_consumer_hears_what_was_published_since),
    case!(since_a_message_was_published_includes_it),
    case!(since_the_future_nothing_is_heard_again),
    case!(since_before_the_first_message_all_is_heard),
    case!(a_group_goes_on_where_it_was),
    case!(a_group_goes_on_for_another_instance),
    case!(a_group_goes_on_wherever_it_is_told_to_start),
    case!(a_group_opened_twice_at_once_starts_once),
    case!(a_group_takes_over_a_new_configuration),
    case!(a_broadcast_starts_afresh_each_time),
    case!(the_backlog_is_what_waits_at_the_opening),
    case!(the_backlog_of_a_group_is_what_it_was_not_delivered),
    case!(after_the_backlog_comes_what_is_new),
];

const PAUSE: Duration = Duration::from_millis(30);

fn starting(start: Start, consumer: Consumer) -> Consumer {
    Consumer { start, ..consumer }
}

async fn from_the_start_a_consumer_hears_all(stage: Stage) -> anyhow::Result<()> {
    stage.publish_all("a.b", &["1", "2", "3"]).await?;
    let mut durable = stage.open(group("g")).await?;
    let mut passing = stage.open(broadcast("b")).await?;
    equal(stage.take(&mut durable, 3).await?, vec!["1", "2", "3"])?;
    equal(stage.take(&mut passing, 3).await?, vec!["1", "2", "3"])
}

async fn a_new_consumer_hears_only_what_comes(stage: Stage) -> anyhow::Result<()> {
    stage.publish_all("a.b", &["1", "2"]).await?;
    let mut durable = stage.open(starting(Start::New, group("g"))).await?;
    let mut passing = stage.open(starting(Start::New, broadcast("b"))).await?;
    equal((durable.backlog(), passing.backlog()), (0, 0))?;
    stage.publish("a.b", "3").await?;
    equal(stage.take(&mut durable, 1).await?, vec!["3"])?;
    equal(stage.take(&mut passing, 1).await?, vec!["3"])?;
    stage.quiet(&mut durable).await?;
    stage.quiet(&mut passing).await
}

async fn a_consumer_hears_what_was_published_since(stage: Stage) -> anyhow::Result<()> {
    stage.publish_all("a.b", &["1", "2"]).await?;
    stage.clock.sleep(PAUSE).await;
    let since = Start::Since(stage.clock.now());
    stage.publish_all("a.b", &["3", "4"]).await?;
    let mut durable = stage.open(starting(since, group("g"))).await?;
    let mut passing = stage.open(starting(since, broadcast("b"))).await?;
    equal((durable.backlog(), passing.backlog()), (2, 2))?;
    stage.publish("a.b", "5").await?;
    equal(stage.take(&mut durable, 3).await?, vec!["3", "4", "5"])?;
    equal(stage.take(&mut passing, 3).await?, vec!["3", "4", "5"])
}

async fn since_a_message_was_published_includes_it(stage: Stage) -> anyhow::Result<()> {
    let mut all = stage.open(group("all")).await?;
    for id in ["1", "2", "3"] {
        stage.publish("a.b", id).await?;
        stage.clock.sleep(PAUSE).await;
    }
    stage.expect(&mut all, "1", 1).await?;
    let second = stage.expect(&mut all, "2", 1).await?.published;
    let mut open = stage.open(starting(Start::Since(second), broadcast("b"))).await?;
    equal(stage.take(&mut open, 2).await?, vec!["2", "3"])
}

async fn since_the_future_nothing_is_heard_again(stage: Stage) -> anyhow::Result<()> {
    stage.publish_all("a.b", &["1", "2"]).await?;
    let since = Start::Since(after(stage.clock.now(), Duration::from_secs(3600)));
    let mut open = stage.open(starting(since, broadcast("b"))).await?;
    equal(open.backlog(), 0)?;
    stage.quiet(&mut open).await
}

async fn since_before_the_first_message_all_is_heard(stage: Stage) -> anyhow::Result<()> {
    stage.publish_all("a.b", &["1", "2"]).await?;
    let since = Start::Since(Timestamp::UNIX_EPOCH);
    let mut open = stage.open(starting(since, broadcast("b"))).await?;
    equal(open.backlog(), 2)?;
    equal(stage.take(&mut open, 2).await?, vec!["1", "2"])
}

async fn a_group_goes_on_where_it_was(stage: Stage) -> anyhow::Result<()> {
    stage.publish_all("a.b", &["1", "2", "3"]).await?;
    let mut open = stage.open(group("g")).await?;
    equal(stage.take(&mut open, 2).await?, vec!["1", "2"])?;
    drop(open);
    stage.publish("a.b", "4").await?;
    let mut open = stage.open(group("g")).await?;
    equal(stage.take(&mut open, 2).await?, vec!["3", "4"])?;
    stage.quiet(&mut open).await
}

async fn a_group_goes_on_for_another_instance(stage: Stage) -> anyhow::Result<()> {
    stage.publish_all("a.b", &["1", "2"]).await?;
    let mut one = stage.open(group("g")).await?;
    equal(stage.take(&mut one, 1).await?, vec!["1"])?;
    drop(one);
    let mut two = stage.other.subscribe(group("g")).await?;
    equal(stage.take(&mut two, 1).await?, vec!["2"])?;
    stage.quiet(&mut two).await
}

async fn a_group_goes_on_wherever_it_is_told_to_start(stage: Stage) -> anyhow::Result<()> {
    stage.publish_all("a.b", &["1", "2", "3", "4"]).await?;
    let begin = stage.clock.now();
    let mut open = stage.open(starting(Start::Since(Timestamp::UNIX_EPOCH), group("g"))).await?;
    equal(stage.take(&mut open, 1).await?, vec!["1"])?;
    drop(open);
    let starts = [Start::All, Start::New, Start::Since(after(begin, Duration::from_secs(60)))];
    for (start, id) in starts.into_iter().zip(["2", "3", "4"]) {
        let mut open = stage.open(starting(start, group("g"))).await?;
        equal(stage.take(&mut open, 1).await?, vec![id])?;
    }
    Ok(())
}

async fn a_group_opened_twice_at_once_starts_once(stage: Stage) -> anyhow::Result<()> {
    stage.publish_all("a.b", &["1", "2"]).await?;
    let long_ago = after(Timestamp::UNIX_EPOCH, Duration::from_secs(1));
    let one = stage.bus.subscribe(starting(Start::Since(Timestamp::UNIX_EPOCH), group("g")));
    let two = stage.other.subscribe(starting(Start::Since(long_ago), group("g")));
    let (mut one, mut two) = try_join(one, two).await?;
    equal(stage.take(&mut one, 1).await?, vec!["1"])?;
    equal(stage.take(&mut two, 1).await?, vec!["2"])?;
    stage.quiet(&mut one).await?;
    stage.figures(&[("g", 0, 0)]).await
}

async fn a_group_takes_over_a_new_configuration(stage: Stage) -> anyhow::Result<()> {
    stage.publish_all("a.b", &["1", "2", "3"]).await?;
    drop(stage.open(Consumer { max_in_flight: 1, ..group("g") }).await?);
    let changed =
        Consumer { ack_wait: SHORT, max_deliver: Some(2), max_in_flight: 2, ..group("g") };
    let mut open = stage.open(changed).await?;
    let before = stage.clock.now();
    let first = stage.expect(&mut open, "1", 1).await?;
    let second = stage.expect(&mut open, "2", 1).await?;
    stage.expect(&mut open, "1", 2).await?;
    stage.passed(before, SHORT)?;
    first.reply.ack().await?;
    second.reply.ack().await?;
    let third = stage.next(&mut open).await?;
    anyhow::ensure!(["2", "3"].contains(&third.message.id.as_str()), "{:?}", third.message);
    Ok(())
}

async fn a_broadcast_starts_afresh_each_time(stage: Stage) -> anyhow::Result<()> {
    stage.publish("a.b", "1").await?;
    for _ in 0..3 {
        let mut open = stage.open(broadcast("b")).await?;
        equal(stage.take(&mut open, 1).await?, vec!["1"])?;
        stage.quiet(&mut open).await?;
    }
    Ok(())
}

async fn the_backlog_is_what_waits_at_the_opening(stage: Stage) -> anyhow::Result<()> {
    equal(stage.open(group("before")).await?.backlog(), 0)?;
    stage.publish_all("a.b", &["1", "2"]).await?;
    stage.publish_all("a.c", &["3", "4", "5"]).await?;
    let subjects = vec!["a.c".to_owned()];
    let open = stage.open(group("all")).await?;
    equal(open.backlog(), 5)?;
    equal(stage.open(broadcast("all")).await?.backlog(), 5)?;
    equal(stage.open(Consumer { subjects, ..broadcast("some") }).await?.backlog(), 3)?;
    equal(stage.open(starting(Start::New, broadcast("new"))).await?.backlog(), 0)?;
    stage.publish("a.b", "6").await?;
    equal(open.backlog(), 5)
}

async fn the_backlog_of_a_group_is_what_it_was_not_delivered(stage: Stage) -> anyhow::Result<()> {
    stage.publish_all("a.b", &["1", "2", "3", "4"]).await?;
    let mut open = stage.open(group("g")).await?;
    equal(stage.take(&mut open, 1).await?, vec!["1"])?;
    // Delivered and not acknowledged: it comes again, but it does not wait.
    stage.expect(&mut open, "2", 1).await?;
    stage.figures(&[("g", 2, 1)]).await?;
    equal(stage.open(group("g")).await?.backlog(), 2)
}

async fn after_the_backlog_comes_what_is_new(stage: Stage) -> anyhow::Result<()> {
    let ids: Vec<String> = (0..60).map(|n| format!("m{n}")).collect();
    for id in &ids[..40] {
        stage.publish("a.b", id).await?;
    }
    let mut open = stage.open(broadcast("b")).await?;
    equal(open.backlog(), 40)?;
    for id in &ids[40..] {
        stage.publish("a.b", id).await?;
    }
    equal(stage.take(&mut open, 60).await?, ids)
}
