//! `ticketing serve`: one process and one socket, from startup to graceful shutdown.
//!
//! It listens at once: health routes respond while the services are still starting, every other
//! request gets a 503 until then. On shutdown it becomes unready, waits for load balancers to
//! notice, accepts no new request, finishes the work in flight, first requests and then messages,
//! and exits. Starting the services is [`crate::ready`]'s, connections of clients are
//! [`crate::connections`]'.

use std::any::Any;
use std::process::ExitCode;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use adapters::mongo::Mongo;
use adapters::system::SystemClock;
use anyhow::{Context, anyhow};
use auth::admins::Admins;
use auth::password::{Compute, Cost, Work};
use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use identity::session::SessionConfig;
use payments::provider::ProviderConfig;
use platform::health::Health;
use platform::http::ApiError;
use platform::policy::Policy;
use ports::bus::StreamLimits;
use ports::clock::Clock;
use ports::store::ReadError;
use ticketing::{CURRENCY, SERVICES, Settings, ingress};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;
use tower_http::catch_panic::CatchPanicLayer;

use crate::cli::Serve;
use crate::ready::Plan;
use crate::{connections, logs};

/// Time in which a request must be handled.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);
/// Time for finishing the requests in flight at shutdown, and again for the messages.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(10);

/// The margin between the lifetime of a token and the age of the revocations that concern it.
const MARGIN: Duration = Duration::from_secs(30 * 60);

/// The routes of the services: empty until all of them have started.
type Gate = Arc<OnceLock<Router>>;

/// Serves until a shutdown is requested or a loop fails.
pub(crate) async fn serve(args: Serve) -> anyhow::Result<ExitCode> {
    let listener = match TcpListener::bind(args.listen).await {
        Ok(listener) => listener,
        Err(error) => {
            logs::line(format_args!("LISTEN: {}: {error}", args.listen));
            return Ok(ExitCode::from(2));
        }
    };
    if let Err(ReadError::Rejected(why)) = Mongo::client(&args.mongo_url).await {
        logs::line(format_args!("MONGO_URL: {why}"));
        return Ok(ExitCode::from(2));
    }
    let (shutdown_delay, address_header) =
        (args.shutdown_delay, args.client_address_header.clone());
    tracing::info!(service = args.service, listen = %args.listen, "listening");
    let policy = match policy(&args) {
        Ok(policy) => policy,
        Err(line) => {
            logs::line(line);
            return Ok(ExitCode::from(2));
        }
    };
    let plan = plan(args, policy);
    let names: Vec<_> = plan.services.iter().map(|entry| entry.name).collect();
    let health = Health::new(names, Arc::new(SystemClock));
    let (gate, closing) = (Gate::default(), CancellationToken::new());
    let routes = routes(&health, &gate);
    let mut server = JoinSet::new();
    server.spawn(connections::serve(
        listener,
        routes,
        address_header,
        health.clone(),
        closing.clone(),
    ));

    let mut loops = JoinSet::new();
    let shutdown = shutdown_requested()?;
    let failure = tokio::select! {
        () = shutdown => None,
        failure = run(&plan, &health, &gate, &mut loops) => Some(failure),
    };

    tracing::info!("shutting down, finishing the work in flight");
    let clock: &dyn Clock = &SystemClock;
    health.drain();
    if failure.is_none() {
        // The port stays open until load balancers have noticed.
        clock.sleep(shutdown_delay).await;
    }
    closing.cancel();
    let requests =
        clock.within(DRAIN_TIMEOUT, async { while server.join_next().await.is_some() {} }).await;
    plan.stop.cancel();
    // Messages have time of their own, in case an endless request has used up the first.
    let messages =
        clock.within(DRAIN_TIMEOUT, async { while loops.join_next().await.is_some() {} }).await;
    match requests.and(messages) {
        Some(()) => tracing::info!("stopped"),
        None => tracing::warn!("stopped with unfinished work, which the next start picks up"),
    }
    failure.map_or(Ok(ExitCode::SUCCESS), Err)
}

/// The policy of these settings; an error names the setting that contradicts another.
fn policy(args: &Serve) -> Result<Policy, String> {
    let lifetime = args.token_lifetime;
    if let Some(age) = args.events_max_age.0
        && age < lifetime.saturating_add(MARGIN)
    {
        // An instance that starts reads back the revocations of all tokens that are still valid.
        return Err(format!(
            "EVENTS_MAX_AGE: {age:?} is less than TOKEN_LIFETIME ({lifetime:?}) and half an hour"
        ));
    }
    let (max_age, max_bytes) = (args.events_max_age.0, args.events_max_bytes.0);
    let dead_letters = StreamLimits { max_age: args.dead_letters_max_age.0, max_bytes: None };
    let events = StreamLimits { max_age, max_bytes };
    let (ack_wait, documents) = (args.ack_wait, args.documents_max_age.0);
    let policy = Policy { ack_wait, events, dead_letters, documents, ..Policy::default() };
    policy.check().map_err(|why| format!("DOCUMENTS_MAX_AGE: {why}"))?;
    Ok(policy)
}

