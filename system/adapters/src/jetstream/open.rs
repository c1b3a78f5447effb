//! Opening consumers: creates a consumer, or updates an existing one.
//!
//! An existing durable consumer keeps its position: its start is never changed.

use std::time::Duration;

use async_nats::datetime::DateTime;
use async_nats::jetstream::ErrorCode;
use async_nats::jetstream::consumer::{AckPolicy, Config, DeliverPolicy, Info};
use async_nats::jetstream::stream::Info as StreamInfo;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::connection::{Connection, RequestError, encode};
use super::subscription::PullSubscription;
use ports::bus::{BusError, Consumer, Group, Start};

/// The time for which the server keeps a broadcast consumer without pull requests.
const INACTIVE_LIMIT: Duration = Duration::from_secs(60);

/// Creates the consumer if it does not exist, and subscribes to it.
pub(super) async fn open(
    connection: &Connection,
    stream: &str,
    consumer: &Consumer,
    replicas: u8,
) -> Result<PullSubscription, BusError> {
    consumer.check()?;
    let wanted = config(stream, consumer, unique(connection), replicas)?;
    let subject = format!("STREAM.INFO.{stream}");
    // Read first: what leaves afterwards is no gap of a consumer that is created now.
    let first = connection.api::<StreamInfo>(subject, json!({})).await?.state.first_sequence;
    let info = match create(connection, stream, &wanted).await {
        // The server refuses to change the start of an existing consumer: keep the present one.
        Err(RequestError::Refused(e))
            if e.kind() == ErrorCode::CONSUMER_CREATE && wanted.durable_name.is_some() =>
        {
            let subject = format!("CONSUMER.INFO.{stream}.{}", consumer.name);
            let Ok(existing) = connection.api::<Info>(subject, json!({})).await else {
                return Err(RequestError::Refused(e).into());
            };
            let kept = Config { deliver_policy: existing.config.deliver_policy, ..wanted };
            create(connection, stream, &kept).await?
        }
        created => created?,
    };
    let has_gap = first > info.delivered.stream_sequence + 1;
    PullSubscription::start(connection.clone(), stream, info, consumer.group, has_gap).await
}

async fn create(
    connection: &Connection,
    stream: &str,
    config: &Config,
) -> Result<Info, RequestError> {
    let name = config.name.as_deref().unwrap_or_default();
    let subject = format!("CONSUMER.CREATE.{stream}.{name}");
    connection.api(subject, creation(stream, config)?).await
}

/// The body of a request to create or update a consumer.
fn creation(stream: &str, config: &Config) -> Result<Value, RequestError> {
    let config = encode(config)?;
    Ok(json!({ "stream_name": stream, "config": config, "action": "" }))
}

fn config(
    stream: &str,
    consumer: &Consumer,
    unique: String,
    replicas: u8,
) -> Result<Config, BusError> {
    let (name, durable_name, inactive_threshold) = match consumer.group {
        Group::Durable => (consumer.name.clone(), Some(consumer.name.clone()), Duration::ZERO),
        Group::Broadcast => (format!("{}-{unique}", consumer.name), None, INACTIVE_LIMIT),
    };
    let deliver_policy = match consumer.start {
        Start::All => DeliverPolicy::All,
        Start::New => DeliverPolicy::New,
        Start::Since(at) => DeliverPolicy::ByStartTime { start_time: start_time(at)? },
    };
    Ok(Config {
        name: Some(name),
        durable_name,
        // The name for people: that of a broadcast consumer has a unique suffix.
        description: Some(consumer.name.clone()),
        deliver_policy,
        ack_policy: AckPolicy::Explicit,
        ack_wait: consumer.ack_wait,
        max_deliver: consumer.max_deliver.map_or(-1, i64::from),
        filter_subjects: filters(stream, &consumer.subjects),
        max_ack_pending: i64::from(consumer.max_in_flight),
        inactive_threshold,
        num_replicas: consumer_replicas(consumer.group, replicas),
        ..Config::default()
    })
}

/// The replicas of a consumer, where 0 leaves the choice to the server: it gives a durable consumer
/// those of its stream, also when they change later, but keeps any other on one server, whose end
/// would be the end of the consumer.
fn consumer_replicas(group: Group, of_stream: u8) -> usize {
    match group {
        Group::Broadcast if of_stream > 1 => usize::from(of_stream),
        Group::Broadcast | Group::Durable => 0,
    }
}

/// The subjects as the server filters by them. A consumer of the whole stream has a filter too:
/// one whose filters are removed is no longer told of new messages (`nats-server` 2.15.1). It
/// would count none, and find them only when it looks for another reason.
fn filters(stream: &str, subjects: &[String]) -> Vec<String> {
    match subjects {
        [] => vec![format!("{stream}.>")],
        some => some.iter().map(|subject| format!("{stream}.{subject}")).collect(),
    }
}

fn start_time(at: Timestamp) -> Result<DateTime, BusError> {
    async_nats::datetime::from_nanos(at.as_nanosecond())
        .map_err(|e| BusError::Rejected(format!("the start {at}: {e}")))
}

/// A suffix that no other consumer has.
fn unique(connection: &Connection) -> String {
    connection.client.new_inbox().rsplit('.').next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use ports::bus::{MAX_WAIT, Stream};

    use super::*;

    fn consumer(start: Start, ack_wait: Duration) -> Consumer {
        Consumer {
            name: "orders".to_owned(),
            stream: Stream::Events,
            subjects: Vec::new(),
            group: Group::Durable,
            start,
            ack_wait,
            max_deliver: None,
            max_in_flight: 1,
        }
    }

    /// The request that would be sent.
    fn requested(consumer: &Consumer) -> Result<Value, BusError> {
        consumer.check()?;
        Ok(creation("shop", &config("shop", consumer, String::new(), 3)?)?)
    }

    #[test]
    fn a_consumer_is_on_as_many_servers_as_its_stream() {
        assert_eq!(consumer_replicas(Group::Broadcast, 3), 3);
        assert_eq!(consumer_replicas(Group::Broadcast, 1), 0);
        assert_eq!(consumer_replicas(Group::Durable, 3), 0, "the server's choice, also later");
    }

    #[test]
    fn every_time_and_duration_is_sent_or_rejected() {
        let at = |nanoseconds| Timestamp::from_nanosecond(nanoseconds).expect("in range");
        let (first, last) = (at(i64::MIN.into()), at(i64::MAX.into()));
        for at in [first, Timestamp::UNIX_EPOCH, last] {
            let request = requested(&consumer(Start::Since(at), Duration::from_secs(1)));
            let sent =
                request.expect("a time that the server reads")["config"]["opt_start_time"].clone();
            let sent: Timestamp = serde_json::from_value(sent).expect("a timestamp");
            assert_eq!(sent, at);
        }
        let nanosecond = Duration::from_nanos(1);
        for at in [first - nanosecond, last + nanosecond, Timestamp::MIN, Timestamp::MAX] {
            let request = requested(&consumer(Start::Since(at), Duration::from_secs(1)));
            assert!(matches!(request, Err(BusError::Rejected(_))), "{at}: {request:?}");
        }
        let request = requested(&consumer(Start::All, MAX_WAIT)).expect("a duration in range");
        assert_eq!(
            request["config"]["ack_wait"],
            i64::try_from(MAX_WAIT.as_nanos()).expect("fits")
        );
        for wait in [MAX_WAIT + nanosecond, Duration::MAX] {
            let request = requested(&consumer(Start::All, wait));
            assert!(matches!(request, Err(BusError::Rejected(_))), "{request:?}");
        }
    }
}
