//! HTTP in: the error shape, input, and what surrounds every route.
//!
//! Every error of every service has one shape, whatever its status:
//! `{"errors":[{"message": "...", "field": "..."}]}`. The mapping is in [`error`] and
//! nowhere else.

pub mod error;
pub mod input;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{MatchedPath, Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};

use crate::activity::Activity;
use crate::metrics::Metrics;
use ports::Ports;
use ports::causality::Causality;
use ports::clock::Clock;
use ports::entropy::Entropy;

pub use error::ApiError;
pub use input::{Id, Input, Params};

/// The largest body that a route reads, in bytes.
pub const BODY_LIMIT: usize = 64 * 1024;

struct Around {
    entropy: Arc<dyn Entropy>,
    clock: Arc<dyn Clock>,
    activity: Arc<Activity>,
    metrics: Arc<Metrics>,
}

/// Gives every request an origin (its `traceparent`, or a new one), counts and measures it,
/// and answers an unknown route or method in our error shape.
pub(crate) fn surrounded(
    routes: Router,
    ports: &Ports,
    activity: &Arc<Activity>,
    metrics: &Arc<Metrics>,
) -> Router {
    let around = Arc::new(Around {
        entropy: Arc::clone(&ports.entropy),
        clock: Arc::clone(&ports.clock),
        activity: Arc::clone(activity),
        metrics: Arc::clone(metrics),
    });
    routes
        .method_not_allowed_fallback(|| async { ApiError::not_found() })
        .layer(from_fn_with_state(around, surround))
}

async fn surround(State(around): State<Arc<Around>>, request: Request, next: Next) -> Response {
    let _busy = around.activity.begin();
    let fresh = Causality::begin(&*around.entropy);
    let header = request.headers().get("traceparent").and_then(|h| h.to_str().ok());
    let origin = header.and_then(|h| Causality::parse(h, &fresh.cause)).unwrap_or(fresh);
    let (began, method) = (around.clock.now(), request.method().clone());
    let path = request.extensions().get::<MatchedPath>().cloned();
    let response = origin.clone().scope(next.run(request)).await;
    let took = Duration::try_from(around.clock.now().duration_since(began)).unwrap_or_default();
    let (route, status) = (path.as_ref().map_or("", MatchedPath::as_str), response.status());
    around.metrics.answered(route, &method, status, took);
    let correlation = &origin.correlation;
    tracing::debug!(%method, route, %status, ?took, correlation, "answered");
    response
}

/// What an unknown route answers; the fallback of whoever serves the routes.
pub async fn unknown_route() -> Response {
    ApiError::not_found().into_response()
}
