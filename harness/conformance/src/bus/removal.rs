//! Removal: a message that is removed is delivered to nobody, and its position is not used again.

use std::time::Duration;

use ports::bus::{Consumer, Published, Start, Stream};

use super::case::{Case, case};
use super::fixture::{Fixture, SHORT, brief, broadcast, group, message};
use crate::outcome::{Outcome, equal};

pub(super) const CASES: &[Case] = &[
    case!(a_removed_message_is_not_delivered_to_a_new_consumer),
    case!(a_removed_message_is_not_delivered_to_an_open_consumer),
    case!(a_removed_message_is_not_delivered_again),
    case!(a_removed_message_no_longer_counts),
    case!(the_removal_of_a_message_in_flight_makes_room),
    case!(a_reply_to_a_removed_message_is_confirmed),
    case!(the_removal_of_a_missing_message_returns_false),
    case!(a_removal_concerns_its_stream_only),
    case!(the_position_of_a_removed_message_is_not_used_again),
    case!(the_id_of_a_removed_message_stays_in_the_deduplication_window),
    case!(a_consumer_of_new_messages_starts_after_a_removed_one),
];

async fn three(fixture: &Fixture) -> Outcome {
    fixture.publish_all("a.b", &["1", "2", "3"]).await
}

async fn remove(fixture: &Fixture, sequence: u64) -> Outcome {
    equal(fixture.bus.remove(Stream::Events, sequence).await?, true)
}

async fn a_removed_message_is_not_delivered_to_a_new_consumer(fixture: Fixture) -> Outcome {
    three(&fixture).await?;
    remove(&fixture, 2).await?;
    for consumer in [group("g"), broadcast("b")] {
        let mut open = fixture.open(consumer).await?;
        equal(open.backlog(), 2)?;
        equal(fixture.take(&mut open, 2).await?.concat(), "13".to_owned())?;
        fixture.quiet(&mut open).await?;
    }
    Ok(())
}

async fn a_removed_message_is_not_delivered_to_an_open_consumer(fixture: Fixture) -> Outcome {
    let mut open = fixture.open(group("g")).await?;
    three(&fixture).await?;
    equal(fixture.take(&mut open, 1).await?.concat(), "1".to_owned())?;
    remove(&fixture, 2).await?;
    equal(fixture.take(&mut open, 1).await?.concat(), "3".to_owned())?;
    fixture.quiet(&mut open).await
}

async fn a_removed_message_is_not_delivered_again(fixture: Fixture) -> Outcome {
    three(&fixture).await?;
    let mut open = fixture.open(brief("g")).await?;
    let first = fixture.expect(&mut open, "1", 1).await?;
    let second = fixture.expect(&mut open, "2", 1).await?;
    let third = fixture.expect(&mut open, "3", 1).await?;
    remove(&fixture, 2).await?;
    first.reply.ack().await?;
    second.reply.nak(Duration::ZERO).await?;
    third.reply.ack().await?;
    fixture.quiet_for(&mut open, SHORT * 3).await
}

async fn a_removed_message_no_longer_counts(fixture: Fixture) -> Outcome {
    three(&fixture).await?;
    let mut open = fixture.open(group("g")).await?;
    fixture.expect(&mut open, "1", 1).await?;
    fixture.progress(&[("g", 2, 1)]).await?;
    remove(&fixture, 3).await?;
    fixture.progress(&[("g", 1, 1)]).await?;
    remove(&fixture, 1).await?;
    fixture.progress(&[("g", 1, 0)]).await
}

async fn the_removal_of_a_message_in_flight_makes_room(fixture: Fixture) -> Outcome {
    three(&fixture).await?;
    let mut open = fixture.open(Consumer { max_in_flight: 1, ..group("g") }).await?;
    fixture.expect(&mut open, "1", 1).await?;
    fixture.quiet(&mut open).await?;
    remove(&fixture, 1).await?;
    fixture.expect(&mut open, "2", 1).await?;
    Ok(())
}

async fn a_reply_to_a_removed_message_is_confirmed(fixture: Fixture) -> Outcome {
    three(&fixture).await?;
    let mut open = fixture.open(group("g")).await?;
    let first = fixture.expect(&mut open, "1", 1).await?;
    remove(&fixture, 1).await?;
    first.reply.in_progress().await?;
    first.reply.ack().await?;
    equal(fixture.take(&mut open, 2).await?.concat(), "23".to_owned())
}

async fn the_removal_of_a_missing_message_returns_false(fixture: Fixture) -> Outcome {
    equal(fixture.bus.remove(Stream::Events, 1).await?, false)?;
    three(&fixture).await?;
    equal(fixture.bus.remove(Stream::Events, 0).await?, false)?;
    equal(fixture.bus.remove(Stream::Events, 4).await?, false)?;
    remove(&fixture, 3).await?;
    equal(fixture.bus.remove(Stream::Events, 3).await?, false)
}

async fn a_removal_concerns_its_stream_only(fixture: Fixture) -> Outcome {
    three(&fixture).await?;
    fixture.bus.publish(Stream::DeadLetters, message("a.b", "d")).await?;
    equal(fixture.other.remove(Stream::DeadLetters, 1).await?, true)?;
    let mut open = fixture.open(group("g")).await?;
    equal(fixture.take(&mut open, 3).await?.concat(), "123".to_owned())?;
    let dead = fixture.open(Consumer { stream: Stream::DeadLetters, ..group("d") }).await?;
    equal(dead.backlog(), 0)
}

async fn the_position_of_a_removed_message_is_not_used_again(fixture: Fixture) -> Outcome {
    three(&fixture).await?;
    remove(&fixture, 3).await?;
    equal(fixture.publish("a.b", "4").await?, Published { sequence: 4, duplicate: false })?;
    let mut open = fixture.open(group("g")).await?;
    let mut sequences = Vec::new();
    for _ in 0..3 {
        sequences.push(fixture.next(&mut open).await?.sequence);
    }
    equal(sequences, vec![1, 2, 4])
}

async fn the_id_of_a_removed_message_stays_in_the_deduplication_window(
    fixture: Fixture,
) -> Outcome {
    three(&fixture).await?;
    remove(&fixture, 2).await?;
    equal(fixture.publish("a.b", "2").await?, Published { sequence: 2, duplicate: true })
}

async fn a_consumer_of_new_messages_starts_after_a_removed_one(fixture: Fixture) -> Outcome {
    three(&fixture).await?;
    remove(&fixture, 3).await?;
    let mut open = fixture.open(Consumer { start: Start::New, ..group("g") }).await?;
    equal(open.backlog(), 0)?;
    fixture.publish("a.b", "4").await?;
    equal(fixture.take(&mut open, 1).await?.concat(), "4".to_owned())
}
