//! HTTP in: the error shape, input, output, and the middleware around every route.
//!
//! Every error of every service has one shape, whatever its status:
//! `{"errors":[{"message": "...", "field": "..."}]}`. The mapping from port errors is in
//! [`error`] and nowhere else; each service maps its own refusals next to its routes.

mod drain;
pub mod error;
pub mod input;
pub mod interface;
pub mod output;
mod page;
pub mod route;

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

pub use drain::drain;
pub use error::ApiError;
pub use input::{BODY_LIMIT, Id, Input};
pub use output::{Created, New, created, show};
pub use page::Page;
pub use route::{Route, Routes};

/// The state of the middleware.
struct Instruments {
    entropy: Arc<dyn Entropy>,
    clock: Arc<dyn Clock>,
    activity: Arc<Activity>,
    metrics: Arc<Metrics>,
}

/// Adds the middleware that gives every request an origin (its `traceparent`, or a new one) and
/// measures it, and a 404 in the error shape for an unknown method.
pub(crate) fn instrumented(
    routes: Router,
    ports: &Ports,
    activity: &Arc<Activity>,
    metrics: &Arc<Metrics>,
) -> Router {
    let instruments = Arc::new(Instruments {
        entropy: Arc::clone(&ports.entropy),
        clock: Arc::clone(&ports.clock),
        activity: Arc::clone(activity),
        metrics: Arc::clone(metrics),
    });
    routes
        .method_not_allowed_fallback(|| async { ApiError::not_found() })
        .layer(from_fn_with_state(instruments, instrument))
}

async fn instrument(
    State(instruments): State<Arc<Instruments>>,
    request: Request,
    next: Next,
) -> Response {
    let Instruments { entropy, clock, activity, metrics } = &*instruments;
    let _busy = activity.begin();
    let fresh = Causality::begin(&**entropy);
    let header = request.headers().get("traceparent").and_then(|h| h.to_str().ok());
    let origin = header.and_then(|h| Causality::parse(h, &fresh.cause)).unwrap_or(fresh);
    let (began, method) = (clock.now(), request.method().clone());
    let path = request.extensions().get::<MatchedPath>().cloned();
    let response = origin.clone().scope(next.run(request)).await;
    let latency = Duration::try_from(clock.now().duration_since(began)).unwrap_or_default();
    let (route, status) = (path.as_ref().map_or("", MatchedPath::as_str), response.status());
    metrics.responded(route, &method, status, latency);
    let correlation = &origin.correlation;
    tracing::debug!(%method, route, %status, ?latency, correlation, "responded");
    response
}

/// Responds to an unknown route, as the fallback of the router that merges all routes.
pub async fn unknown_route() -> Response {
    ApiError::not_found().into_response()
}
