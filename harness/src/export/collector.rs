//! Sends a trace to a collector of OpenTelemetry, by OTLP over HTTP with JSON.
//!
//! One request, without a retry: a person reads the error and decides.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use reqwest::{StatusCode, Url};
use serde_json::Value;

/// The path of traces, below the base URL of a collector.
const PATH: &str = "v1/traces";

/// The longest time that a collector may take.
const LIMIT: Duration = Duration::from_secs(30);

/// The most characters of a refusal that are shown.
const SHOWN: usize = 500;

/// The URL to which a collector receives traces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint(Url);

/// The text is no URL of a collector.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no URL of a collector, such as http://localhost:4318")]
pub struct NoEndpoint(String);

impl FromStr for Endpoint {
    type Err = NoEndpoint;

    /// Reads the base URL of a collector, as `OTEL_EXPORTER_OTLP_ENDPOINT` has it, or the whole one
    /// of its traces.
    fn from_str(text: &str) -> Result<Self, NoEndpoint> {
        let invalid = || NoEndpoint(text.to_owned());
        let mut url = Url::parse(text).map_err(|_| invalid())?;
        if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
            return Err(invalid());
        }
        let path = url.path().trim_end_matches('/').to_owned();
        let is_whole = path.ends_with(&format!("/{PATH}"));
        url.set_path(&if is_whole { path } else { format!("{path}/{PATH}") });
        Ok(Self(url))
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The answer of a collector that accepted a trace, perhaps in part.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Accepted {
    /// The number of spans that it rejected.
    pub rejected: u64,
    /// Its reason, or a warning where it rejected none; empty for none.
    pub message: String,
}

/// A trace that no collector has accepted.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SendError {
    /// The collector cannot be reached, or gave no answer.
    #[error("the collector at {0} cannot be reached")]
    Unreachable(Endpoint, #[source] reqwest::Error),
    /// The collector refused the trace.
    #[error("the collector at {0} refused the trace with {1}: {2}")]
    Refused(Endpoint, StatusCode, String),
}

/// Sends an `ExportTraceServiceRequest`.
///
/// # Errors
///
/// When the collector cannot be reached, or refuses it.
pub async fn send(endpoint: &Endpoint, document: &Value) -> Result<Accepted, SendError> {
    let unreachable = |error| SendError::Unreachable(endpoint.clone(), error);
    let request = adapters::reqwest::client(LIMIT).post(endpoint.0.clone()).json(document);
    let answer = request.send().await.map_err(unreachable)?;
    let status = answer.status();
    let body = answer.bytes().await.map_err(unreachable)?;
    let json: Value = serde_json::from_slice(&body).unwrap_or_default();
    if !status.is_success() {
        // A refusal is a `google.rpc.Status`; something in between may answer otherwise.
        let message = json["message"].as_str().map(str::to_owned);
        let message = message.unwrap_or_else(|| String::from_utf8_lossy(&body).into_owned());
        let message = message.trim().chars().take(SHOWN).collect();
        return Err(SendError::Refused(endpoint.clone(), status, message));
    }
    let partial = &json["partialSuccess"];
    // A number of 64 bits is a string in the JSON encoding; some collectors write a number.
    let rejected = &partial["rejectedSpans"];
    let rejected = rejected.as_u64().or_else(|| rejected.as_str()?.parse().ok());
    let message = partial["errorMessage"].as_str().unwrap_or_default().to_owned();
    Ok(Accepted { rejected: rejected.unwrap_or_default(), message })
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use wiremock::matchers::{body_json, header, method, path};
    use wiremock::{Mock, MockServer, ResponseTemplate};

    use super::*;

    fn document() -> Value {
        json!({ "resourceSpans": [{ "scopeSpans": [] }] })
    }

    /// Sends the document to a collector that gives this answer.
    async fn sent(answer: ResponseTemplate) -> Result<Accepted, SendError> {
        let server = MockServer::start().await;
        Mock::given(method("POST"))
            .and(path("/v1/traces"))
            .and(header("content-type", "application/json"))
            .and(body_json(document()))
            .respond_with(answer)
            .mount(&server)
            .await;
        send(&server.uri().parse().unwrap(), &document()).await
    }

    #[test]
    fn the_path_of_traces_is_added_to_a_base_url_and_not_to_a_whole_one() {
        let read = |text: &str| text.parse::<Endpoint>().map(|endpoint| endpoint.to_string());
        let whole = "http://localhost:4318/v1/traces";
        for text in ["http://localhost:4318", "http://localhost:4318/", whole] {
            assert_eq!(read(text).as_deref(), Ok(whole), "{text}");
        }
        let below = "https://collector/otlp/v1/traces";
        assert_eq!(read("https://collector/otlp").as_deref(), Ok(below));
        for text in ["localhost:4318", "ftp://collector", "http://", "trace.json"] {
            assert_eq!(read(text), Err(NoEndpoint(text.to_owned())), "{text}");
        }
    }

    #[tokio::test]
    async fn a_collector_accepts_all_or_reports_what_it_rejected() {
        let all = ResponseTemplate::new(200).set_body_json(json!({}));
        assert_eq!(sent(all).await.unwrap(), Accepted::default());
        // Some answer without a body.
        assert_eq!(sent(ResponseTemplate::new(200)).await.unwrap(), Accepted::default());
        for rejected in [json!("3"), json!(3)] {
            let partial = json!({
                "partialSuccess": { "rejectedSpans": rejected, "errorMessage": "too old" },
            });
            let answer = ResponseTemplate::new(200).set_body_json(partial);
            let expected = Accepted { rejected: 3, message: "too old".to_owned() };
            assert_eq!(sent(answer).await.unwrap(), expected);
        }
    }

    #[tokio::test]
    async fn a_refusal_has_its_status_and_its_reason() {
        let status = json!({ "code": 3, "message": "no resource" });
        let refused = sent(ResponseTemplate::new(400).set_body_json(status)).await.unwrap_err();
        let text = refused.to_string();
        assert!(text.ends_with("refused the trace with 400 Bad Request: no resource"), "{text}");
        let busy = ResponseTemplate::new(503).set_body_string("  queue is full\n");
        let text = sent(busy).await.unwrap_err().to_string();
        assert!(text.ends_with("with 503 Service Unavailable: queue is full"), "{text}");
        let long = ResponseTemplate::new(500).set_body_string("x".repeat(10_000));
        let SendError::Refused(_, _, message) = sent(long).await.unwrap_err() else {
            panic!("it is refused");
        };
        assert_eq!(message.len(), SHOWN);
    }

    #[tokio::test]
    async fn a_collector_that_is_not_there_is_named() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let free = format!("http://{}", listener.local_addr().unwrap());
        drop(listener);
        let free: Endpoint = free.parse().unwrap();
        let error = send(&free, &document()).await.unwrap_err();
        assert!(matches!(error, SendError::Unreachable(..)), "{error}");
        assert_eq!(error.to_string(), format!("the collector at {free} cannot be reached"));
    }
}
