//! Filters: exact subjects, one, several or all.

use ports::bus::Consumer;

use super::{Case, Stage, broadcast, case, equal, group};

pub(super) const CASES: &[Case] = &[
    case!(a_filter_lets_one_subject_through),
    case!(a_filter_lets_several_subjects_through),
    case!(without_a_filter_every_subject_comes_through),
    case!(a_filter_matches_the_whole_subject),
    case!(a_broadcast_filters_too),
    case!(groups_filter_each_for_itself),
    case!(a_wider_filter_holds_for_what_lies_ahead),
    case!(a_narrower_filter_holds_for_what_lies_ahead),
];

const SUBJECTS: [&str; 3] = ["parcel.created", "parcel.cancelled", "letter.created"];

fn only(subjects: &[&str], consumer: Consumer) -> Consumer {
    Consumer { subjects: subjects.iter().map(|&s| s.to_owned()).collect(), ..consumer }
}

/// Three messages on each of the subjects, the number of the subject first in its id.
async fn publish_three_each(stage: &Stage) -> anyhow::Result<()> {
    for n in 0..9 {
        stage.publish(SUBJECTS[n % 3], &format!("{}{}", n % 3, n / 3)).await?;
    }
    Ok(())
}

async fn a_filter_lets_one_subject_through(stage: Stage) -> anyhow::Result<()> {
    publish_three_each(&stage).await?;
    let mut open = stage.open(only(&SUBJECTS[1..2], group("g"))).await?;
    equal(open.backlog(), 3)?;
    equal(stage.take(&mut open, 3).await?, vec!["10", "11", "12"])?;
    stage.publish(SUBJECTS[0], "late").await?;
    stage.quiet(&mut open).await
}

async fn a_filter_lets_several_subjects_through(stage: Stage) -> anyhow::Result<()> {
    publish_three_each(&stage).await?;
    let mut open = stage.open(only(&[SUBJECTS[2], SUBJECTS[0]], group("g"))).await?;
    equal(stage.take(&mut open, 6).await?, vec!["00", "20", "01", "21", "02", "22"])?;
    stage.publish(SUBJECTS[1], "late").await?;
    stage.quiet(&mut open).await?;
    stage.publish(SUBJECTS[2], "later").await?;
    equal(stage.take(&mut open, 1).await?, vec!["later"])
}

async fn without_a_filter_every_subject_comes_through(stage: Stage) -> anyhow::Result<()> {
    publish_three_each(&stage).await?;
    let mut open = stage.open(group("g")).await?;
    equal(stage.take(&mut open, 9).await?.len(), 9)
}

async fn a_filter_matches_the_whole_subject(stage: Stage) -> anyhow::Result<()> {
    let near =
        ["parcel", "parcel.created.late", "parcel.create", "a.parcel.created", "Parcel.created"];
    for subject in near {
        stage.publish(subject, subject).await?;
    }
    let mut open = stage.open(only(&SUBJECTS[..1], group("g"))).await?;
    equal(open.backlog(), 0)?;
    stage.quiet(&mut open).await?;
    stage.publish("parcel.created", "it").await?;
    equal(stage.take(&mut open, 1).await?, vec!["it"])
}

async fn a_broadcast_filters_too(stage: Stage) -> anyhow::Result<()> {
    publish_three_each(&stage).await?;
    let mut open = stage.open(only(&SUBJECTS[..2], broadcast("b"))).await?;
    equal(open.backlog(), 6)?;
    equal(stage.take(&mut open, 6).await?, vec!["00", "10", "01", "11", "02", "12"])?;
    stage.quiet(&mut open).await
}

async fn groups_filter_each_for_itself(stage: Stage) -> anyhow::Result<()> {
    let mut one = stage.open(only(&SUBJECTS[..1], group("one"))).await?;
    let mut two = stage.open(only(&SUBJECTS[1..2], group("two"))).await?;
    publish_three_each(&stage).await?;
    equal(stage.take(&mut one, 3).await?, vec!["00", "01", "02"])?;
    equal(stage.take(&mut two, 3).await?, vec!["10", "11", "12"])
}

async fn a_wider_filter_holds_for_what_lies_ahead(stage: Stage) -> anyhow::Result<()> {
    let mut open = stage.open(only(&SUBJECTS[..1], group("g"))).await?;
    stage.publish(SUBJECTS[0], "1").await?;
    stage.publish(SUBJECTS[1], "not heard").await?;
    stage.publish(SUBJECTS[0], "2").await?;
    equal(stage.take(&mut open, 2).await?, vec!["1", "2"])?;
    stage.quiet(&mut open).await?;
    drop(open);
    let mut open = stage.open(only(&SUBJECTS[..2], group("g"))).await?;
    stage.publish(SUBJECTS[1], "3").await?;
    equal(stage.take(&mut open, 1).await?, vec!["3"])?;
    stage.quiet(&mut open).await
}

async fn a_narrower_filter_holds_for_what_lies_ahead(stage: Stage) -> anyhow::Result<()> {
    publish_three_each(&stage).await?;
    let mut open = stage.open(group("g")).await?;
    equal(stage.take(&mut open, 3).await?, vec!["00", "10", "20"])?;
    drop(open);
    let mut open = stage.open(only(&SUBJECTS[1..2], group("g"))).await?;
    equal(open.backlog(), 2)?;
    equal(stage.take(&mut open, 2).await?, vec!["11", "12"])?;
    stage.quiet(&mut open).await
}
