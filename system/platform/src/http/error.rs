//! From what went wrong to a status and our error shape: the only place.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use crate::collection::ChangeError;
use ports::store::{ReadError, WriteError};

/// One entry of the error shape.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// For people.
    pub message: String,
    /// The input field that it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
}

/// An answer other than the wanted one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiError {
    status: StatusCode,
    problems: Vec<Problem>,
}

impl ApiError {
    /// This status, with one message.
    pub fn new(status: StatusCode, message: impl Into<String>) -> Self {
        let problem = Problem { message: message.into(), field: None };
        Self { status, problems: vec![problem] }
    }

    /// 400: the state does not allow it.
    pub fn refused(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, message)
    }

    /// 400, an entry per bad field: (field, message).
    pub fn invalid(fields: impl IntoIterator<Item = (String, String)>) -> Self {
        let problem = |(field, message)| Problem { message, field: Some(field) };
        Self {
            status: StatusCode::BAD_REQUEST,
            problems: fields.into_iter().map(problem).collect(),
        }
    }

    /// 401: no session, or not the owner.
    pub fn not_authorized() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "Not authorized")
    }

    /// 404.
    pub fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "Not Found")
    }

    /// 503: nothing half done; the same request may go well later.
    pub fn unavailable() -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "Service unavailable, try again later")
    }

    /// The status it is answered with.
    pub fn status(&self) -> StatusCode {
        self.status
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        #[derive(Serialize)]
        struct Shape {
            errors: Vec<Problem>,
        }
        let shape = Shape { errors: self.problems };
        (self.status, Json(shape)).into_response()
    }
}

impl From<ReadError> for ApiError {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Unavailable(_) => Self::unavailable(),
            ReadError::Rejected(_) => internal(&error.to_string()),
        }
    }
}

impl From<WriteError> for ApiError {
    fn from(error: WriteError) -> Self {
        match error {
            // A write carries its events, so one that may have happened is whole either way.
            WriteError::Unavailable(_) | WriteError::Unknown(_) => Self::unavailable(),
            WriteError::Duplicate { .. } | WriteError::Rejected(_) => internal(&error.to_string()),
        }
    }
}

impl<E: Into<ApiError>> From<ChangeError<E>> for ApiError {
    fn from(error: ChangeError<E>) -> Self {
        match error {
            ChangeError::Refused(refused) => refused.into(),
            ChangeError::Read(error) => error.into(),
            ChangeError::Write(error) => error.into(),
        }
    }
}

/// A bug of ours; the log says which.
fn internal(why: &str) -> ApiError {
    tracing::error!(why, "internal error");
    ApiError::new(StatusCode::INTERNAL_SERVER_ERROR, "Internal error")
}
