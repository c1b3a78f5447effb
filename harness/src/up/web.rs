//! The routes: the console and its feed, the subject's page, and its services.

use std::convert::Infallible;
use std::error::Error;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Query, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Json, Redirect, Response};
use axum::routing::{get, post};
use futures::{Stream, StreamExt, stream};
use http_body_util::{BodyExt, Limited};
use platform::http::unknown_route;
use serde::Deserialize;
use serde_json::{Value, json};

use super::command::Command;
use super::feed::{Feed, Piece};
use super::stage::Stage;
use super::{guard, guard::Foreign};
use crate::case::Token;
use crate::subject::AnySubject;
use crate::system::System;
use crate::world::{Asker, Reply};
use crate::{console, run};

/// The console loads its own files, and nothing else.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
                      connect-src 'self'; base-uri 'none'; form-action 'none'; \
                      frame-ancestors 'none'";

/// The page of one run has its scripts and styles in itself, and loads nothing.
const WHOLE: &str = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; \
                     base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The largest body of a request, in bytes. The services have smaller limits of their own.
const MAX_BODY: usize = 4 << 20;

/// The time after which a browser that lost the feed connects again.
const RETRY: Duration = Duration::from_millis(500);

/// The name of the client in the trace.
const CLIENT: &str = "the browser";

/// The content that the routes serve.
pub(super) struct Site {
    /// The records and states for the browsers.
    pub(super) feed: Arc<Feed>,
    /// The system.
    pub(super) subject: AnySubject,
    /// The command that replays a token.
    pub(super) replay: String,
    /// The world.
    pub(super) stage: Stage,
    /// The map of the system.
    pub(super) map: Value,
    /// The services and their paths.
    pub(super) system: System,
    /// Names this start of the system, so that a page knows another one from it.
    pub(super) run: String,
}

/// The routes of a site that listens on this address.
pub(super) fn routes(site: Site, page: Option<Router>, listens: SocketAddr) -> Router {
    let console = console::files().into_iter().fold(Router::new(), |routes, (path, kind, text)| {
        routes.route(&path, get(async move || file(kind, POLICY, text.clone())))
    });
    let console = console
        .route("/_", get(async || Redirect::permanent("/_/")))
        .route("/_/map", get(async |State(site): State<Arc<Site>>| Json(site.map.clone())))
        .route("/_/events", get(events))
        .route("/_/documents", get(documents))
        .route("/_/command", post(command))
        .route("/_/run", get(recorded_run))
        .fallback(services)
        .with_state(Arc::new(site));
    let to_console = || Router::new().route("/", get(async || Redirect::temporary("/_/")));
    console.merge(page.unwrap_or_else(to_console)).layer(from_fn_with_state(listens, own_pages))
}

/// The routes of the page of one run, which holds everything that it shows.
pub(super) fn recorded(page: String, listens: SocketAddr) -> Router {
    let kind = "text/html; charset=utf-8";
    Router::new()
        .route("/", get(async || Redirect::temporary("/_/")))
        .route("/_/", get(async move || file(kind, WHOLE, page.clone())))
        .fallback(unknown_route)
        .layer(from_fn_with_state(listens, own_pages))
}

fn file(kind: &'static str, policy: &'static str, text: String) -> impl IntoResponse {
    let headers: [(HeaderName, HeaderValue); 4] = [
        (header::CONTENT_TYPE, HeaderValue::from_static(kind)),
        (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy)),
        (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-cache")),
    ];
    (headers, text)
}

async fn own_pages(State(listens): State<SocketAddr>, request: Request, next: Next) -> Response {
    let headers = request.headers();
    match guard::host(headers, listens).and_then(|()| guard::origin(headers)) {
        Ok(()) => next.run(request).await,
        Err(why) => foreign(why),
    }
}

fn foreign(why: Foreign) -> Response {
    refusal(StatusCode::FORBIDDEN, &why.to_string())
}

/// An error in the shape of the services.
fn refusal(status: StatusCode, message: &str) -> Response {
    (status, Json(json!({ "errors": [{ "message": message }] }))).into_response()
}

