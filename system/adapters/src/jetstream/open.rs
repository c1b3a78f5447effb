//! Opens consumers: creates them, or brings an existing one up to date.
//!
//! An existing durable consumer keeps its position: where it begins is never changed.

use std::time::Duration;

use async_nats::jetstream::ErrorCode;
use async_nats::jetstream::consumer::{AckPolicy, Config, DeliverPolicy, Info};
use serde_json::json;

use super::link::{Failure, Link};
use super::subscription::Pulling;
use super::wire;
use ports::bus::{BusError, Consumer, Group, Start};

/// How long the server keeps a broadcast consumer that nobody asks for messages.
const IDLE: Duration = Duration::from_secs(60);

/// Creates the consumer where it is missing, and opens it.
pub(super) async fn open(
    link: &Link,
    stream: &str,
    consumer: &Consumer,
) -> Result<Pulling, BusError> {
    check(consumer)?;
    let wanted = config(stream, consumer, unique(link))?;
    let info = match create(link, stream, &wanted).await {
        // The server does not let the start change: keep the one that it has.
        Err(Failure::Refused(e))
            if e.kind() == ErrorCode::CONSUMER_CREATE && wanted.durable_name.is_some() =>
        {
            let subject = format!("CONSUMER.INFO.{stream}.{}", consumer.name);
            let Ok(existing) = link.api::<Info>(subject, json!({})).await else {
                return Err(Failure::Refused(e).into());
            };
            let kept = Config { deliver_policy: existing.config.deliver_policy, ..wanted };
            create(link, stream, &kept).await?
        }
        other => other?,
    };
    Pulling::start(link.clone(), stream, info, consumer.group).await
}

async fn create(link: &Link, stream: &str, config: &Config) -> Result<Info, Failure> {
    let name = config.name.as_deref().unwrap_or_default();
    let subject = format!("CONSUMER.CREATE.{stream}.{name}");
    link.api(subject, json!({ "stream_name": stream, "config": config, "action": "" })).await
}

fn config(stream: &str, consumer: &Consumer, unique: String) -> Result<Config, BusError> {
    let (name, durable_name, inactive_threshold) = match consumer.group {
        Group::Durable => (consumer.name.clone(), Some(consumer.name.clone()), Duration::ZERO),
        Group::Broadcast => (format!("{}-{unique}", consumer.name), None, IDLE),
    };
    let deliver_policy = match consumer.start {
        Start::All => DeliverPolicy::All,
        Start::New => DeliverPolicy::New,
        Start::Since(at) => DeliverPolicy::ByStartTime {
            start_time: async_nats::datetime::from_nanos(at.as_nanosecond())
                .map_err(|e| BusError::Rejected(format!("{at}: {e}")))?,
        },
    };
    Ok(Config {
        name: Some(name),
        durable_name,
        // What people call it: a broadcast consumer's own name is longer.
        description: Some(consumer.name.clone()),
        deliver_policy,
        ack_policy: AckPolicy::Explicit,
        ack_wait: consumer.ack_wait,
        max_deliver: consumer.max_deliver.map_or(-1, i64::from),
        filter_subjects: consumer.subjects.iter().map(|s| format!("{stream}.{s}")).collect(),
        max_ack_pending: i64::from(consumer.max_in_flight),
        inactive_threshold,
        ..Config::default()
    })
}

/// What the server would take for something else.
fn check(consumer: &Consumer) -> Result<(), BusError> {
    let rejected = |why: &str| Err(BusError::Rejected(format!("{}: {why}", consumer.name)));
    let unsound = |c: char| ".*>/\\".contains(c) || c.is_whitespace() || c.is_control();
    if consumer.name.is_empty() || consumer.name.contains(unsound) {
        return rejected("not a consumer's name");
    }
    if !consumer.subjects.iter().all(|subject| wire::is_exact(subject)) {
        return rejected("a filter is not an exact subject");
    }
    if consumer.ack_wait.is_zero() || consumer.max_in_flight == 0 {
        return rejected("nothing could ever be delivered and acknowledged");
    }
    if consumer.max_deliver == Some(0) {
        return rejected("nothing could ever be delivered");
    }
    Ok(())
}

/// A name that no other has.
fn unique(link: &Link) -> String {
    link.client.new_inbox().rsplit('.').next().unwrap_or_default().to_owned()
}
