//! Connections: accepts them, bounds their number and their patience, and closes them in order.
//!
//! A client that is silent, sends half a request or does not read its response occupies a
//! connection, and so a file. The time limits end such connections, and the cap leaves files for
//! the connections to the store and the bus. Routes know nothing of this.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use adapters::system::SystemClock;
use auth::throttle::ClientAddress;
use axum::Router;
use axum::http::{HeaderName, Request};
use futures::future::{Either, select};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use platform::health::Health;
use ports::clock::Clock;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinHandle;
use tokio_io_timeout::TimeoutStream;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

/// Time in which a client must send the head of its next request. It bounds idle connections too.
const HEAD_TIMEOUT: Duration = Duration::from_secs(15);
/// Time in which a client must read some of the response that is being written.
const WRITE_TIMEOUT: Duration = Duration::from_secs(15);
/// The pause after a failed accept: most failures mean that no file is left.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
/// The upper bound on open connections.
const MAX_CONNECTIONS: u64 = 10_000;
/// Files that are left for the store, the bus and everything else.
const RESERVED_FILES: u64 = 128;

/// Serves these routes until `closing`, then finishes the requests in flight. The address of a
/// client is in `address_header` where a proxy says so, and otherwise that of its connection.
pub(crate) async fn serve(
    listener: TcpListener,
    routes: Router,
    address_header: Option<HeaderName>,
    health: Health,
    closing: CancellationToken,
) {
    let slots = Arc::new(Semaphore::new(raise_limit()));
    let graceful = GracefulShutdown::new();
    let clock: &dyn Clock = &SystemClock;
    loop {
        let accept = std::pin::pin!(accept(&listener, &slots));
        let (stream, peer, slot) = match select(std::pin::pin!(closing.cancelled()), accept).await {
            Either::Left(_) => break,
            Either::Right((Ok(accepted), _)) => accepted,
            Either::Right((Err(error), _)) => {
                tracing::warn!(%error, "a connection was not accepted");
                clock.sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        let open = health.connection();
        let address_header = address_header.clone();
        let service = routes.clone().map_request(move |mut request: Request<Incoming>| {
            let named = address_header.as_ref().and_then(|name| named_address(&request, name));
            request.extensions_mut().insert(ClientAddress(named.unwrap_or_else(|| peer.ip())));
            request
        });
        let service = TowerToHyperService::new(service);
        let mut timed = TimeoutStream::new(stream);
        timed.set_write_timeout(Some(WRITE_TIMEOUT));
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEAD_TIMEOUT)
            .serve_connection(TokioIo::new(Box::pin(timed)), service);
        let connection = graceful.watch(connection);
        let served = async move {
            // An error here is the client's: it left, was silent, or sent no HTTP.
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a connection ended early");
            }
            drop((open, slot));
        };
        spawn(served);
    }
    drop(listener);
    graceful.shutdown().await;
}

#[expect(clippy::disallowed_methods, reason = "one task for each connection, in production only")]
fn spawn(served: impl Future<Output = ()> + Send + 'static) -> JoinHandle<()> {
    tokio::spawn(served)
}

/// Accepts a connection once one of the slots is free. Until then, clients wait in the backlog.
async fn accept(
    listener: &TcpListener,
    slots: &Arc<Semaphore>,
) -> io::Result<(TcpStream, SocketAddr, OwnedSemaphorePermit)> {
    let slot = Arc::clone(slots).acquire_owned().await.expect("the semaphore is never closed");
    let (stream, peer) = listener.accept().await?;
    stream.set_nodelay(true)?;
    Ok((stream, peer, slot))
}

/// Returns the last address in a header, which the nearest proxy has added.
fn named_address(request: &Request<Incoming>, header: &HeaderName) -> Option<IpAddr> {
    let value = request.headers().get_all(header).into_iter().next_back()?.to_str().ok()?;
    value.rsplit(',').next()?.trim().parse().ok()
}

/// Raises the limit on open files as far as the system allows, and returns the number of
/// connections for which it suffices.
fn raise_limit() -> usize {
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    let raised = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum });
    if let Err(error) = raised {
        tracing::debug!(%error, "the limit on open files stays");
    }
    connections_for(getrlimit(Resource::Nofile).current)
}

/// Returns the number of connections for this limit on open files; `None` is no limit.
fn connections_for(files: Option<u64>) -> usize {
    let files = files.unwrap_or(u64::MAX);
    let connections = files.saturating_sub(RESERVED_FILES).clamp(16, MAX_CONNECTIONS);
    usize::try_from(connections).expect("the bound fits")
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    #[test]
    fn the_cap_leaves_files_for_everything_else() {
        assert_eq!(connections_for(Some(1024)), 896);
        assert_eq!(connections_for(Some(64)), 16);
        assert_eq!(connections_for(None), 10_000);
    }

    /// A server with one route on a port of its own.
    async fn server() -> (SocketAddr, Health, CancellationToken, JoinHandle<()>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let routes = Router::new().route("/", axum::routing::get(async || "hello"));
        let health = Health::new([], Arc::new(SystemClock));
        let closing = CancellationToken::new();
        let served = spawn(serve(listener, routes, None, health.clone(), closing.clone()));
        (address, health, closing, served)
    }

    #[tokio::test]
    async fn a_closing_server_answers_the_request_that_it_has_and_counts_down() {
        let (address, health, closing, served) = server().await;
        let mut client = TcpStream::connect(address).await.unwrap();
        client.write_all(b"GET / HTTP/1.1\r\nhost: a\r\n").await.unwrap();
        while health.open_connections() == 0 {
            tokio::task::yield_now().await;
        }
        closing.cancel();
        client.write_all(b"\r\n").await.unwrap();
        let mut response = String::new();
        client.read_to_string(&mut response).await.unwrap();
        assert!(response.starts_with("HTTP/1.1 200") && response.ends_with("hello"), "{response}");
        served.await.unwrap();
        assert_eq!(health.open_connections(), 0);
        assert!(TcpStream::connect(address).await.is_err());
    }
}
