//! Redelivery: its time, its bound and its order.

use std::time::Duration;

use ports::bus::Consumer;

use super::case::{Case, case};
use super::fixture::{Fixture, SHORT, brief, group};
use crate::outcome::{Outcome, equal};

pub(super) const CASES: &[Case] = &[
    case!(an_unacknowledged_message_is_redelivered_after_the_ack_wait),
    case!(each_delivery_increments_the_attempt),
    case!(an_acknowledged_message_is_not_redelivered),
    case!(only_unacknowledged_messages_are_redelivered),
    case!(redeliveries_precede_new_messages),
    case!(simultaneous_redeliveries_keep_their_order),
    case!(redeliveries_ignore_the_bound_in_flight),
    case!(a_message_is_given_up_after_max_deliver),
    case!(a_nak_of_the_last_delivery_gives_the_message_up),
    case!(a_delayed_nak_of_the_last_delivery_gives_the_message_up),
    case!(giving_a_message_up_frees_room_in_flight),
    case!(a_max_deliver_of_one_allows_no_redelivery),
    case!(each_group_counts_its_own_attempts),
    case!(a_shorter_ack_wait_applies_to_deliveries_in_flight),
    case!(a_longer_ack_wait_applies_to_deliveries_in_flight),
    case!(a_lower_max_deliver_applies_to_deliveries_in_flight),
];

async fn an_unacknowledged_message_is_redelivered_after_the_ack_wait(fixture: Fixture) -> Outcome {
    let mut open = fixture.open(brief("g")).await?;
    let before = fixture.clock.now();
    let position = fixture.publish("a.b", "1").await?.sequence;
    let first = fixture.expect(&mut open, "1", 1).await?;
    let second = fixture.expect(&mut open, "1", 2).await?;
    fixture.elapsed(before, SHORT)?;
    equal((first.sequence, second.sequence), (position, position))?;
    equal(first.published, second.published)?;
    equal(first.message, second.message)
}

async fn each_delivery_increments_the_attempt(fixture: Fixture) -> Outcome {
    let mut open = fixture.open(brief("g")).await?;
    let before = fixture.clock.now();
    fixture.publish("a.b", "1").await?;
    for attempt in 1..=4 {
        fixture.expect(&mut open, "1", attempt).await?;
        fixture.elapsed(before, SHORT * (attempt - 1))?;
    }
    Ok(())
}

async fn an_acknowledged_message_is_not_redelivered(fixture: Fixture) -> Outcome {
    let mut open = fixture.open(brief("g")).await?;
    fixture.publish("a.b", "1").await?;
    equal(fixture.take(&mut open, 1).await?, vec!["1"])?;
    fixture.quiet_for(&mut open, SHORT * 3).await
}

async fn only_unacknowledged_messages_are_redelivered(fixture: Fixture) -> Outcome {
    let mut open = fixture.open(brief("g")).await?;
    fixture.publish_all("a.b", &["1", "2", "3"]).await?;
    let first = fixture.expect(&mut open, "1", 1).await?;
    fixture.expect(&mut open, "2", 1).await?;
    let third = fixture.expect(&mut open, "3", 1).await?;
    first.reply.ack().await?;
    third.reply.ack().await?;
    let again = fixture.next(&mut open).await?;
    equal(again.message.id.as_str(), "2")?;
    again.reply.ack().await?;
    fixture.quiet_for(&mut open, SHORT * 2).await
}

async fn redeliveries_precede_new_messages(fixture: Fixture) -> Outcome {
    let mut open = fixture.open(group("g")).await?;
    fixture.publish_all("a.b", &["1", "2", "3"]).await?;
    let first = fixture.expect(&mut open, "1", 1).await?;
    first.reply.nak(Duration::ZERO).await?;
    fixture.expect(&mut open, "1", 2).await?;
    fixture.expect(&mut open, "2", 1).await?;
    fixture.expect(&mut open, "3", 1).await.map(drop)
}

async fn simultaneous_redeliveries_keep_their_order(fixture: Fixture) -> Outcome {
    fixture.publish_all("a.b", &["1", "2", "3"]).await?;
    let mut open = fixture.open(brief("g")).await?;
    for id in ["1", "2", "3"] {
        fixture.expect(&mut open, id, 1).await?;
    }
    fixture.clock.sleep(SHORT * 2).await;
    for id in ["1", "2", "3"] {
        fixture.expect(&mut open, id, 2).await?.reply.ack().await?;
    }
    fixture.quiet_for(&mut open, SHORT * 2).await
}

async fn redeliveries_ignore_the_bound_in_flight(fixture: Fixture) -> Outcome {
    fixture.publish_all("a.b", &["1", "2"]).await?;
    let mut open = fixture.open(Consumer { max_in_flight: 1, ..brief("g") }).await?;
    fixture.expect(&mut open, "1", 1).await?;
    fixture.expect(&mut open, "1", 2).await?;
    fixture.expect(&mut open, "1", 3).await?.reply.ack().await?;
    fixture.expect(&mut open, "2", 1).await.map(drop)
}

