//! The bus on JetStream, through `async-nats`.
//!
//! A namespace owns two streams, `<namespace>` and `<namespace>-dead`, and every subject
//! below them, so many namespaces live side by side on one server. Nothing here retries a
//! call: a call that the server does not answer in time says so, and its caller decides.
//! Only a subscription waits for as long as the server is away.

mod link;
mod open;
mod reply;
mod subscription;
mod wire;

use std::time::Duration;

use async_nats::Client;
use async_nats::jetstream::ErrorCode;
use async_nats::jetstream::consumer::Info;
use async_nats::jetstream::publish::PublishAck;
use async_nats::jetstream::stream::{Config, Info as StreamInfo, StorageType};
use async_trait::async_trait;
use serde::Deserialize;
use serde_json::{Value, json};

use link::{Failure, Link};
use ports::bus::{
    Bus, BusError, Consumer, Message, Pending, PublishError, Published, Stream, Subscription,
};

/// How long an id is remembered unless said otherwise: JetStream's own default.
const WINDOW: Duration = Duration::from_secs(120);

/// The bus of one namespace on a NATS server with JetStream, 2.12 or later.
#[derive(Debug, Clone)]
pub struct JetStream {
    link: Link,
    names: Names,
    window: Duration,
}

/// What the streams and subjects of a namespace are called.
#[derive(Debug, Clone)]
struct Names {
    events: String,
    dead: String,
}

impl JetStream {
    /// Connects to the server at this URL (`nats://host:port`; several, separated by commas)
    /// and stays connected: a lost connection is made again for as long as it takes.
    pub async fn connect(url: &str, namespace: impl Into<String>) -> Result<Self, BusError> {
        Ok(Self::on(Link::connect(url).await?, namespace.into()))
    }

    /// Uses a connection that is there already.
    pub fn with_client(client: Client, namespace: impl Into<String>) -> Self {
        Self::on(Link::new(client), namespace.into())
    }

    /// Remembers ids for this long, from 100 ms. Takes effect when the streams are ensured.
    pub fn deduplicating_within(self, window: Duration) -> Self {
        Self { window, ..self }
    }

    /// Deletes both streams with all messages and consumers; for worlds that were only a
    /// test. What is not there counts as deleted.
    pub async fn delete_streams(&self) -> Result<(), BusError> {
        for name in [&self.names.events, &self.names.dead] {
            let deleted = self.link.api::<Value>(format!("STREAM.DELETE.{name}"), json!({}));
            match deleted.await {
                Err(Failure::Refused(e)) if e.kind() == ErrorCode::STREAM_NOT_FOUND => {}
                other => drop(other?),
            }
        }
        Ok(())
    }

    fn on(link: Link, namespace: String) -> Self {
        let names = Names { dead: format!("{namespace}-dead"), events: namespace };
        Self { link, names, window: WINDOW }
    }

    async fn ensure_stream(&self, name: &str) -> Result<(), BusError> {
        let config = Config {
            name: name.to_owned(),
            subjects: vec![format!("{name}.>")],
            storage: StorageType::File,
            duplicate_window: self.window,
            num_replicas: 1,
            ..Config::default()
        };
        let config = json!(config);
        let create = format!("STREAM.CREATE.{name}");
        match self.link.api::<StreamInfo>(create, config.clone()).await {
            Err(Failure::Refused(e)) if e.kind() == ErrorCode::STREAM_NAME_EXIST => {
                self.link.api::<StreamInfo>(format!("STREAM.UPDATE.{name}"), config).await?;
            }
            other => drop(other?),
        }
        Ok(())
    }
}

impl Names {
    fn stream(&self, stream: Stream) -> &str {
        match stream {
            Stream::Events => &self.events,
            Stream::DeadLetters => &self.dead,
        }
    }
}

/// One page of a stream's consumers.
#[derive(Debug, Deserialize)]
struct Page {
    total: usize,
    consumers: Option<Vec<Info>>,
}

#[async_trait]
impl Bus for JetStream {
    async fn ensure(&self) -> Result<(), BusError> {
        let dead = self.ensure_stream(&self.names.dead);
        futures::future::try_join(self.ensure_stream(&self.names.events), dead).await?;
        Ok(())
    }

    async fn publish(&self, stream: Stream, message: Message) -> Result<Published, PublishError> {
        let (subject, headers) = wire::outgoing(self.names.stream(stream), &message)?;
        let answer = self.link.request(subject, headers, message.payload).await;
        let ack = answer.and_then(|answer| link::decode::<PublishAck>(&answer.payload))?;
        Ok(Published { sequence: ack.sequence, duplicate: ack.duplicate })
    }

    async fn subscribe(&self, consumer: Consumer) -> Result<Box<dyn Subscription>, BusError> {
        let stream = self.names.stream(consumer.stream);
        let opened = open::open(&self.link, stream, &consumer).await?;
        Ok(Box::new(opened))
    }

    async fn pending(&self) -> Result<Vec<Pending>, BusError> {
        let mut pending = Vec::new();
        loop {
            let subject = format!("CONSUMER.LIST.{}", self.names.events);
            let from = json!({ "offset": pending.len() });
            let page = self.link.api::<Page>(subject, from).await?;
            let consumers = page.consumers.unwrap_or_default();
            let last = consumers.is_empty();
            pending.extend(consumers.into_iter().map(|info| Pending {
                undelivered: info.num_pending,
                unacknowledged: info.num_ack_pending as u64,
                consumer: info.config.description.unwrap_or(info.name),
            }));
            if last || pending.len() >= page.total {
                break;
            }
        }
        pending.sort_by(|a, b| a.consumer.cmp(&b.consumer));
        Ok(pending)
    }

    async fn ping(&self) -> Result<(), BusError> {
        self.link.api::<Value>("INFO".to_owned(), json!({})).await?;
        Ok(())
    }
}
