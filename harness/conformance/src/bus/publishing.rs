//! Publishing: positions, deduplication, and fidelity of the delivered message.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use bytes::Bytes;
use futures::future::join_all;
use ports::bus::{Consumer, Message, PublishError, Published, Stream};
use ports::clock::after;

use super::case::{Case, case};
use super::fixture::{Fixture, group, message};
use crate::outcome::{Nonconformance, Outcome, equal, holds};

const BRIEF: Duration = Duration::from_millis(200);
const SECOND: Duration = Duration::from_secs(1);

pub(super) const CASES: &[Case] = &[
    case!(a_publish_returns_its_position),
    case!(each_stream_numbers_its_own_messages),
    case!(concurrent_publishes_get_distinct_positions),
    case!(a_duplicate_id_is_added_once),
    case!(concurrent_duplicates_are_added_once),
    case!(deduplication_spans_the_subjects_of_a_stream),
    case!(deduplication_does_not_span_streams),
    case!(a_duplicate_does_not_change_the_first_message),
    case!(messages_without_an_id_are_never_duplicates),
    case!(an_id_is_accepted_again_after_the_deduplication_window).with_window(BRIEF),
    case!(a_duplicate_does_not_extend_the_deduplication_window).with_window(SECOND),
    case!(a_message_is_delivered_as_published),
    case!(a_message_without_headers_payload_or_id_is_delivered),
    case!(headers_keep_their_case_and_unicode_values),
    case!(a_large_payload_is_delivered),
    case!(an_oversized_message_is_rejected),
    case!(headers_count_towards_the_size_limit),
    case!(an_invalid_subject_is_rejected),
    case!(an_invalid_header_is_rejected),
    case!(a_delivery_carries_its_publish_time),
];

fn added(sequence: u64) -> Published {
    Published { sequence, duplicate: false }
}

fn duplicate(sequence: u64) -> Published {
    Published { sequence, duplicate: true }
}

async fn a_publish_returns_its_position(fixture: Fixture) -> Outcome {
    equal(fixture.publish("a.b", "1").await?, added(1))?;
    equal(fixture.publish("a.c", "2").await?, added(2))?;
    equal(fixture.other.publish(Stream::Events, message("a.b", "3")).await?, added(3))
}

async fn each_stream_numbers_its_own_messages(fixture: Fixture) -> Outcome {
    equal(fixture.publish("a.b", "1").await?, added(1))?;
    equal(fixture.bus.publish(Stream::DeadLetters, message("a.b", "2")).await?, added(1))?;
    equal(fixture.publish("a.b", "3").await?, added(2))
}

async fn concurrent_publishes_get_distinct_positions(fixture: Fixture) -> Outcome {
    let ids: Vec<String> = (0..50).map(|n| format!("m{n}")).collect();
    let mut positions = BTreeSet::new();
    for published in join_all(ids.iter().map(|id| fixture.publish("a.b", id))).await {
        positions.insert(published?.sequence);
    }
    equal(positions, (1..=50).collect())
}

async fn a_duplicate_id_is_added_once(fixture: Fixture) -> Outcome {
    equal(fixture.publish("a.b", "1").await?, added(1))?;
    equal(fixture.publish("a.b", "2").await?, added(2))?;
    equal(fixture.publish("a.b", "1").await?, duplicate(1))?;
    equal(fixture.other.publish(Stream::Events, message("a.b", "2")).await?, duplicate(2))?;
    let mut open = fixture.open(group("g")).await?;
    equal(open.backlog(), 2)?;
    equal(fixture.take(&mut open, 2).await?.concat(), "12".to_owned())?;
    fixture.quiet(&mut open).await
}

async fn concurrent_duplicates_are_added_once(fixture: Fixture) -> Outcome {
    let mut fresh = 0;
    // A cluster does not know the outcome of a duplicate until a majority has the first one.
    let publish = async || loop {
        match fixture.publish("a.b", "1").await {
            Err(PublishError::Unknown(_)) => {}
            known => return known,
        }
    };
    for published in join_all((0..20).map(|_| publish())).await {
        let published = published?;
        equal(published.sequence, 1)?;
        fresh += u32::from(!published.duplicate);
    }
    equal(fresh, 1)
}