async fn command(
    State(site): State<Arc<Site>>,
    command: Result<Json<Command>, axum::extract::rejection::JsonRejection>,
) -> Response {
    let command = match command {
        Ok(Json(command)) => command,
        Err(rejected) => return refusal(rejected.status(), &rejected.body_text()),
    };
    match site.stage.command(command).await {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(why) => refusal(StatusCode::BAD_REQUEST, &why.to_string()),
    }
}

/// The page of the run of a token.
async fn recorded_run(State(site): State<Arc<Site>>, Query(asked): Query<Asked>) -> Response {
    let (subject, replay) = (site.subject.clone(), site.replay.clone());
    let page = move || {
        let token: Token = asked.token.trim().parse()?;
        let case = token.case()?.read(&subject)?;
        let run = run::run_watched(&subject, &case)?;
        Ok::<_, Box<dyn Error + Send + Sync>>(console::page(&subject, &run, &replay))
    };
    match tokio::task::spawn_blocking(page).await {
        Ok(Ok(page)) => file("text/html; charset=utf-8", WHOLE, page).into_response(),
        Ok(Err(why)) => refusal(StatusCode::BAD_REQUEST, &format!("No run of this token: {why}")),
        Err(_) => refusal(StatusCode::INTERNAL_SERVER_ERROR, "The run of this token panicked"),
    }
}

/// The query for the page of a run.
#[derive(Deserialize)]
struct Asked {
    token: String,
}

async fn documents(State(site): State<Arc<Site>>) -> Response {
    site.stage
        .documents()
        .await
        .map_or_else(unavailable, |documents| Json(documents).into_response())
}

async fn events(
    State(site): State<Arc<Site>>,
    headers: HeaderMap,
) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    // Records of an earlier start of the system have the same numbers.
    let last = headers.get("last-event-id").and_then(|id| {
        let (run, number) = id.to_str().ok()?.split_once(':')?;
        if run == site.run { number.parse().ok() } else { None }
    });
    let (missed, coming) = site.feed.subscribe(last);
    let run = site.run.clone();
    // A browser that lags too far behind comes back, and asks for what it missed.
    let coming = stream::unfold(coming, async |mut coming| {
        let piece = coming.recv().await.ok()?;
        Some((piece, coming))
    });
    let started = json!({ "run": run }).to_string();
    let begin = Event::default().event("run").retry(RETRY).data(started);
    let events = stream::iter(missed).chain(coming).map(move |piece| match piece {
        Piece::Records(last, text) => {
            Event::default().event("records").id(format!("{run}:{last}")).data(text)
        }
        Piece::State(text) => Event::default().event("state").data(text),
        Piece::Build(text) => Event::default().event("build").data(text),
    });
    let events = stream::iter([begin]).chain(events).map(Ok);
    Sse::new(events).keep_alive(KeepAlive::new().interval(Duration::from_secs(15)))
}

/// Sends a request into the world.
async fn services(State(site): State<Arc<Site>>, request: Request) -> Response {
    if site.system.serves(request.uri().path()).is_none() {
        return unknown_route().await.into_response();
    }
    let (mut parts, body) = request.into_parts();
    let body = match Limited::new(body, MAX_BODY).collect().await {
        Ok(body) => body.to_bytes(),
        Err(_) => return refusal(StatusCode::PAYLOAD_TOO_LARGE, "Request body too large"),
    };
    let mut inside = http::Request::new(body);
    *inside.method_mut() = parts.method;
    *inside.uri_mut() = parts.uri;
    *inside.headers_mut() = std::mem::take(&mut parts.headers);
    inside.extensions_mut().insert(Asker(CLIENT.to_owned()));
    match site.stage.request(inside).await {
        Some((Reply::Answer(answer), now)) => {
            let mut answer = answer.map(Body::from);
            // A page that counts down reads the clock of its server.
            let date = now.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
            if let Ok(date) = date.parse() {
                answer.headers_mut().insert(header::DATE, date);
            }
            answer
        }
        Some((Reply::Unanswered(_), _)) | None => unavailable(),
    }
}

fn unavailable() -> Response {
    let mut response = refusal(StatusCode::SERVICE_UNAVAILABLE, "Service unavailable");
    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
    response
}
