//! An open consumer: requests one message at a time, and none before the caller wants it.
//!
//! A prefetched message would spend its ack wait in a queue, and a crash would lose it unseen.
//! So a request is sent only while a caller waits. It cannot be taken back: where the caller
//! drops its wait, the server holds the request until there is a message or it expires, and the
//! next call finds that message in the inbox. A lost request is sent again.

use std::time::Duration;

use async_nats::jetstream::Message as Received;
use async_nats::jetstream::consumer::Info;
use async_nats::{StatusCode, Subscriber};
use async_trait::async_trait;
use bytes::Bytes;
use futures::{FutureExt, StreamExt};
use jiff::Timestamp;
use tokio::time::{Instant, sleep, timeout};

use super::connection::Connection;
use super::reply::DeliveryReply;
use super::wire;
use ports::bus::{BusError, Delivery, Group, Subscription};

/// The time for which the server holds a pull request.
const REQUEST_EXPIRY: Duration = Duration::from_secs(30);
/// The interval of the heartbeats that the server sends while it holds a request.
const HEARTBEAT_INTERVAL: Duration = Duration::from_secs(5);
/// The silence after which a request counts as lost: two heartbeats and a margin.
const SILENCE_LIMIT: Duration = Duration::from_secs(12);
/// The interval at which a waiting subscription checks its connection.
const CHECK_INTERVAL: Duration = Duration::from_millis(200);
/// The pause before a request that the server has refused is sent again.
const RETRY_PAUSE: Duration = Duration::from_millis(100);

/// A pull consumer and the inbox that receives its messages.
pub(super) struct PullSubscription {
    connection: Connection,
    stream: String,
    consumer: String,
    group: Group,
    backlog: u64,
    has_gap: bool,
    inbox_name: String,
    inbox: Subscriber,
    request: Bytes,
    /// Whether the server holds a request.
    requested: bool,
    /// The time of the last sign of that request.
    last_sign: Instant,
    /// The number of connections made when it was sent.
    connects: u64,
}

impl PullSubscription {
    pub(super) async fn start(
        connection: Connection,
        stream: &str,
        info: Info,
        group: Group,
        has_gap: bool,
    ) -> Result<Self, BusError> {
        let inbox_name = connection.client.new_inbox();
        let inbox = connection.client.subscribe(inbox_name.clone()).await;
        let request = serde_json::json!({
            "batch": 1,
            "expires": wire::nanoseconds("an expiry", REQUEST_EXPIRY)?,
            "idle_heartbeat": wire::nanoseconds("a heartbeat", HEARTBEAT_INTERVAL)?,
        });
        Ok(Self {
            connects: connection.connects(),
            stream: stream.to_owned(),
            consumer: info.name,
            group,
            backlog: info.num_pending,
            has_gap,
            inbox: inbox.map_err(|e| BusError::Unavailable(e.to_string()))?,
            inbox_name,
            request: request.to_string().into(),
            requested: false,
            last_sign: Instant::now(),
            connection,
        })
    }

    /// Sends a pull request. While the connection is lost, the client only queues it.
    async fn pull(&mut self) -> Result<(), BusError> {
        let subject = format!("$JS.API.CONSUMER.MSG.NEXT.{}.{}", self.stream, self.consumer);
        let connects = self.connection.connects();
        let (inbox, request) = (self.inbox_name.clone(), self.request.clone());
        let sent = self.connection.client.publish_with_reply(subject, inbox, request).await;
        sent.map_err(|e| BusError::Unavailable(e.to_string()))?;
        (self.requested, self.last_sign, self.connects) = (true, Instant::now(), connects);
        Ok(())
    }

    /// Checks whether the server still holds a request that gives no sign.
    async fn check(&mut self) -> Result<(), BusError> {
        if self.connection.connects() != self.connects {
            self.requested = false;
        } else if self.last_sign.elapsed() > SILENCE_LIMIT {
            self.request_lost().await?;
        }
        Ok(())
    }

    /// Prepares another request, unless the consumer is deleted.
    async fn request_lost(&mut self) -> Result<(), BusError> {
        (self.requested, self.last_sign) = (false, Instant::now());
        match self.connection.why_unresponsive(&self.stream, &self.consumer).await {
            gone @ BusError::Gone(_) => Err(gone),
            why => {
                tracing::debug!(consumer = self.consumer, %why, "the pull request was lost");
                sleep(RETRY_PAUSE).await;
                Ok(())
            }
        }
    }

    /// Handles a status that the server sent in place of a delivery.
    async fn handle_status(&mut self, status: StatusCode) -> Result<(), BusError> {
        self.last_sign = Instant::now();
        match status {
            StatusCode::IDLE_HEARTBEAT => Ok(()),
            StatusCode::TIMEOUT => {
                self.requested = false;
                Ok(())
            }
            // Among others: the consumer was deleted, which only its description would tell.
            _ => self.request_lost().await,
        }
    }

    fn delivery(&self, message: Received) -> Result<Delivery, BusError> {
        let invalid = |why: &dyn std::fmt::Display| BusError::Rejected(why.to_string());
        let info = message.info().map_err(|e| invalid(&e))?;
        let subject = message.reply.clone();
        let subject = subject.ok_or_else(|| invalid(&"a delivery without a reply subject"))?;
        Ok(Delivery {
            sequence: info.stream_sequence,
            published: Timestamp::from_nanosecond(info.published.unix_timestamp_nanos())
                .map_err(|e| invalid(&e))?,
            attempt: u32::try_from(info.delivered).unwrap_or(u32::MAX),
            message: wire::incoming(&self.stream, &message.message)?,
            reply: Box::new(DeliveryReply {
                connection: self.connection.clone(),
                stream: self.stream.clone(),
                consumer: self.consumer.clone(),
                subject,
            }),
        })
    }
}

#[async_trait]
impl Subscription for PullSubscription {
    async fn next(&mut self) -> Result<Delivery, BusError> {
        loop {
            // Checked first: a message may have arrived for an earlier call that was dropped.
            let received = match self.inbox.next().now_or_never() {
                Some(received) => received,
                None => {
                    if !self.requested {
                        self.pull().await?;
                    }
                    let Ok(received) = timeout(CHECK_INTERVAL, self.inbox.next()).await else {
                        self.check().await?;
                        continue;
                    };
                    received
                }
            };
            let Some(message) = received else {
                return Err(BusError::Unavailable("the connection was closed".to_owned()));
            };
            if let Some(status) = wire::status(&message) {
                self.handle_status(status).await?;
                continue;
            }
            self.requested = false;
            let context = self.connection.context.clone();
            return self.delivery(Received { message, context });
        }
    }

    fn backlog(&self) -> u64 {
        self.backlog
    }

    fn has_gap(&self) -> bool {
        self.has_gap
    }
}

impl Drop for PullSubscription {
    fn drop(&mut self) {
        if self.group == Group::Broadcast {
            // Best effort: if this is lost, the server deletes the consumer once it is inactive.
            let subject = format!("$JS.API.CONSUMER.DELETE.{}.{}", self.stream, self.consumer);
            drop(self.connection.client.publish(subject, Bytes::new()).now_or_never());
        }
    }
}
