//! The HTTP port: one request to an external party.
//!
//! A response is a response, whatever its status; an error means that there is none. The port
//! never retries.

use async_trait::async_trait;
use bytes::Bytes;

/// A request without a response, by what the caller knows about its effect. Exhaustive on
/// purpose: the two variants ask for different reactions.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HttpError {
    /// The server was not reached: it has not seen the request.
    #[error("not reached: {0}")]
    Unreachable(String),
    /// The server may have received and executed the request.
    #[error("no answer: {0}")]
    Unknown(String),
}

/// A client for external parties.
#[async_trait]
pub trait Http: Send + Sync {
    /// Sends a request and reads the whole response.
    async fn send(&self, request: http::Request<Bytes>)
    -> Result<http::Response<Bytes>, HttpError>;
}
