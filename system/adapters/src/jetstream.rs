//! The bus on NATS JetStream, through `async-nats`.
//!
//! A namespace owns two streams, `<namespace>` and `<namespace>-dead`, and all subjects below
//! them, so many namespaces share one server. No call is retried: a call without an answer
//! fails after a time limit, and its caller decides. Only a subscription waits as long as the
//! server is away.
//!
//! The adapter sends requests to the JetStream API (`$JS.API`) itself instead of through
//! `async-nats`' JetStream client, because unknown outcomes must be visible. That client
//! reports a publish that never left the process and one whose acknowledgement was lost as the
//! same timeout, returns from `ack` before the server has confirmed it, and prefetches into its
//! message stream what a crash then loses unseen. Over plain requests each of these is
//! explicit, and `async-nats` still provides the connection, the types and the error codes.
//!
//! Start reading in `jetstream/connection.rs`, which classifies the outcomes.

mod address;
mod connection;
mod open;
mod reply;
mod subscription;
mod wire;

use std::time::Duration;

use async_nats::Client;
use async_nats::jetstream::ErrorCode;
use async_nats::jetstream::consumer::Info;
use async_nats::jetstream::publish::PublishAck;
use async_nats::jetstream::stream::{
    Compression, Config, DiscardPolicy, Info as StreamInfo, StorageType,
};
use async_trait::async_trait;
use serde::Deserialize;
use serde_json::{Value, json};

use connection::{Connection, RequestError, decode, encode};
use ports::bus::{
    Bus, BusError, Consumer, Message, Pending, PublishError, Published, Stream, StreamLimits,
    StreamState, Subscription,
};

/// The default deduplication window, which is JetStream's own.
const DEFAULT_WINDOW: Duration = Duration::from_secs(120);

/// The numbers of replicas of a stream that the server allows.
const REPLICAS: std::ops::RangeInclusive<u8> = 1..=5;

/// The codes of the server for a removal at a position that has no message: one within the
/// stream, and one outside.
const NO_SUCH_MESSAGE: [ErrorCode; 2] = [ErrorCode(10043), ErrorCode::STREAM_MESSAGE_DELETE_FAILED];

/// The bus of one namespace on a NATS server with JetStream, 2.12 or later.
#[derive(Debug, Clone)]
pub struct JetStream {
    connection: Connection,
    names: Names,
    window: Duration,
    replicas: u8,
    events: StreamLimits,
    dead_letters: StreamLimits,
}

/// The names of the streams of a namespace, which are also the prefixes of their subjects.
#[derive(Debug, Clone)]
struct Names {
    events: String,
    dead: String,
}

impl JetStream {
    /// A client for the NATS servers at `url`: `nats://host:port`, or several of these separated
    /// by commas. The URL may contain a user and a password (`nats://user:password@host`) or a
    /// token (`nats://token@host`), percent-encoded. The client reconnects without limit.
    ///
    /// # Errors
    /// [`BusError::Rejected`] if the URL is invalid or the server refuses the credentials;
    /// [`BusError::Unavailable`] if no server answers within four seconds.
    pub async fn client(url: &str) -> Result<Client, BusError> {
        connection::connect(url).await
    }

    /// The bus of `namespace` on a client of its own.
    ///
    /// # Errors
    /// As [`JetStream::client`].
    pub async fn connect(url: &str, namespace: impl Into<String>) -> Result<Self, BusError> {
        Ok(Self::with_client(Self::client(url).await?, namespace))
    }

    /// The bus of `namespace` on an existing client.
    pub fn with_client(client: Client, namespace: impl Into<String>) -> Self {
        Self {
            connection: Connection::new(client),
            names: Names::new(namespace.into()),
            window: DEFAULT_WINDOW,
            replicas: 1,
            events: StreamLimits::default(),
            dead_letters: StreamLimits::default(),
        }
    }

    /// The bus of another namespace on the same client.
    #[must_use]
    pub fn beside(&self, namespace: impl Into<String>) -> Self {
        Self { names: Names::new(namespace.into()), ..self.clone() }
    }

