//! `ticketing serve`: one process, one listener, from the first request to the last.
//!
//! It listens at once: health is answered while the services are still starting, everything
//! else is a 503 until then. When it is told to stop it takes no new request, finishes what
//! is in flight, requests first and then messages, and ends.

use std::any::Any;
use std::process::ExitCode;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use adapters::mongo::Mongo;
use adapters::system::SystemClock;
use anyhow::{Context, anyhow};
use auth::password::{Compute, Cost, Work};
use axum::Router;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::serve::ListenerExt;
use identity::session::SessionConfig;
use payments::provider::ProviderConfig;
use platform::health::Health;
use platform::http::ApiError;
use platform::run::Policy;
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

/// How long a request may take.
const REQUEST: Duration = Duration::from_secs(30);
/// How long finishing the requests that are in flight may take, and then the messages.
const FINISH: Duration = Duration::from_secs(10);

/// The routes, once the services have started.
type Door = Arc<OnceLock<Router>>;

/// Serves until told to stop.
pub(crate) async fn serve(args: Serve) -> anyhow::Result<ExitCode> {
    let listener = match TcpListener::bind(args.listen).await {
        Ok(listener) => listener.tap_io(|tcp| drop(tcp.set_nodelay(true))),
        Err(why) => {
            eprintln!("ticketing: LISTEN: {}: {why}", args.listen);
            return Ok(ExitCode::from(2));
        }
    };
    if let Err(ReadError::Rejected(why)) = Mongo::client(&args.mongo_url).await {
        eprintln!("ticketing: MONGO_URL: {why}");
        return Ok(ExitCode::from(2));
    }
    tracing::info!(service = args.service, listen = %args.listen, "listening");
    let plan = plan(args);
    let names: Vec<_> = plan.services.iter().map(|entry| entry.name).collect();
    let health = Health::new(names, Arc::new(SystemClock));
    let (door, closing) = (Door::default(), CancellationToken::new());
    let routes = routes(&health, &door);
    let closed = closing.clone().cancelled_owned();
    let mut server = JoinSet::new();
    server.spawn(async move { axum::serve(listener, routes).with_graceful_shutdown(closed).await });

    let mut loops = JoinSet::new();
    let asked = asked_to_stop()?;
    let failure = tokio::select! {
        () = asked => None,
        failure = run(&plan, &health, &door, &mut loops) => Some(failure),
    };

    tracing::info!("stopping, finishing what is in flight");
    closing.cancel();
    let clock: &dyn Clock = &SystemClock;
    let requests =
        clock.within(FINISH, async { while server.join_next().await.is_some() {} }).await;
    plan.stop.cancel();
    // Also where a client that sends for ever has used up the time for requests.
    let messages = clock.within(FINISH, async { while loops.join_next().await.is_some() {} }).await;
    match requests.and(messages) {
        Some(()) => tracing::info!("stopped"),
        None => tracing::warn!("stopped with work left; it is picked up at the next start"),
    }
    failure.map_or(Ok(ExitCode::SUCCESS), Err)
}

fn plan(args: Serve) -> Plan {
    let chosen = |name| args.service == "all" || args.service == name;
    Plan {
        services: SERVICES.iter().filter(|entry| chosen(entry.name)).copied().collect(),
        policy: Policy { ack_wait: args.ack_wait, ..Policy::default() },
        mongo_url: args.mongo_url,
        nats_url: args.bus.nats_url,
        namespace: args.bus.namespace,
        stop: CancellationToken::new(),
        settings: Settings {
            session: SessionConfig {
                key: args.jwt_key,
                previous_key: args.jwt_key_previous.filter(|key| !key.is_empty()),
                lifetime: args.token_lifetime,
                secure: args.cookie_secure,
            },
            admins: args.admin_emails.into_iter().filter(|email| !email.is_empty()).collect(),
            password_cost: Cost::PRODUCTION,
            compute: Compute::new(aside),
            reservation_window: args.reservation_window,
            // Where payments is served, the command line insists on both.
            provider: ProviderConfig {
                url: args.stripe_url.unwrap_or_default(),
                key: args.stripe_key.unwrap_or_default(),
                currency: CURRENCY.to_owned(),
            },
        },
    }
}

