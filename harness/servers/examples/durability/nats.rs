//! Numbers as messages of a stream.

use std::collections::BTreeSet;
use std::time::Duration;

use async_nats::jetstream::consumer::{AckPolicy, pull};
use async_nats::jetstream::{self, Context, stream};
use async_trait::async_trait;
use futures::StreamExt as _;
use tokio::time::timeout;

use super::Failure;
use super::load::Target;
use super::setup::{STREAM, Setup};

/// The time after which a publish counts as failed.
const ANSWER_LIMIT: Duration = Duration::from_secs(2);

/// The stream of numbers.
pub(crate) struct Events {
    context: Context,
}

impl Events {
    /// Creates the stream with a replica on each node.
    pub(crate) async fn open(setup: &Setup) -> Result<Self, Failure> {
        let servers: Vec<_> = setup.url().split(',').collect();
        let options = async_nats::ConnectOptions::new()
            .max_reconnects(None)
            .reconnect_delay_callback(|_| Duration::from_millis(20));
        let client = options.connect(servers).await?;
        let context = jetstream::new(client);
        let stream = stream::Config {
            name: STREAM.to_owned(),
            subjects: vec![STREAM.to_owned()],
            num_replicas: setup.nodes().len(),
            ..Default::default()
        };
        context.create_stream(stream).await?;
        Ok(Self { context })
    }
}

#[async_trait]
impl Target for Events {
    async fn write(&self, number: u64) -> Result<(), Failure> {
        let publish = async {
            let sent = self.context.publish(STREAM, number.to_string().into()).await?;
            sent.await?;
            Ok::<_, Failure>(())
        };
        timeout(ANSWER_LIMIT, publish).await?
    }

    async fn kept(&self) -> Result<BTreeSet<u64>, Failure> {
        let stream = self.context.get_stream(STREAM).await?;
        let config = pull::Config { ack_policy: AckPolicy::None, ..Default::default() };
        let consumer = stream.create_consumer(config).await?;
        let mut left = consumer.get_info().await?.num_pending;
        let mut kept = BTreeSet::new();
        while left > 0 {
            let mut messages = consumer.fetch().max_messages(500).messages().await?;
            while let Some(message) = messages.next().await {
                kept.insert(str::from_utf8(&message?.payload)?.parse()?);
                left -= 1;
            }
        }
        Ok(kept)
    }
}