async fn deduplication_spans_the_subjects_of_a_stream(fixture: Fixture) -> Outcome {
    equal(fixture.publish("a.b", "1").await?, added(1))?;
    equal(fixture.publish("x.y", "1").await?, duplicate(1))
}

async fn deduplication_does_not_span_streams(fixture: Fixture) -> Outcome {
    equal(fixture.publish("a.b", "1").await?, added(1))?;
    equal(fixture.bus.publish(Stream::DeadLetters, message("a.b", "1")).await?, added(1))
}

async fn a_duplicate_does_not_change_the_first_message(fixture: Fixture) -> Outcome {
    let first = message("a.b", "1");
    fixture.bus.publish(Stream::Events, first.clone()).await?;
    let second = Message { payload: Bytes::from_static(b"another"), ..first.clone() };
    equal(fixture.bus.publish(Stream::Events, second).await?, duplicate(1))?;
    let mut open = fixture.open(group("g")).await?;
    equal(fixture.next(&mut open).await?.message, first)
}

async fn messages_without_an_id_are_never_duplicates(fixture: Fixture) -> Outcome {
    equal(fixture.publish("a.b", "").await?, added(1))?;
    equal(fixture.publish("a.b", "").await?, added(2))
}

async fn an_id_is_accepted_again_after_the_deduplication_window(fixture: Fixture) -> Outcome {
    equal(fixture.publish("a.b", "1").await?, added(1))?;
    // The real server purges its deduplication window at intervals.
    fixture.clock.sleep(BRIEF * 4).await;
    equal(fixture.publish("a.b", "1").await?, added(2))?;
    equal(fixture.publish("a.b", "1").await?, duplicate(2))
}

async fn a_duplicate_does_not_extend_the_deduplication_window(fixture: Fixture) -> Outcome {
    let started = fixture.clock.now();
    equal(fixture.publish("a.b", "1").await?, added(1))?;
    fixture.clock.sleep(SECOND / 2).await;
    let again = fixture.publish("a.b", "1").await?;
    // A machine that was suspended in between proves nothing.
    if fixture.clock.now() < after(started, SECOND) {
        equal(again, duplicate(1))?;
        fixture.clock.sleep(SECOND * 4 / 5).await;
        equal(fixture.publish("a.b", "1").await?, added(2))?;
    }
    Ok(())
}

async fn a_message_is_delivered_as_published(fixture: Fixture) -> Outcome {
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
    fixture.bus.publish(Stream::Events, sent.clone()).await?;
    fixture.bus.publish(Stream::DeadLetters, sent.clone()).await?;
    for stream in [Stream::Events, Stream::DeadLetters] {
        let mut open = fixture.open(Consumer { stream, ..group("g") }).await?;
        let delivery = fixture.next(&mut open).await?;
        equal(&delivery.message, &sent)?;
        equal((delivery.sequence, delivery.attempt), (1, 1))?;
    }
    Ok(())
}

async fn a_message_without_headers_payload_or_id_is_delivered(fixture: Fixture) -> Outcome {
    let bare = Message { payload: Bytes::new(), ..message("a.b", "") };
    let only_id = Message { payload: Bytes::new(), ..message("a.b", "1") };
    let only_payload = Message { payload: Bytes::from_static(b"x"), ..message("a.b", "") };
    let mut open = fixture.open(group("g")).await?;
    for sent in [bare, only_id, only_payload] {
        fixture.bus.publish(Stream::Events, sent.clone()).await?;
        equal(fixture.next(&mut open).await?.message, sent)?;
    }
    Ok(())
}

