//! The mapping from errors to a status and the error shape: the only place for port errors.

use std::convert::Infallible;
use std::error::Error;
use std::time::Duration;

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use schemars::JsonSchema;
use serde::Serialize;

use crate::chain::Chain;
use crate::collection::ChangeError;
use ports::store::{ReadError, WriteError};

/// The message of a 401.
pub const NOT_AUTHORIZED: &str = "Not authorized";
/// The message of a 404.
pub const NOT_FOUND: &str = "Not Found";
/// The message of a 500.
pub const INTERNAL: &str = "Internal error";
/// The message of a 503.
pub const UNAVAILABLE: &str = "Service unavailable, try again later";
/// The message of a 429.
pub const TOO_MANY_ATTEMPTS: &str = "Too many attempts, try again later";

/// The pause that a 503 asks for: most outages are restarts.
const UNAVAILABLE_PAUSE: Duration = Duration::from_secs(1);

/// One entry of the error shape.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Problem {
    /// Human-readable text.
    pub message: String,
    /// The bad input field; `None` for a problem of the whole request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
}

/// The body of every error response.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Errors")]
pub(super) struct Shape {
    #[schemars(length(min = 1))]
    errors: Vec<Problem>,
}

/// An error response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiError {
    status: StatusCode,
    problems: Vec<Problem>,
    retry_after: Option<Duration>,
}

impl ApiError {
    /// Responds with this status and one message.
    pub fn new(status: StatusCode, message: impl Into<String>) -> Self {
        let problem = Problem { message: message.into(), field: None };
        let is_unavailable = status == StatusCode::SERVICE_UNAVAILABLE;
        let retry_after = is_unavailable.then_some(UNAVAILABLE_PAUSE);
        Self { status, problems: vec![problem], retry_after }
    }

    /// 400: the state of the resource does not allow the request.
    pub fn refused(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, message)
    }

    /// 400 with one entry per bad field: (field, message).
    pub fn invalid(fields: impl IntoIterator<Item = (String, String)>) -> Self {
        let problem = |(field, message)| Problem { message, field: Some(field) };
        Self {
            status: StatusCode::BAD_REQUEST,
            problems: fields.into_iter().map(problem).collect(),
            retry_after: None,
        }
    }

    /// 401: no session, or not the owner.
    #[must_use]
    pub fn not_authorized() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, NOT_AUTHORIZED)
    }

    /// 404.
    #[must_use]
    pub fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, NOT_FOUND)
    }

    /// 500, without details: the cause belongs into the log.
    #[must_use]
    pub fn internal() -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, INTERNAL)
    }

    /// 503: nothing was half done; the same request may succeed later.
    #[must_use]
    pub fn unavailable() -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, UNAVAILABLE)
    }

    /// 429: the same request may succeed after this pause.
    #[must_use]
    pub fn too_many_attempts(pause: Duration) -> Self {
        let retry_after = Some(pause);
        Self { retry_after, ..Self::new(StatusCode::TOO_MANY_REQUESTS, TOO_MANY_ATTEMPTS) }
    }

    /// Returns the status.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// Returns the messages, in the order of the fields.
    pub(super) fn messages(&self) -> impl Iterator<Item = &str> {
        self.problems.iter().map(|problem| problem.message.as_str())
    }

    /// Returns the pause that it asks for.
    pub(super) fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let shape = Shape { errors: self.problems };
        let mut response = (self.status, Json(shape)).into_response();
        if let Some(pause) = self.retry_after {
            // Whole seconds, rounded up: a client that obeys is not early.
            let seconds = HeaderValue::from(pause.as_millis().div_ceil(1000).max(1) as u64);
            response.headers_mut().insert(header::RETRY_AFTER, seconds);
        }
        response
    }
}

impl From<ReadError> for ApiError {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Unavailable(_) => Self::unavailable(),
            ReadError::Rejected(_) => bug(&error),
        }
    }
}

impl From<WriteError> for ApiError {
    fn from(error: WriteError) -> Self {
        match error {
            // A write carries its events, so one of unknown outcome is complete either way.
            WriteError::Unavailable(_) | WriteError::Unknown(_) => Self::unavailable(),
            WriteError::Duplicate { .. } | WriteError::Rejected(_) => bug(&error),
        }
    }
}

impl From<Infallible> for ApiError {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}

impl<E: Into<ApiError>> From<ChangeError<E>> for ApiError {
    fn from(error: ChangeError<E>) -> Self {
        match error {
            ChangeError::Refused(refused) => refused.into(),
            ChangeError::Read(error) => error.into(),
            ChangeError::Write(error) => error.into(),
            ChangeError::Contended { .. } => Self::unavailable(),
        }
    }
}

/// Logs an error that only a bug in this system can cause.
fn bug(error: &dyn Error) -> ApiError {
    tracing::error!(error = %Chain(error), "internal error");
    ApiError::internal()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn retry_after(error: ApiError) -> Option<String> {
        let response = error.into_response();
        let header = response.headers().get(header::RETRY_AFTER)?;
        Some(header.to_str().unwrap().to_owned())
    }

    #[test]
    fn a_response_that_asks_for_a_pause_says_how_long() {
        assert_eq!(retry_after(ApiError::unavailable()).as_deref(), Some("1"));
        let pause = Duration::from_millis(2_001);
        assert_eq!(retry_after(ApiError::too_many_attempts(pause)).as_deref(), Some("3"));
        assert_eq!(retry_after(ApiError::not_found()), None);
    }
}
