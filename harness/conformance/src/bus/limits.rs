//! Limits: what is just within one is accepted, and what exceeds it is the caller's mistake.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use ports::Timestamp;
use ports::bus::{
    BusError, Consumer, MAX_FILTERS, MAX_HEADERS, MAX_MESSAGE, MAX_NAME, MAX_SUBJECT, MAX_WAIT,
    Message, PublishError, Start, Stream,
};

use super::case::{Case, case};
use super::fixture::{Fixture, broadcast, group, message};
use crate::outcome::{Nonconformance, Outcome, equal, holds};

pub(super) const CASES: &[Case] = &[
    case!(headers_of_64_kib_are_delivered_and_longer_ones_rejected),
    case!(an_id_counts_towards_the_limit_on_headers),
    case!(a_message_of_1_mib_is_delivered_and_a_longer_one_rejected),
    case!(a_subject_of_512_bytes_is_delivered_and_a_longer_one_rejected),
    case!(a_consumer_name_of_232_bytes_is_accepted_and_a_longer_one_rejected),
    case!(filters_up_to_256_are_accepted_and_more_rejected),
    case!(an_ack_wait_of_100_years_is_accepted_and_a_longer_one_rejected),
    case!(a_nak_delay_of_100_years_is_accepted_and_a_longer_one_rejected),
    case!(starts_outside_of_64_bits_of_nanoseconds_are_rejected),
];

const NANOSECOND: Duration = Duration::from_nanos(1);
const YEAR: Duration = Duration::from_secs(365 * 24 * 3600);

/// The bytes around a header name and its value, and around all headers.
const LINE: usize = ": \r\n".len();
const FRAME: usize = "NATS/1.0\r\n\r\n".len();

/// A message with an id of one byte, whose headers have this size.
fn with_headers(size: usize) -> Message {
    let id = "Nats-Msg-Id".len() + 1 + LINE;
    let value = "x".repeat(size - FRAME - id - "filler".len() - LINE);
    Message { headers: BTreeMap::from([("filler".to_owned(), value)]), ..message("a.b", "1") }
}

/// Expects the first message to be delivered as it is, and the second to be rejected.
async fn divides(fixture: &Fixture, accepted: Message, rejected: Message) -> Outcome {
    let refused = fixture.bus.publish(Stream::Events, rejected).await;
    holds(matches!(refused, Err(PublishError::Rejected(_))), || format!("{refused:?}"))?;
    let mut open = fixture.open(group("g")).await?;
    fixture.bus.publish(Stream::Events, accepted.clone()).await?;
    let delivered = fixture.next(&mut open).await?;
    holds(delivered.message == accepted, || "the delivered message differs".to_owned())?;
    equal((delivered.sequence, delivered.attempt), (1, 1))
}

async fn is_rejected(fixture: &Fixture, consumer: Consumer) -> Outcome {
    match fixture.bus.subscribe(consumer.clone()).await.map(drop) {
        Err(BusError::Rejected(_)) => Ok(()),
        other => Err(Nonconformance::Differs(format!("{consumer:?}: {other:?}"))),
    }
}

async fn headers_of_64_kib_are_delivered_and_longer_ones_rejected(fixture: Fixture) -> Outcome {
    divides(&fixture, with_headers(MAX_HEADERS), with_headers(MAX_HEADERS + 1)).await
}

async fn an_id_counts_towards_the_limit_on_headers(fixture: Fixture) -> Outcome {
    let longest = MAX_HEADERS - FRAME - "Nats-Msg-Id".len() - LINE;
    let of = |length: usize| Message { id: "i".repeat(length), ..message("a.b", "") };
    divides(&fixture, of(longest), of(longest + 1)).await?;
    let again = fixture.bus.publish(Stream::Events, of(longest)).await?;
    equal((again.sequence, again.duplicate), (1, true))
}

async fn a_message_of_1_mib_is_delivered_and_a_longer_one_rejected(fixture: Fixture) -> Outcome {
    let of = |size: usize| {
        let payload = Bytes::from(vec![b'x'; size - 1000]);
        Message { payload, ..with_headers(1000) }
    };
    divides(&fixture, of(MAX_MESSAGE), of(MAX_MESSAGE + 1)).await?;
    let bare = |size: usize| Message { payload: vec![b'x'; size].into(), ..message("a.b", "") };
    equal(fixture.bus.publish(Stream::Events, bare(MAX_MESSAGE)).await?.sequence, 2)?;
    let refused = fixture.bus.publish(Stream::Events, bare(MAX_MESSAGE + 1)).await;
    holds(matches!(refused, Err(PublishError::Rejected(_))), || format!("{refused:?}"))?;
    Ok(())
}

