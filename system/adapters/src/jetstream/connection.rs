//! The connection: every request is answered, refused or given up in bounded time.
//!
//! It never repeats a request, because only the caller knows whether that is safe.

use std::error::Error;
use std::sync::atomic::Ordering;
use std::time::Duration;

use async_nats::connection::State;
use async_nats::jetstream::response::Response;
use async_nats::jetstream::{Context, Error as ApiError, ErrorCode};
use async_nats::{Client, ConnectErrorKind, ConnectOptions, HeaderMap, Request, RequestErrorKind};
use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep, timeout};

use super::address::Addresses;
use ports::bus::{BusError, PublishError};

/// The time limit of a call for a lost connection to come back.
const RECONNECT_LIMIT: Duration = Duration::from_secs(2);
/// The time limit of a call for its answer.
const ANSWER_LIMIT: Duration = Duration::from_secs(3);
/// The time limit of one attempt to connect.
const CONNECT_LIMIT: Duration = Duration::from_secs(2);
/// The base of the pause between two attempts to connect, doubled with each attempt.
const RECONNECT_PAUSE: Duration = Duration::from_millis(10);
/// The longest pause between two attempts to connect.
const MAX_RECONNECT_PAUSE: Duration = Duration::from_millis(500);
/// The interval of pings on a silent connection. Two unanswered pings end it.
const PING_INTERVAL: Duration = Duration::from_secs(5);
/// The interval at which a call checks whether a lost connection is back.
const POLL_INTERVAL: Duration = Duration::from_millis(10);

/// The codes of the server for a message that it may have stored: one whose first publish has not
/// reached a majority of a cluster yet, and one that this server could not store and others could.
const MAY_BE_STORED: [ErrorCode; 2] =
    [ErrorCode::STREAM_DUPLICATE_MESSAGE_CONFLICT, ErrorCode::STREAM_STORE_FAILED];

/// A connection to the server. Clones share it.
#[derive(Debug, Clone)]
pub(super) struct Connection {
    pub(super) client: Client,
    /// Created once, because each context runs a task of its own.
    pub(super) context: Context,
}

/// The reason why a request has no answer, and with it what is known about its effect.
#[derive(Debug)]
pub(super) enum RequestError {
    /// It was not sent.
    NotSent(String),
    /// It was sent, and may have been carried out.
    MaybeApplied(String),
    /// Nothing subscribes to its subject.
    NoResponders,
    /// The client refuses to send such a request.
    Invalid(String),
    /// The server refused it.
    Refused(ApiError),
}

impl Connection {
    pub(super) fn new(client: Client) -> Self {
        Self { context: async_nats::jetstream::new(client.clone()), client }
    }

    /// The number of connections made so far. A change means that the server may have
    /// forgotten open requests.
    pub(super) fn connects(&self) -> u64 {
        self.client.statistics().connects.load(Ordering::Relaxed)
    }

    /// Sends a request to the JetStream API.
    pub(super) async fn api<T: DeserializeOwned>(
        &self,
        subject: String,
        body: Value,
    ) -> Result<T, RequestError> {
        let subject = format!("$JS.API.{subject}");
        decode(&self.request(subject, None, body.to_string().into()).await?.payload)
    }

    /// Sends a request and waits for its answer.
    pub(super) async fn request(
        &self,
        subject: String,
        headers: Option<HeaderMap>,
        payload: Bytes,
    ) -> Result<async_nats::Message, RequestError> {
        self.connected().await?;
        let mut request = Request::new().payload(payload);
        if let Some(headers) = headers {
            request = request.headers(headers);
        }
        // The client's own limit does not cover the time in a full command queue.
        match timeout(ANSWER_LIMIT, self.client.send_request(subject, request)).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(e)) => Err(match e.kind() {
                RequestErrorKind::NoResponders => RequestError::NoResponders,
                RequestErrorKind::InvalidSubject | RequestErrorKind::MaxPayloadExceeded => {
                    RequestError::Invalid(with_source(&e))
                }
                RequestErrorKind::TimedOut | RequestErrorKind::Other => {
                    RequestError::MaybeApplied(with_source(&e))
                }
            }),
            Err(_) => Err(RequestError::MaybeApplied(format!("no answer within {ANSWER_LIMIT:?}"))),
        }
    }

    /// The reason why a consumer does not respond: deleted, or unreachable for now.
    pub(super) async fn why_unresponsive(&self, stream: &str, consumer: &str) -> BusError {
        let subject = format!("CONSUMER.INFO.{stream}.{consumer}");
        match self.api::<Value>(subject, json!({})).await {
            Err(RequestError::Refused(e))
                if [ErrorCode::CONSUMER_NOT_FOUND, ErrorCode::STREAM_NOT_FOUND]
                    .contains(&e.kind()) =>
            {
                BusError::Gone(format!("{consumer}: {e}"))
            }
            Err(error) => error.into(),
            Ok(_) => BusError::Unavailable(format!("{consumer} does not respond at the moment")),
        }
    }

    async fn connected(&self) -> Result<(), RequestError> {
        let started = Instant::now();
        while self.client.connection_state() != State::Connected {
            if started.elapsed() >= RECONNECT_LIMIT {
                return Err(RequestError::NotSent("not connected".to_owned()));
            }
            sleep(POLL_INTERVAL).await;
        }
        Ok(())
    }
}

