//! Publishing: positions, deduplication, and what comes out as it went in.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use anyhow::ensure;
use bytes::Bytes;
use futures::future::join_all;
use ports::bus::{Consumer, Message, PublishError, Published, Stream};
use ports::clock::after;

use super::{Case, Stage, case, equal, group, message};

const BRIEF: Duration = Duration::from_millis(200);
const SECOND: Duration = Duration::from_secs(1);

pub(super) const CASES: &[Case] = &[
    case!(a_publish_returns_its_position),
    case!(each_stream_counts_its_own_positions),
    case!(many_publishes_at_once_each_get_a_position),
    case!(an_id_published_twice_is_added_once),
    case!(an_id_published_many_times_at_once_is_added_once),
    case!(an_id_is_known_across_the_subjects_of_a_stream),
    case!(an_id_is_not_known_across_streams),
    case!(a_duplicate_does_not_change_the_first_message),
    case!(messages_without_an_id_are_never_duplicates),
    case!(an_id_is_forgotten_after_the_window).remembering(BRIEF),
    case!(a_duplicate_does_not_extend_the_window).remembering(SECOND),
    case!(a_message_comes_back_as_it_was_published),
    case!(a_message_without_headers_payload_or_id_comes_back),
    case!(headers_keep_their_case_and_any_text),
    case!(a_large_payload_comes_back),
    case!(a_message_that_is_too_large_is_rejected),
    case!(headers_count_towards_the_largest_size),
    case!(a_subject_that_is_none_is_rejected),
    case!(a_header_that_would_not_come_back_is_rejected),
    case!(a_delivery_tells_when_it_was_published),
];

fn added(sequence: u64) -> Published {
    Published { sequence, duplicate: false }
}

fn duplicate(sequence: u64) -> Published {
    Published { sequence, duplicate: true }
}

async fn a_publish_returns_its_position(stage: Stage) -> anyhow::Result<()> {
    equal(stage.publish("a.b", "1").await?, added(1))?;
    equal(stage.publish("a.c", "2").await?, added(2))?;
    equal(stage.other.publish(Stream::Events, message("a.b", "3")).await?, added(3))
}

async fn each_stream_counts_its_own_positions(stage: Stage) -> anyhow::Result<()> {
    equal(stage.publish("a.b", "1").await?, added(1))?;
    equal(stage.bus.publish(Stream::DeadLetters, message("a.b", "2")).await?, added(1))?;
    equal(stage.publish("a.b", "3").await?, added(2))
}

async fn many_publishes_at_once_each_get_a_position(stage: Stage) -> anyhow::Result<()> {
    let ids: Vec<String> = (0..50).map(|n| format!("m{n}")).collect();
    let mut positions = BTreeSet::new();
    for published in join_all(ids.iter().map(|id| stage.publish("a.b", id))).await {
        positions.insert(published?.sequence);
    }
    equal(positions, (1..=50).collect())
}

async fn an_id_published_twice_is_added_once(stage: Stage) -> anyhow::Result<()> {
    equal(stage.publish("a.b", "1").await?, added(1))?;
    equal(stage.publish("a.b", "2").await?, added(2))?;
    equal(stage.publish("a.b", "1").await?, duplicate(1))?;
    equal(stage.other.publish(Stream::Events, message("a.b", "2")).await?, duplicate(2))?;
    let mut open = stage.open(group("g")).await?;
    equal(open.backlog(), 2)?;
    equal(stage.take(&mut open, 2).await?.concat(), "12".to_owned())?;
    stage.quiet(&mut open).await
}

async fn an_id_published_many_times_at_once_is_added_once(stage: Stage) -> anyhow::Result<()> {
    let mut fresh = 0;
    for published in join_all((0..20).map(|_| stage.publish("a.b", "1"))).await {
        let published = published?;
        equal(published.sequence, 1)?;
        fresh += u32::from(!published.duplicate);
    }
    equal(fresh, 1)
}