fn plan(args: Serve, policy: Policy) -> Plan {
    let admin_ids: Vec<_> = args.admin_ids.into_iter().filter(|id| !id.is_empty()).collect();
    let admin_claim = args.admin_claim.filter(|claim| !claim.is_empty());
    let admin_emails: Vec<_> =
        args.admin_emails.into_iter().filter(|email| !email.trim().is_empty()).collect();
    if !admin_emails.is_empty() {
        tracing::warn!(
            "ADMIN_EMAILS gives rights to anybody who signs up with such an address first: \
             prefer ADMIN_CLAIM or ADMIN_IDS"
        );
    }
    let chosen = |name| args.service == "all" || args.service == name;
    Plan {
        services: SERVICES.iter().filter(|entry| chosen(entry.name)).copied().collect(),
        policy,
        mongo_url: args.mongo_url,
        nats_url: args.bus.nats_url,
        stream_replicas: args.stream_replicas,
        namespace: args.bus.namespace,
        storefront: args.storefront,
        stop: CancellationToken::new(),
        settings: Settings {
            session: SessionConfig {
                key: args.jwt_key,
                previous_key: args.jwt_key_previous.filter(|key| !key.is_empty()),
                lifetime: args.token_lifetime,
                secure: args.cookie_secure,
            },
            admins: Admins::new(&admin_ids, admin_claim.as_deref()).with_emails(&admin_emails),
            password_cost: Cost::PRODUCTION,
            compute: Compute::new(offload),
            reservation_window: args.reservation_window,
            max_open_orders: args.max_open_orders,
            // The command line requires both wherever payments is served.
            provider: ProviderConfig {
                url: args.stripe_url.unwrap_or_default(),
                key: args.stripe_key.unwrap_or_default(),
                currency: CURRENCY.to_owned(),
            },
        },
    }
}

/// Keeps CPU-bound work off the threads that serve requests.
#[expect(clippy::disallowed_methods, reason = "the Compute of production")]
fn offload(work: Work) {
    tokio::task::spawn_blocking(work);
}

/// Starts the services and runs their loops; returns the failure that ended one of them.
async fn run(
    plan: &Plan,
    health: &Health,
    gate: &Gate,
    loops: &mut JoinSet<String>,
) -> anyhow::Error {
    let started = plan.start(health).await;
    let mut routes = Vec::new();
    for running in started {
        routes.push(running.routes);
        for (name, work) in running.loops {
            loops.spawn(async move {
                work.await;
                name
            });
        }
    }
    let page = plan.storefront.then(storefront::routes);
    gate.get_or_init(|| ingress(routes.into_iter().chain(page)));
    tracing::info!("ready");
    // A loop ends by itself only if a handler panicked. The process exits, to be restarted: a
    // message that panics its handler every time becomes a dead letter after its last attempt.
    match loops.join_next().await {
        Some(Ok(name)) => anyhow!("{name} ended unexpectedly"),
        Some(Err(error)) => anyhow!(error).context("a listener or task failed"),
        None => anyhow!("no listener or task to run"),
    }
}

fn routes(health: &Health, gate: &Gate) -> Router {
    let services = Router::new().fallback(pass).with_state(Arc::clone(gate));
    guarded(services).merge(health.routes())
}

/// Catches panics, reads every request to its end, and bounds the duration of each.
fn guarded(routes: Router) -> Router {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    routes
        .layer(CatchPanicLayer::custom(panicked))
        .layer(from_fn(limited))
        .layer(from_fn_with_state(clock, platform::http::drain))
}

/// Passes a request to the services, or responds with 503 until they have started.
async fn pass(State(gate): State<Gate>, request: Request) -> Response {
    match gate.get() {
        Some(routes) => routes.clone().oneshot(request).await.into_response(),
        None => ApiError::unavailable().into_response(),
    }
}

/// Responds to a request whose handler panicked. The panic hook has logged it.
fn panicked(_: Box<dyn Any + Send>) -> Response {
    ApiError::internal().into_response()
}

/// Cancels a request after the time-out. That is safe at any point: a write is complete or was
/// not made, and the relay publishes its events.
async fn limited(request: Request, next: Next) -> Response {
    let clock: &dyn Clock = &SystemClock;
    let response = clock.within(REQUEST_TIMEOUT, next.run(request)).await;
    response.unwrap_or_else(|| ApiError::unavailable().into_response())
}

/// Returns a future that completes on SIGTERM or SIGINT.
fn shutdown_requested() -> anyhow::Result<impl Future<Output = ()>> {
    let mut terminate = signal(SignalKind::terminate()).context("no signal handler")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("no signal handler")?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

#[cfg(test)]
mod tests {
    use axum::body::{Body, to_bytes};
    use axum::http::StatusCode;

    use super::*;

    async fn respond(routes: Router, path: &str) -> (StatusCode, String) {
        let request = Request::get(path).body(Body::empty()).unwrap();
        let response = routes.oneshot(request).await.into_response();
        let status = response.status();
        let body = to_bytes(response.into_body(), 1024).await.unwrap();
        (status, String::from_utf8(body.to_vec()).unwrap())
    }

    #[tokio::test]
    async fn a_panic_responds_with_500() {
        let broken = Router::new().fallback(async || panic!("a handler panics") as StatusCode);
        let (status, body) = respond(guarded(broken), "/").await;
        assert_eq!(status, StatusCode::INTERNAL_SERVER_ERROR);
        assert_eq!(body, r#"{"errors":[{"message":"Internal error"}]}"#);
    }

    #[tokio::test]
    async fn only_health_responds_before_the_services_have_started() {
        let health = Health::new(["auth"], Arc::new(SystemClock));
        let routes = routes(&health, &Gate::default());
        assert_eq!(respond(routes.clone(), "/healthz").await.0, StatusCode::OK);
        let (status, body) = respond(routes.clone(), "/readyz").await;
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
        assert!(body.contains("auth has not started"), "{body}");
        let status = respond(routes, "/api/users/currentuser").await.0;
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    }

    #[tokio::test]
    async fn an_unknown_path_responds_with_404() {
        let gate = Gate::default();
        gate.get_or_init(|| ingress([]));
        let health = Health::new([], Arc::new(SystemClock));
        let (status, body) = respond(routes(&health, &gate), "/nowhere").await;
        assert_eq!(status, StatusCode::NOT_FOUND);
        assert_eq!(body, r#"{"errors":[{"message":"Not Found"}]}"#);
    }
}
