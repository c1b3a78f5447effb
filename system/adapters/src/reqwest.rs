//! Outgoing HTTP through `reqwest`.

use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;

use ports::http::{Http, HttpError};

/// Sends requests with a time limit.
#[derive(Debug, Clone)]
pub struct Reqwest(reqwest::Client);

impl Reqwest {
    /// A client that gives up after `limit`.
    pub fn new(limit: Duration) -> Self {
        Self(client(limit))
    }
}

/// A client that gives up after `limit`. TLS is `rustls` over `ring`, as the store's driver
/// has it, so that the process holds one implementation of it.
pub fn client(limit: Duration) -> reqwest::Client {
    // Whoever installed a provider before has made the choice for the process.
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
        let response = self.0.execute(request).await.map_err(|e| failure(&e))?;
        let mut answer = http::Response::builder().status(response.status());
        if let Some(headers) = answer.headers_mut() {
            headers.clone_from(response.headers());
        }
        let body = response.bytes().await.map_err(|e| failure(&e))?;
        answer.body(body).map_err(|e| HttpError::Unknown(e.to_string()))
    }
}

fn failure(error: &reqwest::Error) -> HttpError {
    if error.is_connect() || error.is_builder() {
        HttpError::Unreachable(error.to_string())
    } else {
        HttpError::Unknown(error.to_string())
    }
}
