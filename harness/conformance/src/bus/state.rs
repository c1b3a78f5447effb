//! The state of a stream: what it holds, and its limits.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use ports::bus::{Bus, BusError, Message, Stream, StreamLimits, StreamState};

use super::case::{Case, case};
use super::fixture::{Fixture, PATIENCE, group, message};
use crate::outcome::{Outcome, equal, holds};

pub(super) const CASES: &[Case] = &[
    case!(an_empty_stream_holds_nothing),
    case!(a_stream_counts_its_messages_and_their_bytes),
    case!(the_oldest_message_is_the_first_that_is_left),
    case!(an_acknowledged_message_is_still_in_its_stream),
    case!(a_repeated_id_adds_nothing),
    case!(each_stream_has_a_state_of_its_own),
    case!(what_has_left_by_its_age_no_longer_counts).with_window(WINDOW),
    case!(the_state_has_the_limits_of_the_stream).with_window(WINDOW),
];

/// A window that is shorter than any age here.
const WINDOW: Duration = Duration::from_millis(100);
/// The size of a large payload.
const LARGE: u64 = 10_000;
/// The most bytes around a payload: head, namespace, subject and id.
const AROUND: u64 = 400;

fn large(id: &str) -> Message {
    Message { payload: Bytes::from(vec![b'x'; 10_000]), ..message("a.b", id) }
}

async fn state(fixture: &Fixture) -> Outcome<StreamState> {
    Ok(fixture.bus.state(Stream::Events).await?)
}

/// Fails unless the stream has the bytes of this many large messages.
fn weighs(state: &StreamState, messages: u64) -> Outcome {
    let range = messages * LARGE..=messages * (LARGE + AROUND);
    let fits = state.messages == messages && range.contains(&state.bytes);
    holds(fits, || format!("{state:?} is not that of {messages} messages"))
}

async fn an_empty_stream_holds_nothing(fixture: Fixture) -> Outcome {
    let limits = StreamLimits::default();
    let empty = StreamState { messages: 0, bytes: 0, oldest: None, limits };
    equal(state(&fixture).await?, empty.clone())?;
    equal(fixture.bus.state(Stream::DeadLetters).await?, empty)
}

async fn a_stream_counts_its_messages_and_their_bytes(fixture: Fixture) -> Outcome {
    for count in 1..=3 {
        fixture.bus.publish(Stream::Events, large(&count.to_string())).await?;
        weighs(&state(&fixture).await?, count)?;
    }
    fixture.bus.remove(Stream::Events, 2).await?;
    weighs(&state(&fixture).await?, 2)?;
    for sequence in [1, 3] {
        fixture.bus.remove(Stream::Events, sequence).await?;
    }
    weighs(&state(&fixture).await?, 0)?;
    equal(state(&fixture).await?.oldest, None)
}

async fn the_oldest_message_is_the_first_that_is_left(fixture: Fixture) -> Outcome {
    for id in ["1", "2", "3"] {
        fixture.publish("a.b", id).await?;
        fixture.clock.sleep(Duration::from_millis(50)).await;
    }
    let mut open = fixture.open(group("g")).await?;
    for (sequence, id) in [(1, "1"), (2, "2"), (3, "3")] {
        let delivery = fixture.expect(&mut open, id, 1).await?;
        equal(state(&fixture).await?.oldest, Some(delivery.published))?;
        delivery.reply.ack().await?;
        fixture.bus.remove(Stream::Events, sequence).await?;
    }
    Ok(())
}

async fn an_acknowledged_message_is_still_in_its_stream(fixture: Fixture) -> Outcome {
    let mut open = fixture.open(group("g")).await?;
    fixture.publish_all("a.b", &["1", "2"]).await?;
    fixture.take(&mut open, 2).await?;
    equal(state(&fixture).await?.messages, 2)
}

async fn a_repeated_id_adds_nothing(fixture: Fixture) -> Outcome {
    fixture.publish("a.b", "1").await?;
    let before = state(&fixture).await?;
    fixture.publish("a.b", "1").await?;
    equal(state(&fixture).await?, before)
}

async fn each_stream_has_a_state_of_its_own(fixture: Fixture) -> Outcome {
    fixture.bus.publish(Stream::DeadLetters, large("1")).await?;
    equal(state(&fixture).await?.messages, 0)?;
    weighs(&fixture.other.state(Stream::DeadLetters).await?, 1)
}

async fn what_has_left_by_its_age_no_longer_counts(fixture: Fixture) -> Outcome {
    let limits = StreamLimits { max_age: Some(Duration::from_millis(900)), max_bytes: None };
    (fixture.limited)(limits).ensure().await?;
    fixture.bus.publish(Stream::Events, large("1")).await?;
    weighs(&state(&fixture).await?, 1)?;
    let started = fixture.clock.now();
    while state(&fixture).await?.messages > 0 {
        let waited = fixture.clock.now().duration_since(started);
        holds(waited.unsigned_abs() < PATIENCE, || "the message stays".to_owned())?;
        fixture.clock.sleep(Duration::from_millis(50)).await;
    }
    equal(state(&fixture).await?, StreamState { messages: 0, bytes: 0, oldest: None, limits })
}

async fn the_state_has_the_limits_of_the_stream(fixture: Fixture) -> Outcome {
    let hour = Duration::from_secs(60 * 60);
    for (max_age, max_bytes) in
        [(Some(hour), None), (None, Some(1_000_000)), (Some(hour), Some(1)), (None, None)]
    {
        let limits = StreamLimits { max_age, max_bytes };
        let limited: Arc<dyn Bus> = (fixture.limited)(limits);
        limited.ensure().await?;
        // Also as an instance with other limits sees it.
        equal(state(&fixture).await?.limits, limits)?;
    }
    let refused = (fixture.limited)(StreamLimits { max_age: None, max_bytes: Some(0) });
    let refused = refused.ensure().await;
    holds(matches!(refused, Err(BusError::Rejected(_))), || format!("{refused:?}"))?;
    equal(state(&fixture).await?.limits, StreamLimits::default())
}
