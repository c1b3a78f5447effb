//! The routes for operators and their machines: `/healthz`, `/readyz`, `/metrics`.
//!
//! They respond from the first moment on, also while the services are still starting. They
//! change nothing: a service that is not ready keeps retrying by itself.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;
use axum::{Json, Router};
use futures::future::{join, join_all};
use parking_lot::RwLock;
use serde::Serialize;

use crate::http::error::ApiError;
use crate::metrics::{self, Metrics};
use crate::run::Running;
use ports::Ports;
use ports::bus::{Stream, StreamState};
use ports::clock::Clock;

/// Time in which the store and the bus must answer to count as ready.
const PING_TIMEOUT: Duration = Duration::from_secs(1);

/// The health of all services of one process. Clones share it.
#[derive(Clone)]
pub struct Health {
    clock: Arc<dyn Clock>,
    expected: Arc<[&'static str]>,
    started: Arc<RwLock<Vec<Started>>>,
    is_draining: Arc<AtomicBool>,
    connections: Arc<AtomicUsize>,
}

/// An open connection of a client, counted until it is dropped.
#[derive(Debug)]
pub struct OpenConnection(Arc<AtomicUsize>);

impl Drop for OpenConnection {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Relaxed);
    }
}

#[derive(Clone)]
struct Started {
    name: &'static str,
    ports: Ports,
    metrics: Arc<Metrics>,
}

impl Health {
    /// Describes a process that runs these services, none of which has started yet.
    pub fn new(services: impl Into<Arc<[&'static str]>>, clock: Arc<dyn Clock>) -> Self {
        Self {
            clock,
            expected: services.into(),
            started: Arc::default(),
            is_draining: Arc::default(),
            connections: Arc::default(),
        }
    }

    /// Makes the process unready for good, so that load balancers send requests elsewhere.
    pub fn drain(&self) {
        self.is_draining.store(true, Relaxed);
    }

    /// Counts an open connection.
    #[must_use]
    pub fn connection(&self) -> OpenConnection {
        self.connections.fetch_add(1, Relaxed);
        OpenConnection(Arc::clone(&self.connections))
    }

    /// Returns the number of open connections.
    #[must_use]
    pub fn open_connections(&self) -> usize {
        self.connections.load(Relaxed)
    }

    /// Records that this service has started, on these ports.
    pub fn started(&self, running: &Running, ports: &Ports) {
        let metrics = Arc::clone(&running.metrics);
        let started = Started { name: running.name, ports: ports.clone(), metrics };
        self.started.write().push(started);
    }

    /// Returns the three routes.
    pub fn routes(&self) -> Router {
        Router::new()
            .route("/healthz", get(live))
            .route("/readyz", get(ready))
            .route("/metrics", get(count))
            .method_not_allowed_fallback(|| async { ApiError::not_found() })
            .with_state(self.clone())
    }

    fn all(&self) -> Vec<Started> {
        self.started.read().clone()
    }

    /// Returns what the streams hold, those that the bus tells in time. All services of a process
    /// share them.
    async fn streams(&self) -> Vec<(&'static str, StreamState)> {
        let Some(Started { ports, .. }) = self.all().into_iter().next() else { return Vec::new() };
        let named = [("events", Stream::Events), ("dead_letters", Stream::DeadLetters)];
        let asked = named.map(|(name, stream)| {
            let state = ports.bus.state(stream);
            async move { Some((name, self.clock.within(PING_TIMEOUT, state).await?.ok()?)) }
        });
        join_all(asked).await.into_iter().flatten().collect()
    }

    /// Describes the obstacles to readiness; empty if the process is ready.
    async fn missing(&self) -> BTreeSet<String> {
        let all = self.all();
        let is_started = |name: &&&str| all.iter().any(|started| started.name == **name);
        let starting = self.expected.iter().filter(|name| !is_started(name));
        let mut missing: BTreeSet<_> =
            starting.map(|name| format!("{name} has not started")).collect();
        let pings = all.iter().map(|Started { name, ports, .. }| async move {
            let store = self.clock.within(PING_TIMEOUT, ports.store.ping());
            let bus = self.clock.within(PING_TIMEOUT, ports.bus.ping());
            let (store, bus) = join(store, bus).await;
            let store = (!matches!(store, Some(Ok(()))))
                .then(|| format!("the store of {name} does not answer"));
            let bus = (!matches!(bus, Some(Ok(())))).then(|| "the bus does not answer".to_owned());
            [store, bus]
        });
        if self.is_draining.load(Relaxed) {
            missing.insert("it is shutting down".to_owned());
        }
        missing.extend(join_all(pings).await.into_iter().flatten().flatten());
        missing
    }
}

#[derive(Serialize)]
struct Status {
    status: &'static str,
}

async fn live() -> Json<Status> {
    Json(Status { status: "up" })
}

async fn ready(State(health): State<Health>) -> Result<Json<Status>, ApiError> {
    let missing = Vec::from_iter(health.missing().await);
    if missing.is_empty() {
        return Ok(Json(Status { status: "ready" }));
    }
    let message = format!("Not ready: {}", missing.join(", "));
    Err(ApiError::new(StatusCode::SERVICE_UNAVAILABLE, message))
}

async fn count(State(health): State<Health>) -> impl IntoResponse {
    let streams = health.streams().await;
    let instances: Vec<_> = health.all().into_iter().map(|started| started.metrics).collect();
    let text = metrics::render(&instances, health.open_connections(), streams);
    ([(header::CONTENT_TYPE, metrics::CONTENT_TYPE)], text)
}
