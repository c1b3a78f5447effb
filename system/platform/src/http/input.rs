//! Input: bodies and ids, with one error entry per bad field.
//!
//! Fields of an input type decode leniently (a missing or ill-typed one becomes its empty
//! value), so that validation can report every bad field and not only the first. Nothing here
//! reads or changes state.

use axum::body::Body;
use axum::extract::{FromRequest, FromRequestParts, Path, Request};
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use futures::StreamExt;
use garde::Validate;
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};

use super::error::ApiError;
use super::interface::{self, Endpoint, Parameter, Takes};
use ports::entropy::is_id;

/// The largest accepted body, in bytes.
pub const BODY_LIMIT: usize = 64 * 1024;

/// Bytes of a body that are read before the connection is given up, including those that are
/// discarded because the body exceeds [`BODY_LIMIT`].
pub(super) const READ_LIMIT: usize = 32 * 1024 * 1024;

/// A JSON body, decoded and validated.
pub struct Input<T>(pub T);

impl<S, T> FromRequest<S> for Input<T>
where
    S: Send + Sync,
    T: DeserializeOwned + Validate<Context = ()>,
{
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &S) -> Result<Self, ApiError> {
        let kind = request.headers().get(header::CONTENT_TYPE);
        let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        let essence = kind.split(';').next().unwrap_or_default().trim();
        if !essence.eq_ignore_ascii_case("application/json") {
            return Err(wrong_type());
        }
        let body = read_body(request.into_body()).await?;
        // serde would accept an array for a struct, field by field.
        if body.trim_ascii_start().first() != Some(&b'{') {
            return Err(no_object());
        }
        let input: T = serde_json::from_slice(&body)
            .map_err(|e| ApiError::refused(format!("Invalid JSON body: {e}")))?;
        input.validate().map_err(|report| {
            ApiError::invalid(
                report.iter().map(|(path, error)| (wire_name(path), error.message().to_owned())),
            )
        })?;
        Ok(Self(input))
    }
}

impl<T: JsonSchema> Takes for Input<T> {
    fn describe(endpoint: &mut Endpoint) {
        endpoint.body = Some(interface::read::<T>());
        endpoint.refuses(&ApiError::refused("An entry for each bad field"));
        [no_object(), wrong_type(), too_large()].iter().for_each(|error| endpoint.refuses(error));
    }
}

fn wrong_type() -> ApiError {
    ApiError::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "Content-Type must be application/json")
}

fn no_object() -> ApiError {
    ApiError::refused("Invalid JSON body: it must be an object")
}

fn too_large() -> ApiError {
    let message = format!("The request body has more than {BODY_LIMIT} bytes");
    ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, message)
}

/// Reads a body of at most [`BODY_LIMIT`]. A larger one is read on for a while and discarded: a
/// client whose connection is closed while it still sends never sees the response.
async fn read_body(body: Body) -> Result<Vec<u8>, ApiError> {
    let (mut kept, mut size) = (Vec::new(), 0);
    let mut chunks = body.into_data_stream();
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(|_| ApiError::refused("The request body is incomplete"))?;
        size += chunk.len();
        if size <= BODY_LIMIT {
            kept.extend_from_slice(&chunk);
        } else if size > READ_LIMIT {
            break;
        }
    }
    if size > BODY_LIMIT {
        return Err(too_large());
    }
    Ok(kept)
}

/// Converts the path of a field to its name on the wire: `current_password` to
/// `currentPassword`. The validator knows only the names in the code.
fn wire_name(path: &garde::Path) -> String {
    let path = path.to_string();
    let mut words = path.split('_');
    let mut name = words.next().unwrap_or_default().to_owned();
    for word in words {
        let mut letters = word.chars();
        name.extend(letters.next().map(|first| first.to_ascii_uppercase()));
        name.push_str(letters.as_str());
    }
    name
}

/// The document id in a path, in lower case.
pub struct Id(pub String);

impl<S: Send + Sync> FromRequestParts<S> for Id {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let Path(id) = Path::<String>::from_request_parts(parts, state)
            .await
            .map_err(|e| ApiError::refused(e.body_text()))?;
        if !is_id(&id) {
            return Err(malformed());
        }
        Ok(Self(id.to_ascii_lowercase()))
    }
}

impl Takes for Id {
    fn describe(endpoint: &mut Endpoint) {
        let schema = interface::id_schema();
        let (name, about) = ("id", "The id of the resource");
        endpoint.parameters.push(Parameter { name, about, is_in_path: true, schema });
        endpoint.refuses(&malformed());
    }
}

fn malformed() -> ApiError {
    ApiError::invalid([("id".to_owned(), "id must be 24 hex digits".to_owned())])
}

/// Decodes a string, and anything else as the empty string. For
/// `#[serde(default, deserialize_with = "input::text")]`.
pub fn text<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    Ok(match serde_json::Value::deserialize(from)? {
        serde_json::Value::String(text) => text,
        _ => String::new(),
    })
}

/// Validates a document id in a body. For `#[garde(custom(document_id))]`.
pub fn document_id(id: &str, _: &()) -> garde::Result {
    is_id(id).then_some(()).ok_or_else(|| garde::Error::new("must be 24 hex digits"))
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

    use futures::executor::block_on;
    use futures::stream;

    use super::*;

    /// Reads a body of this many chunks; returns its size, and the number of chunks consumed.
    fn read(chunks: usize, size: usize) -> (Result<usize, StatusCode>, usize) {
        let sent = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&sent);
        let chunks = stream::iter(0..chunks).map(move |_| {
            counted.fetch_add(1, SeqCst);
            Ok::<_, Infallible>(vec![b' '; size])
        });
        let read = block_on(read_body(Body::from_stream(chunks)));
        (read.map(|body| body.len()).map_err(|e| e.status()), sent.load(SeqCst))
    }

    #[test]
    fn an_oversized_body_is_read_to_its_end_and_rejected() {
        assert_eq!(read(64, 1024), (Ok(BODY_LIMIT), 64));
        assert_eq!(read(65, 1024), (Err(StatusCode::PAYLOAD_TOO_LARGE), 65));
        assert_eq!(read(1024, 1024), (Err(StatusCode::PAYLOAD_TOO_LARGE), 1024));
    }

    #[test]
    fn reading_an_endless_body_stops_at_the_read_limit() {
        let (rejected, sent) = read(1000, READ_LIMIT / 10);
        assert_eq!(rejected, Err(StatusCode::PAYLOAD_TOO_LARGE));
        assert!(sent < 20, "{sent}");
    }

    #[test]
    fn fields_are_reported_in_camel_case() {
        let name = |field: &str| wire_name(&garde::Path::new(field));
        assert_eq!(name("current_password"), "currentPassword");
        assert_eq!(name("email"), "email");
    }
}
