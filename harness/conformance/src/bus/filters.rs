//! Filters: exact subjects; one, several or all.

use ports::bus::Consumer;

use super::case::{Case, case};
use super::fixture::{Fixture, QUIET, broadcast, group};
use crate::outcome::{Outcome, equal};

pub(super) const CASES: &[Case] = &[
    case!(a_filter_selects_one_subject),
    case!(a_filter_selects_several_subjects),
    case!(without_a_filter_every_subject_is_delivered),
    case!(a_filter_matches_the_whole_subject),
    case!(a_broadcast_consumer_filters_too),
    case!(each_group_has_its_own_filter),
    case!(a_wider_filter_applies_to_undelivered_messages),
    case!(a_narrower_filter_applies_to_undelivered_messages),
    case!(another_filter_selects_from_what_was_not_passed),
    case!(asking_in_vain_passes_what_the_filter_leaves_out),
    case!(a_delivery_passes_what_the_filter_left_out_before_it),
    case!(another_filter_leaves_deliveries_in_flight_alone),
    case!(a_message_found_for_a_dropped_subscription_passes_what_is_before_it),
    case!(without_its_filter_a_consumer_receives_new_messages),
];

const SUBJECTS: [&str; 3] = ["parcel.created", "parcel.cancelled", "letter.created"];

fn only(subjects: &[&str], consumer: Consumer) -> Consumer {
    Consumer { subjects: subjects.iter().map(|&s| s.to_owned()).collect(), ..consumer }
}

/// Three messages on each of the subjects, the number of the subject first in its id.
async fn publish_three_each(fixture: &Fixture) -> Outcome {
    for n in 0..9 {
        fixture.publish(SUBJECTS[n % 3], &format!("{}{}", n % 3, n / 3)).await?;
    }
    Ok(())
}

async fn a_filter_selects_one_subject(fixture: Fixture) -> Outcome {
    publish_three_each(&fixture).await?;
    let mut open = fixture.open(only(&SUBJECTS[1..2], group("g"))).await?;
    equal(open.backlog(), 3)?;
    equal(fixture.take(&mut open, 3).await?, vec!["10", "11", "12"])?;
    fixture.publish(SUBJECTS[0], "late").await?;
    fixture.quiet(&mut open).await
}

async fn a_filter_selects_several_subjects(fixture: Fixture) -> Outcome {
    publish_three_each(&fixture).await?;
    let mut open = fixture.open(only(&[SUBJECTS[2], SUBJECTS[0]], group("g"))).await?;
    equal(fixture.take(&mut open, 6).await?, vec!["00", "20", "01", "21", "02", "22"])?;
    fixture.publish(SUBJECTS[1], "late").await?;
    fixture.quiet(&mut open).await?;
    fixture.publish(SUBJECTS[2], "later").await?;
    equal(fixture.take(&mut open, 1).await?, vec!["later"])
}

async fn without_a_filter_every_subject_is_delivered(fixture: Fixture) -> Outcome {
    publish_three_each(&fixture).await?;
    let mut open = fixture.open(group("g")).await?;
    equal(fixture.take(&mut open, 9).await?.len(), 9)
}

async fn a_filter_matches_the_whole_subject(fixture: Fixture) -> Outcome {
    let near =
        ["parcel", "parcel.created.late", "parcel.create", "a.parcel.created", "Parcel.created"];
    for subject in near {
        fixture.publish(subject, subject).await?;
    }
    let mut open = fixture.open(only(&SUBJECTS[..1], group("g"))).await?;
    equal(open.backlog(), 0)?;
    fixture.quiet(&mut open).await?;
    fixture.publish("parcel.created", "it").await?;
    equal(fixture.take(&mut open, 1).await?, vec!["it"])
}

async fn a_broadcast_consumer_filters_too(fixture: Fixture) -> Outcome {
    publish_three_each(&fixture).await?;
    let mut open = fixture.open(only(&SUBJECTS[..2], broadcast("b"))).await?;
    equal(open.backlog(), 6)?;
    equal(fixture.take(&mut open, 6).await?, vec!["00", "10", "01", "11", "02", "12"])?;
    fixture.quiet(&mut open).await
}

async fn each_group_has_its_own_filter(fixture: Fixture) -> Outcome {
    let mut one = fixture.open(only(&SUBJECTS[..1], group("one"))).await?;
    let mut two = fixture.open(only(&SUBJECTS[1..2], group("two"))).await?;
    publish_three_each(&fixture).await?;
    equal(fixture.take(&mut one, 3).await?, vec!["00", "01", "02"])?;
    equal(fixture.take(&mut two, 3).await?, vec!["10", "11", "12"])
}