async fn an_id_is_known_across_the_subjects_of_a_stream(stage: Stage) -> anyhow::Result<()> {
    equal(stage.publish("a.b", "1").await?, added(1))?;
    equal(stage.publish("x.y", "1").await?, duplicate(1))
}

async fn an_id_is_not_known_across_streams(stage: Stage) -> anyhow::Result<()> {
    equal(stage.publish("a.b", "1").await?, added(1))?;
    equal(stage.bus.publish(Stream::DeadLetters, message("a.b", "1")).await?, added(1))
}

async fn a_duplicate_does_not_change_the_first_message(stage: Stage) -> anyhow::Result<()> {
    let first = message("a.b", "1");
    stage.bus.publish(Stream::Events, first.clone()).await?;
    let second = Message { payload: Bytes::from_static(b"another"), ..first.clone() };
    equal(stage.bus.publish(Stream::Events, second).await?, duplicate(1))?;
    let mut open = stage.open(group("g")).await?;
    equal(stage.next(&mut open).await?.message, first)
}

async fn messages_without_an_id_are_never_duplicates(stage: Stage) -> anyhow::Result<()> {
    equal(stage.publish("a.b", "").await?, added(1))?;
    equal(stage.publish("a.b", "").await?, added(2))
}

async fn an_id_is_forgotten_after_the_window(stage: Stage) -> anyhow::Result<()> {
    equal(stage.publish("a.b", "1").await?, added(1))?;
    // The real server looks only now and then for what it may forget.
    stage.clock.sleep(BRIEF * 4).await;
    equal(stage.publish("a.b", "1").await?, added(2))?;
    equal(stage.publish("a.b", "1").await?, duplicate(2))
}

async fn a_duplicate_does_not_extend_the_window(stage: Stage) -> anyhow::Result<()> {
    let started = stage.clock.now();
    equal(stage.publish("a.b", "1").await?, added(1))?;
    stage.clock.sleep(SECOND / 2).await;
    let again = stage.publish("a.b", "1").await?;
    // On a machine that was asleep meanwhile there is nothing to learn.
    if stage.clock.now() < after(started, SECOND) {
        equal(again, duplicate(1))?;
        stage.clock.sleep(SECOND * 4 / 5).await;
        equal(stage.publish("a.b", "1").await?, added(2))?;
    }
    Ok(())
}

async fn a_message_comes_back_as_it_was_published(stage: Stage) -> anyhow::Result<()> {
    let sent = Message {
        subject: "parcel.created".to_owned(),
        id: "0198-abc/def".to_owned(),
        headers: BTreeMap::from([
            ("ce-type".to_owned(), "ParcelCreated".to_owned()),
            ("content-type".to_owned(), "application/json".to_owned()),
            ("traceparent".to_owned(), "00-0af7651916cd43dd-b7ad6b7169203331-01".to_owned()),
        ]),
        payload: Bytes::from_static(b"{\"price\":1999}\r\n\0\xff"),
    };
    stage.bus.publish(Stream::Events, sent.clone()).await?;
    stage.bus.publish(Stream::DeadLetters, sent.clone()).await?;
    for stream in [Stream::Events, Stream::DeadLetters] {
        let mut open = stage.open(Consumer { stream, ..group("g") }).await?;
        let delivery = stage.next(&mut open).await?;
        equal(&delivery.message, &sent)?;
        equal((delivery.sequence, delivery.attempt), (1, 1))?;
    }
    Ok(())
}

async fn a_message_without_headers_payload_or_id_comes_back(stage: Stage) -> anyhow::Result<()> {
    let bare = Message { payload: Bytes::new(), ..message("a.b", "") };
    let only_id = Message { payload: Bytes::new(), ..message("a.b", "1") };
    let only_payload = Message { payload: Bytes::from_static(b"x"), ..message("a.b", "") };
    let mut open = stage.open(group("g")).await?;
    for sent in [bare, only_id, only_payload] {
        stage.bus.publish(Stream::Events, sent.clone()).await?;
        equal(stage.next(&mut open).await?.message, sent)?;
    }
    Ok(())
}

