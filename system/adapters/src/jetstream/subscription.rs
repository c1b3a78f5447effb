//! An open consumer: asks for one message at a time, and for none before it is wanted.
//!
//! A message that waits in a process is one that its ack wait runs out on and that a crash
//! takes along unseen. So nothing is fetched ahead; the server holds the request until there
//! is a message, and a lost request is made again.

use std::time::Duration;

use async_nats::jetstream::Message as Received;
use async_nats::jetstream::consumer::Info;
use async_nats::{StatusCode, Subscriber};
use async_trait::async_trait;
use bytes::Bytes;
use futures::{FutureExt, StreamExt};
use jiff::Timestamp;
use tokio::time::{Instant, sleep, timeout};

use super::link::Link;
use super::reply::Answer;
use super::wire;
use ports::bus::{BusError, Delivery, Group, Subscription};

/// How long the server holds a request for a message.
const EXPIRES: Duration = Duration::from_secs(30);
/// How often it says that it still holds it.
const HEARTBEAT: Duration = Duration::from_secs(5);
/// After how much silence the request counts as lost.
const SILENCE: Duration = Duration::from_secs(12);
/// How often a waiting subscription looks whether it was reconnected.
const GLANCE: Duration = Duration::from_millis(200);
/// The pause before asking a server again that has just said no.
const PAUSE: Duration = Duration::from_millis(100);

/// A pull consumer and the inbox that its messages come to.
pub(super) struct Pulling {
    link: Link,
    stream: String,
    consumer: String,
    group: Group,
    backlog: u64,
    inbox_name: String,
    inbox: Subscriber,
    request: Bytes,
    /// Whether the server holds a request.
    asked: bool,
    /// When anything was last heard of that request.
    heard: Instant,
    /// How often the connection had been made when it was asked.
    connects: u64,
}

impl Pulling {
    pub(super) async fn start(
        link: Link,
        stream: &str,
        info: Info,
        group: Group,
    ) -> Result<Self, BusError> {
        let inbox_name = link.client.new_inbox();
        let inbox = link.client.subscribe(inbox_name.clone()).await;
        let request = serde_json::json!({
            "batch": 1,
            "expires": u64::try_from(EXPIRES.as_nanos()).unwrap_or(u64::MAX),
            "idle_heartbeat": u64::try_from(HEARTBEAT.as_nanos()).unwrap_or(u64::MAX),
        });
        Ok(Self {
            connects: link.connects(),
            stream: stream.to_owned(),
            consumer: info.name,
            group,
            backlog: info.num_pending,
            inbox: inbox.map_err(|e| BusError::Unavailable(e.to_string()))?,
            inbox_name,
            request: request.to_string().into(),
            asked: false,
            heard: Instant::now(),
            link,
        })
    }

    /// Asks for a message. While the connection is lost this only queues the request.
    async fn ask(&mut self) -> Result<(), BusError> {
        let subject = format!("$JS.API.CONSUMER.MSG.NEXT.{}.{}", self.stream, self.consumer);
        let connects = self.link.connects();
        let (inbox, request) = (self.inbox_name.clone(), self.request.clone());
        let sent = self.link.client.publish_with_reply(subject, inbox, request).await;
        sent.map_err(|e| BusError::Unavailable(e.to_string()))?;
        (self.asked, self.heard, self.connects) = (true, Instant::now(), connects);
        Ok(())
    }

    /// Finds out whether a request that nothing is heard of is still held.
    async fn look(&mut self) -> Result<(), BusError> {
        if self.link.connects() != self.connects {
            self.asked = false;
        } else if self.heard.elapsed() > SILENCE {
            self.lost().await?;
        }
        Ok(())
    }

    /// The request is lost: asks again, unless the consumer is gone.
    async fn lost(&mut self) -> Result<(), BusError> {
        (self.asked, self.heard) = (false, Instant::now());
        match self.link.missing(&self.stream, &self.consumer).await {
            gone @ BusError::Gone(_) => Err(gone),
            why => {
                tracing::debug!(consumer = self.consumer, %why, "asking again");
                sleep(PAUSE).await;
                Ok(())
            }
        }
    }

    /// What the server tells of the request instead of delivering.
    async fn told(&mut self, status: StatusCode, why: &str) -> Result<(), BusError> {
        self.heard = Instant::now();
        match status {
            StatusCode::IDLE_HEARTBEAT => Ok(()),
            StatusCode::TIMEOUT => {
                self.asked = false;
                Ok(())
            }
            StatusCode::REQUEST_TERMINATED if why.eq_ignore_ascii_case("consumer deleted") => {
                Err(BusError::Gone(self.consumer.clone()))
            }
            _ => self.lost().await,
        }
    }

    fn delivery(&self, message: Received) -> Result<Delivery, BusError> {
        let strange = |why: &dyn std::fmt::Display| BusError::Rejected(why.to_string());
        let info = message.info().map_err(|e| strange(&e))?;
        let to = message.reply.clone().ok_or_else(|| strange(&"nothing to reply to"))?;
        Ok(Delivery {
            sequence: info.stream_sequence,
            published: Timestamp::from_nanosecond(info.published.unix_timestamp_nanos())
                .map_err(|e| strange(&e))?,
            attempt: u32::try_from(info.delivered).unwrap_or(u32::MAX),
            message: wire::incoming(&self.stream, &message.message)?,
            reply: Box::new(Answer {
                link: self.link.clone(),
                stream: self.stream.clone(),
                consumer: self.consumer.clone(),
                to,
            }),
        })
    }
}

#[async_trait]
impl Subscription for Pulling {
    async fn next(&mut self) -> Result<Delivery, BusError> {
        loop {
            // Looked at first: a message may have come for a call that was dropped.
            let came = match self.inbox.next().now_or_never() {
                Some(came) => came,
                None => {
                    if !self.asked {
                        self.ask().await?;
                    }
                    let Ok(came) = timeout(GLANCE, self.inbox.next()).await else {
                        self.look().await?;
                        continue;
                    };
                    came
                }
            };
            let Some(message) = came else {
                return Err(BusError::Unavailable("the connection was closed".to_owned()));
            };
            if let Some(status) = wire::status(&message) {
                let why = message.description.unwrap_or_default();
                self.told(status, &why).await?;
                continue;
            }
            self.asked = false;
            let context = self.link.context.clone();
            return self.delivery(Received { message, context });
        }
    }

    fn backlog(&self) -> u64 {
        self.backlog
    }
}

impl Drop for Pulling {
    fn drop(&mut self) {
        if self.group == Group::Broadcast {
            // Best effort: where this is lost, the server deletes it when nobody asks any more.
            let subject = format!("$JS.API.CONSUMER.DELETE.{}.{}", self.stream, self.consumer);
            drop(self.link.client.publish(subject, Bytes::new()).now_or_never());
        }
    }
}