async fn a_subject_of_512_bytes_is_delivered_and_a_longer_one_rejected(
    fixture: Fixture,
) -> Outcome {
    let of = |length: usize| format!("a.{}", "b".repeat(length - 2));
    divides(&fixture, message(&of(MAX_SUBJECT), "1"), message(&of(MAX_SUBJECT + 1), "2")).await?;
    // Far beyond, a server would end the connection.
    for length in [5000, 100_000] {
        let refused = fixture.bus.publish(Stream::Events, message(&of(length), "3")).await;
        holds(matches!(refused, Err(PublishError::Rejected(_))), || format!("{refused:?}"))?;
    }
    let filtered = |length| Consumer { subjects: vec![of(length)], ..group("filtered") };
    is_rejected(&fixture, filtered(MAX_SUBJECT + 1)).await?;
    equal(fixture.open(filtered(MAX_SUBJECT)).await?.backlog(), 1)
}

async fn a_consumer_name_of_232_bytes_is_accepted_and_a_longer_one_rejected(
    fixture: Fixture,
) -> Outcome {
    fixture.publish("a.b", "1").await?;
    for letter in ["n", "ü"] {
        let longest = letter.repeat(MAX_NAME / letter.len());
        for kind in [group, broadcast] {
            is_rejected(&fixture, kind(&format!("{longest}n"))).await?;
            let mut open = fixture.open(kind(&longest)).await?;
            fixture.expect(&mut open, "1", 1).await?.reply.ack().await?;
        }
    }
    Ok(())
}

async fn filters_up_to_256_are_accepted_and_more_rejected(fixture: Fixture) -> Outcome {
    let filters = |count: usize| {
        let filler = "f".repeat(MAX_SUBJECT - 5);
        let subjects = (0..count).map(|n| format!("{filler}.{n:04}")).collect();
        Consumer { subjects, ..group("g") }
    };
    is_rejected(&fixture, filters(MAX_FILTERS + 1)).await?;
    let all = filters(MAX_FILTERS);
    let last = all.subjects[MAX_FILTERS - 1].clone();
    let mut open = fixture.open(all).await?;
    fixture.publish(&last, "1").await?;
    fixture.expect(&mut open, "1", 1).await.map(drop)
}

async fn an_ack_wait_of_100_years_is_accepted_and_a_longer_one_rejected(
    fixture: Fixture,
) -> Outcome {
    let waiting = |ack_wait| Consumer { ack_wait, ..group("g") };
    for wait in [MAX_WAIT + NANOSECOND, YEAR * 300, Duration::MAX] {
        is_rejected(&fixture, waiting(wait)).await?;
    }
    fixture.progress(&[]).await?;
    let mut open = fixture.open(waiting(MAX_WAIT)).await?;
    fixture.publish("a.b", "1").await?;
    let delivery = fixture.expect(&mut open, "1", 1).await?;
    delivery.reply.in_progress().await?;
    fixture.quiet(&mut open).await?;
    delivery.reply.ack().await?;
    fixture.progress(&[("g", 0, 0)]).await
}

async fn a_nak_delay_of_100_years_is_accepted_and_a_longer_one_rejected(
    fixture: Fixture,
) -> Outcome {
    let mut names = Vec::new();
    for ack_wait in [Duration::from_secs(30), MAX_WAIT] {
        let name = format!("g{}", names.len());
        let mut open =
            fixture.open(Consumer { ack_wait, start: Start::New, ..group(&name) }).await?;
        fixture.publish("a.b", &name).await?;
        let delivery = fixture.expect(&mut open, &name, 1).await?;
        for delay in [MAX_WAIT + NANOSECOND, YEAR * 300, Duration::MAX] {
            let refused = delivery.reply.nak(delay).await;
            holds(matches!(refused, Err(BusError::Rejected(_))), || format!("{refused:?}"))?;
        }
        delivery.reply.nak(MAX_WAIT).await?;
        fixture.quiet(&mut open).await?;
        names.push(name);
    }
    fixture.progress(&[("g0", 1, 1), ("g1", 0, 1)]).await
}

async fn starts_outside_of_64_bits_of_nanoseconds_are_rejected(fixture: Fixture) -> Outcome {
    fixture.publish_all("a.b", &["1", "2"]).await?;
    let at = |nanoseconds| Timestamp::from_nanosecond(nanoseconds).expect("in range");
    let (first, last) = (at(i64::MIN.into()), at(i64::MAX.into()));
    let year_1600 = Timestamp::from_second(-11_676_096_000).expect("in range");
    for kind in [group, broadcast] {
        let since = |at| Consumer { start: Start::Since(at), ..kind("since") };
        for at in [Timestamp::MIN, year_1600, first - NANOSECOND, last + NANOSECOND, Timestamp::MAX]
        {
            is_rejected(&fixture, since(at)).await?;
        }
        for (at, backlog) in [(first, 2), (last, 0)] {
            let name = format!("since-{backlog}");
            let open = fixture.open(Consumer { name, ..since(at) }).await?;
            equal(open.backlog(), backlog)?;
        }
    }
    Ok(())
}
