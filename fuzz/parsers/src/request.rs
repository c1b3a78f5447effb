//! Bodies of requests, through the routes of the real services.

use axum::body::Body;
use http::{Method, Request, StatusCode, header};

use crate::inert::{answer, cookie};

const ID: &str = "0123456789abcdef01234567";

/// Every route that reads a body: service, method, path.
const ROUTES: [(&str, Method, &str); 9] = [
    ("auth", Method::POST, "/api/users/signup"),
    ("auth", Method::POST, "/api/users/signin"),
    ("auth", Method::PATCH, "/api/users/me"),
    ("auth", Method::POST, "/api/users/me/admin"),
    ("auth", Method::POST, "/api/users/{id}/ban"),
    ("tickets", Method::POST, "/api/tickets"),
    ("tickets", Method::PUT, "/api/tickets/{id}"),
    ("orders", Method::POST, "/api/orders"),
    ("payments", Method::POST, "/api/payments"),
];

/// A body is accepted or refused with an error. The first byte chooses the route.
///
/// # Panics
///
/// If a route answers with anything else than an error before it asks a port, or accepts text
/// that is no JSON.
pub fn request(data: &[u8]) {
    let Some((&first, body)) = data.split_first() else { return };
    let (service, method, path) = &ROUTES[usize::from(first) % ROUTES.len()];
    let ask = |kind: &str| {
        let request = Request::builder()
            .method(method)
            .uri(path.replace("{id}", ID))
            .header(header::CONTENT_TYPE, kind)
            .header(header::COOKIE, cookie());
        answer(service, request.body(Body::from(body.to_vec())).expect("it is a request"))
    };
    let answered = ask("application/json");
    // A ban has no body: it may be accepted with any.
    if path.ends_with("/ban") {
        return;
    }
    let is_object = serde_json::from_slice::<serde_json::Value>(body).is_ok_and(|v| v.is_object());
    if !is_object {
        assert!(answered.is_some_and(|status| status.is_client_error()), "no JSON is {answered:?}");
    }
    assert_ne!(answered, Some(StatusCode::UNSUPPORTED_MEDIA_TYPE));
    assert_eq!(ask("text/plain"), Some(StatusCode::UNSUPPORTED_MEDIA_TYPE));
}
