//! Delivery without failures: order, waiting, the bound in flight, and the two streams.

use std::time::Duration;

use futures::future::try_join;
use ports::bus::{Consumer, Start, Stream};

use super::case::{Case, case};
use super::fixture::{Fixture, QUIET, broadcast, group, message};
use crate::outcome::{Outcome, equal};

pub(super) const CASES: &[Case] = &[
    case!(a_subscriber_receives_earlier_and_later_messages),
    case!(a_subscriber_waits_for_the_next_message),
    case!(messages_of_one_subject_arrive_in_order),
    case!(messages_of_several_subjects_arrive_in_order),
    case!(a_cancelled_wait_loses_no_message),
    case!(a_repeatedly_cancelled_wait_loses_no_message),
    case!(the_bound_in_flight_is_respected),
    case!(an_acknowledgement_frees_room_in_flight),
    case!(dead_letters_and_events_are_separate),
    case!(consumers_of_one_name_on_two_streams_are_separate),
];

async fn a_subscriber_receives_earlier_and_later_messages(fixture: Fixture) -> Outcome {
    fixture.publish_all("a.b", &["1", "2"]).await?;
    let mut open = fixture.open(group("g")).await?;
    equal(fixture.take(&mut open, 2).await?.concat(), "12".to_owned())?;
    fixture.publish_all("a.b", &["3", "4"]).await?;
    equal(fixture.take(&mut open, 2).await?.concat(), "34".to_owned())?;
    fixture.quiet(&mut open).await
}

async fn a_subscriber_waits_for_the_next_message(fixture: Fixture) -> Outcome {
    let mut durable = fixture.open(group("g")).await?;
    let mut ephemeral = fixture.open(broadcast("b")).await?;
    let later = async {
        fixture.clock.sleep(Duration::from_millis(50)).await;
        Ok(fixture.publish("a.b", "1").await?)
    };
    let waits = try_join(fixture.take(&mut durable, 1), fixture.take(&mut ephemeral, 1));
    let (taken, _) = try_join(waits, later).await?;
    equal(taken, (vec!["1".to_owned()], vec!["1".to_owned()]))
}

async fn messages_of_one_subject_arrive_in_order(fixture: Fixture) -> Outcome {
    let ids: Vec<String> = (0..100).map(|n| format!("m{n}")).collect();
    let mut open = fixture.open(group("g")).await?;
    let publish = async {
        for id in &ids {
            fixture.publish("a.b", id).await?;
        }
        Ok(())
    };
    let (taken, ()) = try_join(fixture.take(&mut open, ids.len()), publish).await?;
    equal(taken, ids)
}

async fn messages_of_several_subjects_arrive_in_order(fixture: Fixture) -> Outcome {
    let subjects = ["a.b", "a.c", "x.y"];
    for n in 0..30 {
        fixture.publish(subjects[n % 3], &format!("m{n}")).await?;
    }
    let subjects = vec!["a.c".to_owned(), "a.b".to_owned()];
    let mut open = fixture.open(Consumer { subjects, ..group("g") }).await?;
    let expected: Vec<String> = (0..30).filter(|n| n % 3 < 2).map(|n| format!("m{n}")).collect();
    equal(fixture.take(&mut open, 20).await?, expected)
}

async fn a_cancelled_wait_loses_no_message(fixture: Fixture) -> Outcome {
    for consumer in [group("g"), broadcast("b")] {
        let mut open = fixture.open(Consumer { start: Start::New, ..consumer }).await?;
        fixture.quiet(&mut open).await?;
        let id = format!("after the wait at {}", fixture.clock.now());
        fixture.publish("a.b", &id).await?;
        fixture.clock.sleep(QUIET).await;
        fixture.expect(&mut open, &id, 1).await?.reply.ack().await?;
    }
    Ok(())
}

async fn a_repeatedly_cancelled_wait_loses_no_message(fixture: Fixture) -> Outcome {
    let mut open = fixture.open(group("g")).await?;
    let mut taken = Vec::new();
    let mut published = 0;
    while taken.len() < 10 {
        if published < 10 {
            published += 1;
            fixture.publish("a.b", &format!("m{published}")).await?;
        }
        // Too short for some of them, on purpose.
        let brief = Duration::from_millis(published % 3);
        if let Some(delivery) = fixture.clock.within(brief, open.next()).await {
            let delivery = delivery?;
            equal(delivery.attempt, 1)?;
            delivery.reply.ack().await?;
            taken.push(delivery.message.id);
        } else if published == 10 {
            taken.extend(fixture.take(&mut open, 10 - taken.len()).await?);
        }
    }
    equal(taken, (1..=10).map(|n| format!("m{n}")).collect::<Vec<_>>())?;
    fixture.quiet(&mut open).await
}

async fn the_bound_in_flight_is_respected(fixture: Fixture) -> Outcome {
    fixture.publish_all("a.b", &["1", "2", "3"]).await?;
    let mut open = fixture.open(Consumer { max_in_flight: 2, ..group("g") }).await?;
    let _first = fixture.expect(&mut open, "1", 1).await?;
    let _second = fixture.expect(&mut open, "2", 1).await?;
    fixture.quiet(&mut open).await
}

async fn an_acknowledgement_frees_room_in_flight(fixture: Fixture) -> Outcome {
    fixture.publish_all("a.b", &["1", "2", "3", "4"]).await?;
    let mut open = fixture.open(Consumer { max_in_flight: 2, ..group("g") }).await?;
    let _first = fixture.expect(&mut open, "1", 1).await?;
    let second = fixture.expect(&mut open, "2", 1).await?;
    fixture.quiet(&mut open).await?;
    second.reply.ack().await?;
    fixture.expect(&mut open, "3", 1).await?;
    fixture.quiet(&mut open).await
}

async fn dead_letters_and_events_are_separate(fixture: Fixture) -> Outcome {
    let mut events = fixture.open(group("g")).await?;
    let dead = Consumer { stream: Stream::DeadLetters, ..group("d") };
    let mut dead = fixture.open(dead).await?;
    fixture.bus.publish(Stream::DeadLetters, message("a.b", "dead")).await?;
    fixture.publish("a.b", "event").await?;
    equal(fixture.take(&mut dead, 1).await?.concat(), "dead".to_owned())?;
    equal(fixture.take(&mut events, 1).await?.concat(), "event".to_owned())?;
    fixture.quiet(&mut dead).await?;
    fixture.quiet(&mut events).await
}

async fn consumers_of_one_name_on_two_streams_are_separate(fixture: Fixture) -> Outcome {
    let dead = Consumer { stream: Stream::DeadLetters, ..group("g") };
    fixture.publish_all("a.b", &["1", "2"]).await?;
    fixture.bus.publish(Stream::DeadLetters, message("a.b", "dead")).await?;
    equal(fixture.open(group("g")).await?.backlog(), 2)?;
    equal(fixture.open(dead).await?.backlog(), 1)
}