/// Connects a client to the servers at `url`, with the credentials in it.
pub(super) async fn connect(url: &str) -> Result<Client, BusError> {
    let addresses = Addresses::parse(url)?;
    let options = ConnectOptions::new()
        .connection_timeout(CONNECT_LIMIT)
        .request_timeout(Some(ANSWER_LIMIT))
        .ping_interval(PING_INTERVAL)
        .max_reconnects(None)
        .reconnect_delay_callback(|attempts| {
            let doublings = u32::try_from(attempts.min(10)).unwrap_or(10);
            (RECONNECT_PAUSE * 2_u32.pow(doublings)).min(MAX_RECONNECT_PAUSE)
        });
    let connecting = addresses.authenticate(options).connect(&addresses.servers[..]);
    match timeout(RECONNECT_LIMIT + CONNECT_LIMIT, connecting).await {
        Ok(Ok(client)) => Ok(client),
        Ok(Err(e)) if e.kind() == ConnectErrorKind::AuthorizationViolation => {
            Err(BusError::Rejected(format!("{addresses}: {}", with_source(&e))))
        }
        Ok(Err(e)) => Err(BusError::Unavailable(format!("{addresses}: {}", with_source(&e)))),
        Err(_) => Err(BusError::Unavailable(format!("{addresses}: no answer"))),
    }
}

/// Encodes a configuration, which fails for values that JSON or the server cannot represent.
pub(super) fn encode(config: &impl Serialize) -> Result<Value, RequestError> {
    serde_json::to_value(config).map_err(|e| RequestError::Invalid(format!("not encodable: {e}")))
}

/// Decodes an answer of the JetStream API.
pub(super) fn decode<T: DeserializeOwned>(payload: &[u8]) -> Result<T, RequestError> {
    match serde_json::from_slice(payload) {
        Ok(Response::Ok(answer)) => Ok(answer),
        Ok(Response::Err { error }) => Err(RequestError::Refused(error)),
        Err(e) => Err(RequestError::MaybeApplied(format!("unintelligible answer: {e}"))),
    }
}

/// An error with its source, which the client's own messages leave out.
fn with_source(error: &dyn Error) -> String {
    match error.source() {
        Some(source) if !error.to_string().contains(&source.to_string()) => {
            format!("{error}: {source}")
        }
        _ => error.to_string(),
    }
}

/// Whether the reason of a refusal may pass by itself. The class of the code says so, but for two
/// codes: a cluster lacks servers for the replicas of a stream while some of them are down, and a
/// server without a cluster never has any.
fn passes(error: &ApiError) -> bool {
    match error.kind() {
        ErrorCode::CLUSTER_NO_PEERS => true,
        ErrorCode::STREAM_REPLICAS_NOT_SUPPORTED => false,
        _ => error.code() >= 500,
    }
}

impl From<RequestError> for BusError {
    fn from(error: RequestError) -> Self {
        match error {
            RequestError::NotSent(reason) | RequestError::MaybeApplied(reason) => {
                Self::Unavailable(reason)
            }
            RequestError::NoResponders => {
                Self::Unavailable("JetStream does not respond".to_owned())
            }
            RequestError::Invalid(reason) => Self::Rejected(reason),
            RequestError::Refused(e) if passes(&e) => Self::Unavailable(e.to_string()),
            RequestError::Refused(e) if e.kind() == ErrorCode::CONSUMER_NOT_FOUND => {
                Self::Gone(e.to_string())
            }
            RequestError::Refused(e) => Self::Rejected(e.to_string()),
        }
    }
}