async fn headers_keep_their_case_and_any_text(stage: Stage) -> anyhow::Result<()> {
    let headers = BTreeMap::from([
        ("Mixed-Case".to_owned(), "Größe: 10 ✓".to_owned()),
        ("mixed-case".to_owned(), "a: b; c=\"d\"".to_owned()),
        ("empty".to_owned(), String::new()),
    ]);
    let sent = Message { headers, ..message("a.b", "1") };
    stage.bus.publish(Stream::Events, sent.clone()).await?;
    let mut open = stage.open(group("g")).await?;
    equal(stage.next(&mut open).await?.message, sent)
}

async fn a_large_payload_comes_back(stage: Stage) -> anyhow::Result<()> {
    let payload: Vec<u8> = (0..700_000_u32).map(|n| n.to_le_bytes()[1]).collect();
    let sent = Message { payload: payload.into(), ..message("a.b", "1") };
    stage.bus.publish(Stream::Events, sent.clone()).await?;
    let mut open = stage.open(group("g")).await?;
    ensure!(stage.next(&mut open).await?.message == sent, "it comes back different");
    Ok(())
}

async fn a_message_that_is_too_large_is_rejected(stage: Stage) -> anyhow::Result<()> {
    let payload = Bytes::from(vec![0; 1024 * 1024 + 1]);
    rejected(&stage, Message { payload, ..message("a.b", "1") }).await?;
    // Its id is as unknown as before.
    equal(stage.publish("a.b", "1").await?, added(1))
}

async fn headers_count_towards_the_largest_size(stage: Stage) -> anyhow::Result<()> {
    let payload = Bytes::from(vec![0; 1024 * 1024 - 100]);
    let fits = Message { payload, ..message("a.b", "1") };
    let headers = BTreeMap::from([("filler".to_owned(), "x".repeat(100))]);
    rejected(&stage, Message { headers, ..fits.clone() }).await?;
    equal(stage.bus.publish(Stream::Events, fits).await?, added(1))
}

async fn a_subject_that_is_none_is_rejected(stage: Stage) -> anyhow::Result<()> {
    for subject in ["", "a..b", ".a", "a.", "a b", "a.*", "a.>", "a\n"] {
        rejected(&stage, message(subject, "1")).await?;
    }
    equal(stage.publish("a", "1").await?, added(1))
}

async fn a_header_that_would_not_come_back_is_rejected(stage: Stage) -> anyhow::Result<()> {
    let strange = [
        ("", "x"),
        ("a b", "x"),
        ("a:", "x"),
        ("Nats-Msg-Id", "x"),
        ("nats-rollup", "all"),
        ("a", "two\r\nlines"),
        ("a", " padded"),
    ];
    for (name, value) in strange {
        let headers = BTreeMap::from([(name.to_owned(), value.to_owned())]);
        rejected(&stage, Message { headers, ..message("a.b", "1") }).await?;
    }
    rejected(&stage, message("a.b", "two\nlines")).await?;
    equal(stage.publish("a.b", "1").await?, added(1))
}

async fn a_delivery_tells_when_it_was_published(stage: Stage) -> anyhow::Result<()> {
    let before = stage.clock.now();
    stage.publish("a.b", "1").await?;
    stage.clock.sleep(Duration::from_millis(20)).await;
    stage.publish("a.b", "2").await?;
    let done = after(stage.clock.now(), Duration::from_millis(1));
    let mut open = stage.open(group("g")).await?;
    let first = stage.next(&mut open).await?.published;
    let second = stage.next(&mut open).await?.published;
    ensure!(before <= first && second <= done, "{before} {first} {second} {done}");
    ensure!(second >= after(first, Duration::from_millis(19)), "{first} {second}");
    Ok(())
}

async fn rejected(stage: &Stage, message: Message) -> anyhow::Result<()> {
    let about = format!("{} {:?}", message.subject, message.headers);
    match stage.bus.publish(Stream::Events, message).await {
        Err(PublishError::Rejected(_)) => Ok(()),
        other => anyhow::bail!("{about}: {other:?}"),
    }
}
