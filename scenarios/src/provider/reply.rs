//! Responses of the provider, and the errors among them, worded as Stripe does.

use bytes::Bytes;
use http::{Response, StatusCode, header};
use serde_json::{Value, json};

/// A status and a body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reply {
    pub(super) status: StatusCode,
    pub(super) body: Value,
}

impl Reply {
    pub(super) fn ok(body: Value) -> Self {
        Self { status: StatusCode::OK, body }
    }

    fn failure(status: StatusCode, error: &Value) -> Self {
        Self { status, body: json!({ "error": error }) }
    }

    /// A request that cannot be carried out as it is.
    pub(super) fn invalid(code: Option<&str>, message: &str, param: Option<&str>) -> Self {
        let mut error = json!({ "type": "invalid_request_error", "message": message });
        for (field, value) in [("code", code), ("param", param)] {
            if let Some(value) = value {
                error[field] = json!(value);
            }
        }
        Self::failure(StatusCode::BAD_REQUEST, &error)
    }

    pub(super) fn missing(kind: &str, id: &str, param: &str) -> Self {
        let message = format!("No such {kind}: '{id}'");
        Self::invalid(Some("resource_missing"), &message, Some(param))
    }

    /// An object that a GET names and that does not exist.
    pub(super) fn not_found(kind: &str, id: &str) -> Self {
        Self { status: StatusCode::NOT_FOUND, ..Self::missing(kind, id, "id") }
    }

    pub(super) fn unknown_route(method: &http::Method, path: &str) -> Self {
        let message = format!("Unrecognized request URL ({method}: {path}).");
        Self { status: StatusCode::NOT_FOUND, ..Self::invalid(None, &message, None) }
    }

    pub(super) fn unauthorized() -> Self {
        let reply = Self::invalid(None, "Invalid API Key provided", None);
        Self { status: StatusCode::UNAUTHORIZED, ..reply }
    }

    pub(super) fn declined(charge: &str) -> Self {
        let error = json!({
            "type": "card_error",
            "code": "card_declined",
            "decline_code": "generic_decline",
            "charge": charge,
            "message": "Your card was declined.",
        });
        Self::failure(StatusCode::PAYMENT_REQUIRED, &error)
    }

    pub(super) fn key_of_other_parameters(key: &str) -> Self {
        let message = format!(
            "Keys for idempotent requests can only be used with the same parameters they were \
             first used with. Try using a key other than '{key}' if you meant to execute a \
             different request."
        );
        let error = json!({ "type": "idempotency_error", "message": message });
        Self::failure(StatusCode::BAD_REQUEST, &error)
    }

    pub(super) fn key_in_use(key: &str) -> Self {
        let message = format!(
            "There is currently another in-progress request using this Idempotent Key ({key}). \
             Please try again later."
        );
        let error = json!({
            "type": "idempotency_error", "code": "idempotency_key_in_use", "message": message,
        });
        Self::failure(StatusCode::CONFLICT, &error)
    }

    pub(super) fn rate_limited() -> Self {
        let reply = Self::invalid(Some("rate_limit"), "Too many requests.", None);
        Self { status: StatusCode::TOO_MANY_REQUESTS, ..reply }
    }

    /// An error of the endpoint.
    pub(super) fn internal() -> Self {
        let error = json!({ "type": "api_error", "message": "An unknown error occurred." });
        Self::failure(StatusCode::INTERNAL_SERVER_ERROR, &error)
    }

    /// An error in front of the endpoint.
    pub(super) fn unavailable() -> Self {
        let error = json!({ "type": "api_error", "message": "Try again later." });
        Self::failure(StatusCode::SERVICE_UNAVAILABLE, &error)
    }

    pub(super) fn response(&self, is_replayed: bool) -> Response<Bytes> {
        let mut response = Response::builder()
            .status(self.status)
            .header(header::CONTENT_TYPE, "application/json");
        if is_replayed {
            response = response.header("Idempotent-Replayed", "true");
        }
        response.body(Bytes::from(self.body.to_string())).expect("the headers are valid")
    }
}
