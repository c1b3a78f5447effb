//! The HTTP port: one request to a party outside the system.
//!
//! An answer is an answer, whatever its status; an error is the absence of one.

use async_trait::async_trait;
use bytes::Bytes;

/// Why there is no answer, and so what is known about the request.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HttpError {
    /// The other side was not reached: it has not seen the request.
    #[error("not reached: {0}")]
    Unreachable(String),
    /// It may have seen and carried out the request.
    #[error("no answer: {0}")]
    Unknown(String),
}

/// Requests to the outside.
#[async_trait]
pub trait Http: Send + Sync {
    /// Sends a request and reads the whole answer.
    async fn send(&self, request: http::Request<Bytes>)
    -> Result<http::Response<Bytes>, HttpError>;
}
