//! Outgoing HTTP through `reqwest`.
//!
//! It never retries: a request whose answer is lost is [`HttpError::Unknown`].

use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;

use ports::http::{Http, HttpError};

/// Sends each request with a time limit.
#[derive(Debug, Clone)]
pub struct Reqwest(reqwest::Client);

impl Reqwest {
    /// An adapter whose requests fail after `limit`, which covers the whole response.
    pub fn new(limit: Duration) -> Self {
        Self(client(limit))
    }
}

/// A client whose requests fail after `limit`. TLS is `rustls` with `ring`, as in the MongoDB
/// driver, so that the process contains a single implementation of it.
pub fn client(limit: Duration) -> reqwest::Client {
    // Fails if the process has chosen a provider already; that choice stands.
    drop(rustls::crypto::ring::default_provider().install_default());
    let client = reqwest::Client::builder().timeout(limit).build();
    client.expect("a client with a TLS provider needs nothing else from the system")
}

#[async_trait]
impl Http for Reqwest {
    async fn send(
        &self,
        request: http::Request<Bytes>,
    ) -> Result<http::Response<Bytes>, HttpError> {
        let request = reqwest::Request::try_from(request)
            .map_err(|e| HttpError::Unreachable(e.to_string()))?;
        let response = self.0.execute(request).await.map_err(|e| http_error(&e))?;
        let mut answer = http::Response::builder().status(response.status());
        if let Some(headers) = answer.headers_mut() {
            headers.clone_from(response.headers());
        }
        let body = response.bytes().await.map_err(|e| http_error(&e))?;
        answer.body(body).map_err(|e| HttpError::Unknown(e.to_string()))
    }
}

/// Only an error from before the connection proves that the request was not sent.
fn http_error(error: &reqwest::Error) -> HttpError {
    if error.is_connect() || error.is_builder() {
        HttpError::Unreachable(error.to_string())
    } else {
        HttpError::Unknown(error.to_string())
    }
}