impl From<RequestError> for PublishError {
    fn from(error: RequestError) -> Self {
        match error {
            RequestError::NotSent(reason) => Self::Unavailable(reason),
            RequestError::MaybeApplied(reason) => Self::Unknown(reason),
            RequestError::NoResponders => {
                Self::Unavailable("no stream accepts the subject".to_owned())
            }
            RequestError::Invalid(reason) => Self::Rejected(reason),
            RequestError::Refused(e) if MAY_BE_STORED.contains(&e.kind()) => {
                Self::Unknown(e.to_string())
            }
            RequestError::Refused(e) if passes(&e) => Self::Unavailable(e.to_string()),
            RequestError::Refused(e) => Self::Rejected(e.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
    use tokio::net::TcpListener;

    use super::*;

    /// Accepts one connection, and returns the `CONNECT` message of its client.
    async fn connect_message(listener: TcpListener) -> Value {
        let (mut socket, _) = listener.accept().await.expect("a client");
        let info = json!({
            "server_id": "id", "server_name": "name", "version": "2.12.0", "go": "go",
            "host": "127.0.0.1", "port": 4222, "proto": 1, "client_id": 1, "headers": true,
            "max_payload": 1024, "auth_required": true,
        });
        socket.write_all(format!("INFO {info}\r\n").as_bytes()).await.expect("sent");
        let (reader, mut writer) = socket.split();
        let mut lines = BufReader::new(reader).lines();
        let connect = lines.next_line().await.expect("a line").expect("a message");
        assert_eq!(lines.next_line().await.expect("a line").as_deref(), Some("PING"));
        writer.write_all(b"PONG\r\n").await.expect("sent");
        let json = connect.strip_prefix("CONNECT ").expect("a CONNECT message");
        serde_json::from_str(json).expect("JSON")
    }

    fn refused(code: u64, err_code: u64) -> RequestError {
        let answer = json!({ "error": { "code": code, "err_code": err_code, "description": "" } });
        decode::<Value>(answer.to_string().as_bytes()).expect_err("a refusal")
    }

    /// The codes are those of `nats-server` 2.15.1.
    #[test]
    fn trouble_in_a_cluster_is_not_the_fault_of_the_caller() {
        let no_leader = (503, 10008);
        let no_peers = (400, 10005);
        let replicas_still_move = (503, 10023);
        for (code, err_code) in [no_leader, no_peers, replicas_still_move] {
            let error = BusError::from(refused(code, err_code));
            assert!(matches!(error, BusError::Unavailable(_)), "{error:?}");
            let error = PublishError::from(refused(code, err_code));
            assert!(matches!(error, PublishError::Unavailable(_)), "{error:?}");
        }
        let first_publish_is_in_process = (409, 10158);
        let others_may_have_stored_it = (503, 10077);
        for (code, err_code) in [first_publish_is_in_process, others_may_have_stored_it] {
            let error = PublishError::from(refused(code, err_code));
            assert!(matches!(error, PublishError::Unknown(_)), "{error:?}");
        }
        let no_cluster = BusError::from(refused(500, 10074));
        assert!(matches!(no_cluster, BusError::Rejected(_)), "{no_cluster:?}");
    }

    #[tokio::test]
    async fn credentials_of_the_url_reach_the_server() {
        for (credentials, user, password, token) in [
            ("", Value::Null, Value::Null, Value::Null),
            ("anna:op%40ra@", json!("anna"), json!("op@ra"), Value::Null),
            ("s3cr3t@", Value::Null, Value::Null, json!("s3cr3t")),
        ] {
            let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
            let port = listener.local_addr().expect("an address").port();
            let server = tokio::spawn(connect_message(listener));
            let url = format!("nats://{credentials}127.0.0.1:{port}");
            connect(&url).await.expect("connected");
            let message = server.await.expect("no panic");
            assert_eq!(message["user"], user, "{message}");
            assert_eq!(message["pass"], password, "{message}");
            assert_eq!(message["auth_token"], token, "{message}");
        }
    }

    #[tokio::test]
    async fn an_unreachable_server_is_named_without_its_credentials() {
        let url = "nats://anna:opera@127.0.0.1:1, 127.0.0.1:2";
        let Err(BusError::Unavailable(reason)) = connect(url).await else {
            panic!("nothing listens there");
        };
        assert!(reason.starts_with("nats://127.0.0.1:1,nats://127.0.0.1:2: "), "{reason}");
        assert!(!reason.contains("opera"), "{reason}");
    }
}
