//! The connection: requests that are answered, refused or given up in bounded time.
//!
//! It never repeats a request: only its caller knows whether that is safe.

use std::sync::atomic::Ordering;
use std::time::Duration;

use async_nats::connection::State;
use async_nats::jetstream::response::Response;
use async_nats::jetstream::{Context, Error as Refusal, ErrorCode};
use async_nats::{Client, ConnectOptions, HeaderMap, Request, RequestErrorKind};
use bytes::Bytes;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep, timeout};

use ports::bus::{BusError, PublishError};

/// How long a call waits for a lost connection to come back.
const PATIENCE: Duration = Duration::from_secs(2);
/// How long a call waits for its answer.
const ANSWER: Duration = Duration::from_secs(3);
/// How long one attempt to connect may take.
const CONNECT: Duration = Duration::from_secs(2);
/// The longest pause between two attempts to connect.
const RECONNECT: Duration = Duration::from_millis(500);
/// How often a silent connection is tried; two unanswered pings end it.
const PING: Duration = Duration::from_secs(5);
/// How often a lost connection is looked at.
const LOOK: Duration = Duration::from_millis(10);

/// A connection to the server. Clones are the same connection.
#[derive(Debug, Clone)]
pub(super) struct Link {
    pub(super) client: Client,
    /// Made once: each has a task of its own.
    pub(super) context: Context,
}

/// Why a request has no answer.
#[derive(Debug)]
pub(super) enum Failure {
    /// It was not sent.
    Away(String),
    /// It may have been carried out.
    Silent(String),
    /// Nobody there listens to its subject.
    Absent,
    /// The client does not send such a request.
    Invalid(String),
    /// The server says no.
    Refused(Refusal),
}

impl Link {
    pub(super) fn new(client: Client) -> Self {
        Self { context: async_nats::jetstream::new(client.clone()), client }
    }

    pub(super) async fn connect(url: &str) -> Result<Self, BusError> {
        let options = ConnectOptions::new()
            .connection_timeout(CONNECT)
            .request_timeout(Some(ANSWER))
            .ping_interval(PING)
            .max_reconnects(None)
            .reconnect_delay_callback(|attempts| {
                let doublings = u32::try_from(attempts.min(10)).unwrap_or(10);
                (LOOK * 2_u32.pow(doublings)).min(RECONNECT)
            });
        let addresses: Vec<&str> = url.split(',').map(str::trim).collect();
        let servers = without_secrets(&addresses);
        match timeout(PATIENCE + CONNECT, options.connect(addresses)).await {
            Ok(Ok(client)) => Ok(Self::new(client)),
            Ok(Err(why)) => Err(BusError::Unavailable(format!("{servers}: {why}"))),
            Err(_) => Err(BusError::Unavailable(format!("{servers}: no answer"))),
        }
    }

    /// How many times the connection was made; a change means that the server may have
    /// forgotten what it was asked.
    pub(super) fn connects(&self) -> u64 {
        self.client.statistics().connects.load(Ordering::Relaxed)
    }

    /// Asks the JetStream API.
    pub(super) async fn api<T: DeserializeOwned>(
        &self,
        subject: String,
        body: Value,
    ) -> Result<T, Failure> {
        let subject = format!("$JS.API.{subject}");
        decode(&self.request(subject, None, body.to_string().into()).await?.payload)
    }