/// Keeps what computes for long off the threads that answer.
#[expect(clippy::disallowed_methods, reason = "this is the Compute of production")]
fn aside(work: Work) {
    tokio::task::spawn_blocking(work);
}

/// Starts the services and keeps their loops going; returns why it could not.
async fn run(
    plan: &Plan,
    health: &Health,
    door: &Door,
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
    door.get_or_init(|| ingress(routes));
    tracing::info!("ready");
    // A loop ends by itself only where a handler panicked. Starting anew is the way back: a
    // message that brings its handler down each time is put aside after its last attempt.
    match loops.join_next().await {
        Some(Ok(name)) => anyhow!("{name} has ended"),
        Some(Err(why)) => anyhow!("a listener or task has failed: {why}"),
        None => anyhow!("there is nothing to run"),
    }
}

fn routes(health: &Health, door: &Door) -> Router {
    let services = Router::new().fallback(enter).with_state(Arc::clone(door));
    guarded(services).merge(health.routes())
}

/// No request takes the process down, and none takes for ever.
fn guarded(routes: Router) -> Router {
    routes.layer(CatchPanicLayer::custom(panicked)).layer(from_fn(limited))
}

async fn enter(State(door): State<Door>, request: Request) -> Response {
    match door.get() {
        Some(routes) => routes.clone().oneshot(request).await.into_response(),
        None => ApiError::unavailable().into_response(),
    }
}

/// The panic itself is in the log.
fn panicked(_: Box<dyn Any + Send>) -> Response {
    ApiError::new(StatusCode::INTERNAL_SERVER_ERROR, "Internal error").into_response()
}

/// What takes too long is given up: a write is whole or was not made, and its events go out.
async fn limited(request: Request, next: Next) -> Response {
    let clock: &dyn Clock = &SystemClock;
    let answer = clock.within(REQUEST, next.run(request)).await;
    answer.unwrap_or_else(|| ApiError::unavailable().into_response())
}

/// Waits for SIGTERM or SIGINT.
fn asked_to_stop() -> anyhow::Result<impl Future<Output = ()>> {
    let mut terminate = signal(SignalKind::terminate()).context("signals cannot be heard")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("signals cannot be heard")?;
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

    use super::*;

    async fn answer(routes: Router, path: &str) -> (StatusCode, String) {
        let request = Request::get(path).body(Body::empty()).unwrap();
        let response = routes.oneshot(request).await.into_response();
        let status = response.status();
        let body = to_bytes(response.into_body(), 1024).await.unwrap();
        (status, String::from_utf8(body.to_vec()).unwrap())
    }

    #[tokio::test]
    async fn a_panic_is_an_answer() {
        let broken = Router::new().fallback(async || panic!("a handler panics") as StatusCode);
        let (status, body) = answer(guarded(broken), "/").await;
        assert_eq!(status, StatusCode::INTERNAL_SERVER_ERROR);
        assert_eq!(body, r#"{"errors":[{"message":"Internal error"}]}"#);
    }

    #[tokio::test]
    async fn before_the_services_have_started_only_health_answers() {
        let health = Health::new(["auth"], Arc::new(SystemClock));
        let routes = routes(&health, &Door::default());
        assert_eq!(answer(routes.clone(), "/healthz").await.0, StatusCode::OK);
        let (status, body) = answer(routes.clone(), "/readyz").await;
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
        assert!(body.contains("auth has not started"), "{body}");
        let status = answer(routes, "/api/users/currentuser").await.0;
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    }

    #[tokio::test]
    async fn what_nobody_serves_is_not_found() {
        let door = Door::default();
        door.get_or_init(|| ingress([]));
        let health = Health::new([], Arc::new(SystemClock));
        let (status, body) = answer(routes(&health, &door), "/nowhere").await;
        assert_eq!(status, StatusCode::NOT_FOUND);
        assert_eq!(body, r#"{"errors":[{"message":"Not Found"}]}"#);
    }
}