async fn headers_keep_their_case_and_unicode_values(fixture: Fixture) -> Outcome {
    let headers = BTreeMap::from([
        ("Mixed-Case".to_owned(), "Größe: 10 ✓".to_owned()),
        ("mixed-case".to_owned(), "a: b; c=\"d\"".to_owned()),
        ("empty".to_owned(), String::new()),
    ]);
    let sent = Message { headers, ..message("a.b", "1") };
    fixture.bus.publish(Stream::Events, sent.clone()).await?;
    let mut open = fixture.open(group("g")).await?;
    equal(fixture.next(&mut open).await?.message, sent)
}

async fn a_large_payload_is_delivered(fixture: Fixture) -> Outcome {
    let payload: Vec<u8> = (0..700_000_u32).map(|n| n.to_le_bytes()[1]).collect();
    let sent = Message { payload: payload.into(), ..message("a.b", "1") };
    fixture.bus.publish(Stream::Events, sent.clone()).await?;
    let mut open = fixture.open(group("g")).await?;
    holds(fixture.next(&mut open).await?.message == sent, || {
        "the delivered message differs".to_owned()
    })?;
    Ok(())
}

async fn an_oversized_message_is_rejected(fixture: Fixture) -> Outcome {
    let payload = Bytes::from(vec![0; 1024 * 1024 + 1]);
    rejected(&fixture, Message { payload, ..message("a.b", "1") }).await?;
    // Its id was not recorded.
    equal(fixture.publish("a.b", "1").await?, added(1))
}

async fn headers_count_towards_the_size_limit(fixture: Fixture) -> Outcome {
    let payload = Bytes::from(vec![0; 1024 * 1024 - 100]);
    let fits = Message { payload, ..message("a.b", "1") };
    let headers = BTreeMap::from([("filler".to_owned(), "x".repeat(100))]);
    rejected(&fixture, Message { headers, ..fits.clone() }).await?;
    equal(fixture.bus.publish(Stream::Events, fits).await?, added(1))
}

async fn an_invalid_subject_is_rejected(fixture: Fixture) -> Outcome {
    for subject in ["", "a..b", ".a", "a.", "a b", "a.*", "a.>", "a\n"] {
        rejected(&fixture, message(subject, "1")).await?;
    }
    equal(fixture.publish("a", "1").await?, added(1))
}

async fn an_invalid_header_is_rejected(fixture: Fixture) -> Outcome {
    let invalid = [
        ("", "x"),
        ("a b", "x"),
        ("a:", "x"),
        ("Nats-Msg-Id", "x"),
        ("nats-rollup", "all"),
        ("a", "two\r\nlines"),
        ("a", " padded"),
    ];
    for (name, value) in invalid {
        let headers = BTreeMap::from([(name.to_owned(), value.to_owned())]);
        rejected(&fixture, Message { headers, ..message("a.b", "1") }).await?;
    }
    rejected(&fixture, message("a.b", "two\nlines")).await?;
    equal(fixture.publish("a.b", "1").await?, added(1))
}

async fn a_delivery_carries_its_publish_time(fixture: Fixture) -> Outcome {
    let before = fixture.clock.now();
    fixture.publish("a.b", "1").await?;
    fixture.clock.sleep(Duration::from_millis(20)).await;
    fixture.publish("a.b", "2").await?;
    let done = after(fixture.clock.now(), Duration::from_millis(1));
    let mut open = fixture.open(group("g")).await?;
    let first = fixture.next(&mut open).await?.published;
    let second = fixture.next(&mut open).await?.published;
    holds(before <= first && second <= done, || format!("{before} {first} {second} {done}"))?;
    holds(second >= after(first, Duration::from_millis(19)), || format!("{first} {second}"))?;
    Ok(())
}

async fn rejected(fixture: &Fixture, message: Message) -> Outcome {
    let about = format!("{} {:?}", message.subject, message.headers);
    match fixture.bus.publish(Stream::Events, message).await {
        Err(PublishError::Rejected(_)) => Ok(()),
        other => Err(Nonconformance::Differs(format!("{about}: {other:?}"))),
    }
}