    /// Sends a request and waits for its answer.
    pub(super) async fn request(
        &self,
        subject: String,
        headers: Option<HeaderMap>,
        payload: Bytes,
    ) -> Result<async_nats::Message, Failure> {
        self.connected().await?;
        let mut request = Request::new().payload(payload);
        if let Some(headers) = headers {
            request = request.headers(headers);
        }
        // The client's own limit does not cover a full command queue.
        match timeout(ANSWER, self.client.send_request(subject, request)).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(e)) => Err(match e.kind() {
                RequestErrorKind::NoResponders => Failure::Absent,
                RequestErrorKind::InvalidSubject | RequestErrorKind::MaxPayloadExceeded => {
                    Failure::Invalid(described(&e))
                }
                RequestErrorKind::TimedOut | RequestErrorKind::Other => {
                    Failure::Silent(described(&e))
                }
            }),
            Err(_) => Err(Failure::Silent(format!("no answer within {ANSWER:?}"))),
        }
    }

    /// Why a consumer does not listen: gone, or only away for now.
    pub(super) async fn missing(&self, stream: &str, consumer: &str) -> BusError {
        let subject = format!("CONSUMER.INFO.{stream}.{consumer}");
        match self.api::<Value>(subject, json!({})).await {
            Err(Failure::Refused(e))
                if [ErrorCode::CONSUMER_NOT_FOUND, ErrorCode::STREAM_NOT_FOUND]
                    .contains(&e.kind()) =>
            {
                BusError::Gone(format!("{consumer}: {e}"))
            }
            Err(why) => why.into(),
            Ok(_) => BusError::Unavailable(format!("{consumer} does not listen at the moment")),
        }
    }

    async fn connected(&self) -> Result<(), Failure> {
        let started = Instant::now();
        while self.client.connection_state() != State::Connected {
            if started.elapsed() >= PATIENCE {
                return Err(Failure::Away("not connected".to_owned()));
            }
            sleep(LOOK).await;
        }
        Ok(())
    }
}

/// The addresses as they may be shown: a name, a password or a token before the host is not.
fn without_secrets(addresses: &[&str]) -> String {
    let shown = addresses.iter().map(|address| {
        let (scheme, rest) = match address.split_once("://") {
            Some((scheme, rest)) => (format!("{scheme}://"), rest),
            None => (String::new(), *address),
        };
        let host = rest.rsplit_once('@').map_or(rest, |(_, host)| host);
        format!("{scheme}{host}")
    });
    shown.collect::<Vec<_>>().join(",")
}

/// An answer of the JetStream API.
pub(super) fn decode<T: DeserializeOwned>(payload: &[u8]) -> Result<T, Failure> {
    match serde_json::from_slice(payload) {
        Ok(Response::Ok(answer)) => Ok(answer),
        Ok(Response::Err { error }) => Err(Failure::Refused(error)),
        Err(e) => Err(Failure::Silent(format!("not understood: {e}"))),
    }
}

/// The error with its source, which says what its kind does not.
fn described(error: &dyn std::error::Error) -> String {
    match error.source() {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}

impl From<Failure> for BusError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Away(why) | Failure::Silent(why) => Self::Unavailable(why),
            Failure::Absent => Self::Unavailable("JetStream does not listen".to_owned()),
            Failure::Invalid(why) => Self::Rejected(why),
            Failure::Refused(e) if e.code() >= 500 => Self::Unavailable(e.to_string()),
            Failure::Refused(e) if e.kind() == ErrorCode::CONSUMER_NOT_FOUND => {
                Self::Gone(e.to_string())
            }
            Failure::Refused(e) => Self::Rejected(e.to_string()),
        }
    }
}

impl From<Failure> for PublishError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Away(why) => Self::Unavailable(why),
            Failure::Silent(why) => Self::Unknown(why),
            Failure::Absent => Self::Unavailable("no stream listens to the subject".to_owned()),
            Failure::Invalid(why) => Self::Rejected(why),
            Failure::Refused(e) if e.code() >= 500 => Self::Unavailable(e.to_string()),
            Failure::Refused(e) => Self::Rejected(e.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_server_that_is_not_there_is_named_without_its_password() {
        let url = "nats://anna:opera@127.0.0.1:1, token@127.0.0.1:2";
        let Err(BusError::Unavailable(why)) = Link::connect(url).await else {
            panic!("nobody listens there");
        };
        assert!(why.starts_with("nats://127.0.0.1:1,127.0.0.1:2: "), "{why}");
        assert!(!why.contains("opera") && !why.contains("token"), "{why}");
    }
}
