//! The external services behind a socket, which can be slow, fail, and answer late.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use adapters::system::SystemClock;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use futures::stream;
use http::StatusCode;
use ports::clock::Clock as _;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_util::task::AbortOnDropHandle;

use crate::system::{ExternalReply, ExternalService};

/// The longest body of a request.
const MAX_BODY: usize = 1024 * 1024;

/// Longer than any client waits for a response.
const NEVER: Duration = Duration::from_secs(600);

/// The conduct of the external services.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Conduct {
    /// They answer at once.
    Well,
    /// A request is carried out only after this time.
    Slow(Duration),
    /// Requests are answered with 503 and not carried out.
    Failing,
    /// Requests are carried out, and their responses are withheld until the conduct changes or
    /// for longer than a client waits.
    Late,
    /// Requests are carried out, and their connections break instead of a response.
    Breaking,
}

/// An HTTP server that answers as an [`ExternalService`] does.
pub(super) struct External {
    /// Its address.
    pub(super) address: SocketAddr,
    conduct: watch::Sender<Conduct>,
    _serving: AbortOnDropHandle<()>,
}

#[derive(Clone)]
struct Responder {
    service: Arc<dyn ExternalService>,
    conduct: watch::Receiver<Conduct>,
}

impl External {
    /// Serves an external service that conducts itself well.
    ///
    /// # Errors
    ///
    /// When no socket can be bound.
    pub(super) async fn serve(service: Arc<dyn ExternalService>) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let (conduct, watched) = watch::channel(Conduct::Well);
        let responder = Responder { service, conduct: watched };
        let routes = Router::new().fallback(respond).with_state(responder);
        let serving = tokio::spawn(async move {
            if let Err(error) = axum::serve(listener, routes).await {
                tracing::error!(%error, "the external services are not served any more");
            }
        });
        Ok(Self { address, conduct, _serving: AbortOnDropHandle::new(serving) })
    }

    /// Changes the conduct.
    pub(super) fn set(&self, conduct: Conduct) {
        self.conduct.send_replace(conduct);
    }
}

async fn respond(State(mut responder): State<Responder>, request: Request) -> Response {
    let conduct = *responder.conduct.borrow_and_update();
    match conduct {
        Conduct::Failing => return StatusCode::SERVICE_UNAVAILABLE.into_response(),
        Conduct::Slow(delay) => tokio::time::sleep(delay).await,
        Conduct::Well | Conduct::Late | Conduct::Breaking => {}
    }
    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, MAX_BODY).await else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    let reply =
        responder.service.answer(&http::Request::from_parts(parts, body), SystemClock.now());
    if conduct == Conduct::Late {
        drop(tokio::time::timeout(NEVER, responder.conduct.changed()).await);
    }
    if conduct == Conduct::Breaking {
        let error = io::Error::from(io::ErrorKind::ConnectionReset);
        return Body::from_stream(stream::iter([Err::<Bytes, _>(error)])).into_response();
    }
    match reply {
        ExternalReply::Response(response) => response.map(Body::from),
        ExternalReply::Slow(response, delay) => {
            tokio::time::sleep(delay).await;
            response.map(Body::from)
        }
        ExternalReply::Lost => {
            tokio::time::sleep(NEVER).await;
            StatusCode::GATEWAY_TIMEOUT.into_response()
        }
        // A server cannot refuse a connection once it has a request; a client retries after a
        // 503 as well.
        ExternalReply::Refused => StatusCode::SERVICE_UNAVAILABLE.into_response(),
    }
}