    /// Sets the deduplication window, at least 100 ms. Takes effect on the next
    /// [`Bus::ensure`].
    pub fn deduplicating_within(self, window: Duration) -> Self {
        Self { window, ..self }
    }

    /// Sets the number of servers that keep a copy of each message, 1 to 5; 1 by default. A
    /// message is acknowledged once a majority of them has it. More than one needs a cluster of
    /// at least as many servers. Takes effect on the next [`Bus::ensure`], also on streams that
    /// exist; all users of a namespace must agree on it.
    pub fn replicated(self, replicas: u8) -> Self {
        Self { replicas, ..self }
    }

    /// Sets the limits of the event stream and of the stream of dead letters; none by default.
    /// Takes effect on the next [`Bus::ensure`], also on streams that exist; all users of a
    /// namespace must agree on them.
    pub fn keeping(self, events: StreamLimits, dead_letters: StreamLimits) -> Self {
        Self { events, dead_letters, ..self }
    }

    /// Deletes both streams with their messages and consumers, to clean up after a test. A
    /// stream that does not exist counts as deleted.
    ///
    /// # Errors
    /// [`BusError::Unavailable`] if the server does not answer; a second attempt is safe.
    pub async fn delete_streams(&self) -> Result<(), BusError> {
        for name in [&self.names.events, &self.names.dead] {
            let deleted = self.connection.api::<Value>(format!("STREAM.DELETE.{name}"), json!({}));
            match deleted.await {
                Err(RequestError::Refused(e)) if e.kind() == ErrorCode::STREAM_NOT_FOUND => {}
                other => drop(other?),
            }
        }
        Ok(())
    }

    /// Deletes a durable consumer, as an operator may. One that does not exist counts as deleted.
    ///
    /// # Errors
    /// [`BusError::Unavailable`] if the server does not answer; a second attempt is safe.
    pub async fn delete_consumer(&self, stream: Stream, name: &str) -> Result<(), BusError> {
        let subject = format!("CONSUMER.DELETE.{}.{name}", self.names.stream(stream));
        match self.connection.api::<Value>(subject, json!({})).await {
            Err(RequestError::Refused(e))
                if [ErrorCode::CONSUMER_NOT_FOUND, ErrorCode::STREAM_NOT_FOUND]
                    .contains(&e.kind()) => {}
            other => drop(other?),
        }
        Ok(())
    }

    async fn ensure_stream(&self, stream: Stream) -> Result<(), BusError> {
        let (name, limits) = match stream {
            Stream::Events => (&self.names.events, self.events),
            Stream::DeadLetters => (&self.names.dead, self.dead_letters),
        };
        wire::nanoseconds("a deduplication window", self.window)?;
        limits.check(self.window)?;
        if !REPLICAS.contains(&self.replicas) {
            let count = self.replicas;
            return Err(BusError::Rejected(format!("a stream has 1 to 5 replicas, not {count}")));
        }
        let config = Config {
            name: name.clone(),
            subjects: vec![format!("{name}.>")],
            storage: StorageType::File,
            // A block is compressed once it is full, so neither the latency of a publish nor
            // what it promises changes.
            compression: Some(Compression::S2),
            max_age: limits.max_age.unwrap_or_default(),
            max_bytes: limits.max_bytes.map_or(-1, u64::cast_signed),
            discard: DiscardPolicy::New,
            duplicate_window: self.window,
            num_replicas: usize::from(self.replicas),
            ..Config::default()
        };
        let config = encode(&config)?;
        let create = format!("STREAM.CREATE.{name}");
        match self.connection.api::<StreamInfo>(create, config.clone()).await {
            Err(RequestError::Refused(e)) if e.kind() == ErrorCode::STREAM_NAME_EXIST => {
                self.connection.api::<StreamInfo>(format!("STREAM.UPDATE.{name}"), config).await?;
            }
            other => drop(other?),
        }
        Ok(())
    }
}