async fn a_message_is_given_up_after_max_deliver(fixture: Fixture) -> Outcome {
    let mut open = fixture.open(Consumer { max_deliver: Some(2), ..brief("g") }).await?;
    fixture.publish("a.b", "1").await?;
    fixture.expect(&mut open, "1", 1).await?;
    let last = fixture.expect(&mut open, "1", 2).await?;
    fixture.quiet_for(&mut open, SHORT * 3).await?;
    fixture.progress(&[("g", 0, 0)]).await?;
    // A late acknowledgement is accepted.
    Ok(last.reply.ack().await?)
}

async fn a_nak_of_the_last_delivery_gives_the_message_up(fixture: Fixture) -> Outcome {
    let mut open = fixture.open(Consumer { max_deliver: Some(2), ..group("g") }).await?;
    fixture.publish("a.b", "1").await?;
    fixture.expect(&mut open, "1", 1).await?.reply.nak(Duration::ZERO).await?;
    fixture.expect(&mut open, "1", 2).await?.reply.nak(Duration::ZERO).await?;
    fixture.quiet(&mut open).await?;
    fixture.progress(&[("g", 0, 0)]).await
}

async fn a_delayed_nak_of_the_last_delivery_gives_the_message_up(fixture: Fixture) -> Outcome {
    let mut open = fixture.open(Consumer { max_deliver: Some(1), ..group("g") }).await?;
    fixture.publish("a.b", "1").await?;
    fixture.expect(&mut open, "1", 1).await?.reply.nak(SHORT).await?;
    fixture.quiet_for(&mut open, SHORT * 2).await?;
    fixture.progress(&[("g", 0, 0)]).await
}

async fn giving_a_message_up_frees_room_in_flight(fixture: Fixture) -> Outcome {
    let narrow = Consumer { max_deliver: Some(2), max_in_flight: 1, ..brief("g") };
    let mut open = fixture.open(narrow).await?;
    fixture.publish_all("a.b", &["1", "2"]).await?;
    fixture.expect(&mut open, "1", 1).await?;
    fixture.expect(&mut open, "1", 2).await?;
    fixture.expect(&mut open, "2", 1).await.map(drop)
}

async fn a_max_deliver_of_one_allows_no_redelivery(fixture: Fixture) -> Outcome {
    let mut open = fixture.open(Consumer { max_deliver: Some(1), ..brief("g") }).await?;
    fixture.publish_all("a.b", &["1", "2"]).await?;
    fixture.expect(&mut open, "1", 1).await?;
    fixture.expect(&mut open, "2", 1).await?;
    fixture.quiet_for(&mut open, SHORT * 2).await
}

async fn each_group_counts_its_own_attempts(fixture: Fixture) -> Outcome {
    let mut bounded = fixture.open(Consumer { max_deliver: Some(1), ..brief("bounded") }).await?;
    let mut free = fixture.open(brief("free")).await?;
    fixture.publish("a.b", "1").await?;
    fixture.expect(&mut bounded, "1", 1).await?;
    fixture.expect(&mut free, "1", 1).await?;
    fixture.expect(&mut free, "1", 2).await?;
    fixture.expect(&mut free, "1", 3).await?;
    fixture.quiet_for(&mut bounded, SHORT).await
}

async fn a_shorter_ack_wait_applies_to_deliveries_in_flight(fixture: Fixture) -> Outcome {
    let mut open = fixture.open(group("g")).await?;
    fixture.publish("a.b", "1").await?;
    fixture.expect(&mut open, "1", 1).await?;
    // The first ack wait exceeds the patience of the case.
    let _shorter = fixture.other.subscribe(brief("g")).await?;
    fixture.expect(&mut open, "1", 2).await.map(drop)
}

async fn a_longer_ack_wait_applies_to_deliveries_in_flight(fixture: Fixture) -> Outcome {
    let patient = Consumer { ack_wait: SHORT * 8, ..group("g") };
    let mut open = fixture.open(patient).await?;
    let before = fixture.clock.now();
    fixture.publish("a.b", "1").await?;
    fixture.expect(&mut open, "1", 1).await?;
    let _longer = fixture.other.subscribe(Consumer { ack_wait: SHORT * 12, ..group("g") }).await?;
    fixture.expect(&mut open, "1", 2).await?;
    fixture.elapsed(before, SHORT * 12)
}

async fn a_lower_max_deliver_applies_to_deliveries_in_flight(fixture: Fixture) -> Outcome {
    let mut open = fixture.open(brief("g")).await?;
    fixture.publish("a.b", "1").await?;
    for attempt in 1..=3 {
        fixture.expect(&mut open, "1", attempt).await?;
    }
    let fewer = Consumer { max_deliver: Some(2), ..brief("g") };
    let _fewer = fixture.other.subscribe(fewer).await?;
    fixture.quiet_for(&mut open, SHORT * 3).await?;
    fixture.progress(&[("g", 0, 0)]).await
}
