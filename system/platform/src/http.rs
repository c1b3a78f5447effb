//! HTTP in: the error shape, input, and what surrounds every route.
//!
//! Every error of every service has one shape, whatever its status:
//! `{"errors":[{"message": "...", "field": "..."}]}`. The mapping is in [`error`] and
//! nowhere else.

pub mod error;
pub mod input;

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};

use crate::activity::Activity;
use crate::causality::Causality;
use crate::ports::Ports;
use crate::ports::entropy::Entropy;

pub use error::ApiError;
pub use input::{Id, Input, Params};

/// The largest body that a route reads, in bytes.
pub const BODY_LIMIT: usize = 64 * 1024;

#[derive(Clone)]
struct Around {
    entropy: Arc<dyn Entropy>,
    activity: Arc<Activity>,
}

/// Gives every request an origin (its `traceparent`, or a new one), counts it as activity,
/// and answers an unknown route or method in our error shape.
pub(crate) fn with_causality(routes: Router, ports: &Ports, activity: &Arc<Activity>) -> Router {
    let around = Around { entropy: Arc::clone(&ports.entropy), activity: Arc::clone(activity) };
    routes
        .method_not_allowed_fallback(|| async { ApiError::not_found() })
        .layer(axum::extract::DefaultBodyLimit::max(BODY_LIMIT))
        .layer(from_fn_with_state(around, surround))
}

async fn surround(State(around): State<Around>, request: Request, next: Next) -> Response {
    let _busy = around.activity.begin();
    let fresh = Causality::begin(&*around.entropy);
    let header = request.headers().get("traceparent").and_then(|h| h.to_str().ok());
    let origin = header.and_then(|h| Causality::parse(h, &fresh.cause)).unwrap_or(fresh);
    origin.scope(next.run(request)).await
}

/// What an unknown route answers; the fallback of whoever serves the routes.
pub async fn unknown_route() -> Response {
    ApiError::not_found().into_response()
}