impl Names {
    fn new(events: String) -> Self {
        Self { dead: format!("{events}-dead"), events }
    }

    fn stream(&self, stream: Stream) -> &str {
        match stream {
            Stream::Events => &self.events,
            Stream::DeadLetters => &self.dead,
        }
    }
}

/// One page of the list of a stream's consumers.
#[derive(Debug, Deserialize)]
struct Page {
    total: usize,
    consumers: Option<Vec<Info>>,
}

#[async_trait]
impl Bus for JetStream {
    async fn ensure(&self) -> Result<(), BusError> {
        let dead = self.ensure_stream(Stream::DeadLetters);
        futures::future::try_join(self.ensure_stream(Stream::Events), dead).await?;
        Ok(())
    }

    async fn publish(&self, stream: Stream, message: Message) -> Result<Published, PublishError> {
        let (subject, headers) = wire::outgoing(self.names.stream(stream), &message)?;
        let answer = self.connection.request(subject, headers, message.payload).await;
        let ack = answer.and_then(|answer| decode::<PublishAck>(&answer.payload))?;
        Ok(Published { sequence: ack.sequence, duplicate: ack.duplicate })
    }

    async fn subscribe(&self, consumer: Consumer) -> Result<Box<dyn Subscription>, BusError> {
        let stream = self.names.stream(consumer.stream);
        let opened = open::open(&self.connection, stream, &consumer, self.replicas).await?;
        Ok(Box::new(opened))
    }

    async fn remove(&self, stream: Stream, sequence: u64) -> Result<bool, BusError> {
        let subject = format!("STREAM.MSG.DELETE.{}", self.names.stream(stream));
        // Without overwriting the bytes: nothing in a message is a secret.
        let request = json!({ "seq": sequence, "no_erase": true });
        match self.connection.api::<Value>(subject, request).await {
            Err(RequestError::Refused(e)) if NO_SUCH_MESSAGE.contains(&e.kind()) => Ok(false),
            removed => Ok(removed.map(|_| true)?),
        }
    }

    async fn pending(&self) -> Result<Vec<Pending>, BusError> {
        let mut pending = Vec::new();
        loop {
            let subject = format!("CONSUMER.LIST.{}", self.names.events);
            let from = json!({ "offset": pending.len() });
            let page = self.connection.api::<Page>(subject, from).await?;
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
        if pending.is_empty() {
            // A cluster has an empty list for a stream that does not exist.
            let info = format!("STREAM.INFO.{}", self.names.events);
            self.connection.api::<Value>(info, json!({})).await?;
        }
        pending.sort_by(|a, b| a.consumer.cmp(&b.consumer));
        Ok(pending)
    }

    async fn state(&self, stream: Stream) -> Result<StreamState, BusError> {
        let info = format!("STREAM.INFO.{}", self.names.stream(stream));
        let StreamInfo { config, state, .. } = self.connection.api(info, json!({})).await?;
        let oldest = || {
            let at = state.first_timestamp.unix_timestamp_nanos();
            ports::Timestamp::from_nanosecond(at)
        };
        let max_age = (!config.max_age.is_zero()).then_some(config.max_age);
        Ok(StreamState {
            messages: state.messages,
            bytes: state.bytes,
            oldest: (state.messages > 0).then(oldest).and_then(Result::ok),
            limits: StreamLimits { max_age, max_bytes: u64::try_from(config.max_bytes).ok() },
        })
    }

    async fn ping(&self) -> Result<(), BusError> {
        let info = async |name: &str| {
            let info = self.connection.api::<Value>(format!("STREAM.INFO.{name}"), json!({}));
            match info.await {
                Err(RequestError::Refused(e)) if e.kind() == ErrorCode::STREAM_NOT_FOUND => {
                    Err(BusError::Unavailable(format!("the stream {name} is missing")))
                }
                other => other.map(drop).map_err(BusError::from),
            }
        };
        futures::future::try_join(info(&self.names.events), info(&self.names.dead)).await?;
        Ok(())
    }
}