async fn a_wider_filter_applies_to_undelivered_messages(fixture: Fixture) -> Outcome {
    let mut open = fixture.open(only(&SUBJECTS[..1], group("g"))).await?;
    fixture.publish(SUBJECTS[0], "1").await?;
    fixture.publish(SUBJECTS[1], "not heard").await?;
    fixture.publish(SUBJECTS[0], "2").await?;
    equal(fixture.take(&mut open, 2).await?, vec!["1", "2"])?;
    fixture.quiet(&mut open).await?;
    drop(open);
    let mut open = fixture.open(only(&SUBJECTS[..2], group("g"))).await?;
    fixture.publish(SUBJECTS[1], "3").await?;
    equal(fixture.take(&mut open, 1).await?, vec!["3"])?;
    fixture.quiet(&mut open).await
}

async fn a_narrower_filter_applies_to_undelivered_messages(fixture: Fixture) -> Outcome {
    publish_three_each(&fixture).await?;
    let mut open = fixture.open(group("g")).await?;
    equal(fixture.take(&mut open, 3).await?, vec!["00", "10", "20"])?;
    drop(open);
    let mut open = fixture.open(only(&SUBJECTS[1..2], group("g"))).await?;
    equal(open.backlog(), 2)?;
    equal(fixture.take(&mut open, 2).await?, vec!["11", "12"])?;
    fixture.quiet(&mut open).await
}

async fn another_filter_selects_from_what_was_not_passed(fixture: Fixture) -> Outcome {
    drop(fixture.open(only(&SUBJECTS[..1], group("g"))).await?);
    fixture.publish(SUBJECTS[1], "1").await?;
    let mut open = fixture.open(only(&SUBJECTS[..2], group("g"))).await?;
    equal(open.backlog(), 1)?;
    fixture.progress(&[("g", 1, 0)]).await?;
    fixture.expect(&mut open, "1", 1).await.map(drop)
}

async fn asking_in_vain_passes_what_the_filter_leaves_out(fixture: Fixture) -> Outcome {
    let mut open = fixture.open(only(&SUBJECTS[..1], group("g"))).await?;
    fixture.publish(SUBJECTS[1], "passed").await?;
    fixture.quiet(&mut open).await?;
    drop(open);
    fixture.publish(SUBJECTS[1], "not passed").await?;
    let mut open = fixture.open(only(&SUBJECTS[..2], group("g"))).await?;
    equal(open.backlog(), 1)?;
    fixture.expect(&mut open, "not passed", 1).await.map(drop)
}

async fn a_delivery_passes_what_the_filter_left_out_before_it(fixture: Fixture) -> Outcome {
    for (subject, id) in [(1, "1"), (0, "2"), (1, "3")] {
        fixture.publish(SUBJECTS[subject], id).await?;
    }
    let mut open = fixture.open(only(&SUBJECTS[..1], group("g"))).await?;
    fixture.expect(&mut open, "2", 1).await?.reply.ack().await?;
    drop(open);
    let mut open = fixture.open(group("g")).await?;
    equal(open.backlog(), 1)?;
    fixture.expect(&mut open, "3", 1).await.map(drop)
}

async fn another_filter_leaves_deliveries_in_flight_alone(fixture: Fixture) -> Outcome {
    publish_three_each(&fixture).await?;
    let mut open = fixture.open(group("g")).await?;
    let first = fixture.expect(&mut open, "00", 1).await?;
    let mut open = fixture.open(only(&SUBJECTS[1..2], group("g"))).await?;
    first.reply.nak(std::time::Duration::ZERO).await?;
    fixture.expect(&mut open, "00", 2).await?;
    fixture.expect(&mut open, "10", 1).await.map(drop)
}

async fn without_its_filter_a_consumer_receives_new_messages(fixture: Fixture) -> Outcome {
    drop(fixture.open(only(&SUBJECTS[..1], group("g"))).await?);
    let mut open = fixture.open(group("g")).await?;
    fixture.publish(SUBJECTS[1], "1").await?;
    fixture.progress(&[("g", 1, 0)]).await?;
    fixture.expect(&mut open, "1", 1).await?.reply.ack().await?;
    // An earlier wait is served at once, too.
    fixture.quiet(&mut open).await?;
    fixture.publish(SUBJECTS[0], "2").await?;
    fixture.progress(&[("g", 0, 1)]).await?;
    fixture.expect(&mut open, "2", 1).await.map(drop)
}

async fn a_message_found_for_a_dropped_subscription_passes_what_is_before_it(
    fixture: Fixture,
) -> Outcome {
    let mut open = fixture.open(only(&SUBJECTS[..1], group("g"))).await?;
    fixture.quiet(&mut open).await?;
    fixture.publish(SUBJECTS[1], "passed").await?;
    drop(open);
    fixture.clock.sleep(QUIET).await;
    fixture.publish(SUBJECTS[0], "found").await?;
    fixture.clock.sleep(QUIET).await;
    let mut open = fixture.open(only(&SUBJECTS[..2], group("g"))).await?;
    equal(open.backlog(), 1)?;
    fixture.expect(&mut open, "found", 1).await.map(drop)
}
